"""The forms of telemonitoring at home, against the tables of the clinical content (domain.md §1.3 to §1.8)."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from relais.questionnaires.logic import check
from relais.questionnaires.testing import asks, form, lines, raw_items, source, table

FOLDER = Path(__file__).parent.parent / "questionnaires"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
BANDS = ("a", "b", "c", "d")
TODAY = datetime.date(2026, 11, 21)

RISK_FACTORS = """
rf.age65       | boolean | | | h
rf.cardio      | boolean
rf.diabete     | boolean
rf.respi       | boolean
rf.renal       | boolean
rf.cancer      | boolean
rf.immuno      | boolean
rf.greffe      | boolean
rf.hemopathie  | boolean
rf.foie        | boolean
rf.drepano     | boolean
rf.obesite     | boolean
rf.grossesse3  | boolean | | | h
rf.trisomie    | boolean
rf.demence     | boolean
rf.precarite   | boolean
rf.enfant      | boolean | | | | ctx.age < 18
"""

INCLUSION = f"""
ctx.age            | decimal | | | h
ctx.sexe           | choice | M F I | | h
inc.statut         | choice | confirme probable possible contact sortie | | R
inc.test           | choice | rtpcr antigenique serologie scanner aucun! | | R*
inc.test.date      | date | | days ..0 | | inc.test != aucun
inc.test.resultat  | choice | positif negatif indetermine attente | | R | inc.test != aucun
inc.symptomes      | boolean | | | R
inc.j0             | date | | days -30..0 | R | inc.symptomes = true
inc.exposition     | date | | days -14..0 | R | inc.statut = contact
inc.sortie.date    | date | | days -30..7 | R | inc.statut = sortie
inc.sortie.o2      | boolean | | | R | inc.statut = sortie
inc.poids          | decimal | kg | 1..300
inc.taille         | decimal | cm | 30..230
{RISK_FACTORS.strip()}
inc.spo2base       | integer | % | 80..100 | | rf.respi = true
inc.spo2cible      | integer | % | 80..96
inc.oxymetre       | boolean | | | R
inc.thermometre    | boolean | | | R
inc.grossesse      | choice | non t1t2 t3 na | | R | ctx.sexe = F and ctx.age >= 12 and ctx.age < 56
inc.tabac          | choice | oui sevre non nsp
inc.traitement     | text
inc.allergies      | text
inc.seul           | boolean | | | R
inc.isolement      | choice | oui non nsp | | R
inc.aidant         | group | | | *
inc.aidant.nom     | string | | <=200 | R
inc.aidant.lien    | open-choice | conjoint parent enfant famille voisin professionnel
inc.aidant.telephone | string | | <=30 | R
inc.langue         | open-choice | fr en ar pt zh autre
inc.autonomie      | boolean | | | R
inc.fragilite      | boolean
inc.medecin        | reference
inc.rythme         | choice | standard renforce contact | | R
inc.consigne       | boolean | | | R!
inc.info           | boolean | | | R!
inc.info.qui       | choice | patient parent tuteur proche | | R
"""

ADULT = """
ctx.oxymetre       | boolean | | | h
ctx.o2             | boolean | | | h
ctx.effort         | boolean | | | h
ctx.diabete        | boolean | | | h
ad.saisie          | choice | patient proche-aidant professionnel | | R
ad.general         | choice | mieux stable pire critique | | R
ad.temp.mesuree    | boolean | | | R
ad.temp            | decimal | Cel | 34..42.5 0.1 | R | ad.temp.mesuree = true
ad.fievre.ress     | boolean | | | R | ad.temp.mesuree = false
ad.paracetamol     | boolean | | | | ad.temp >= 38 or ad.fievre.ress = true
ad.fievre.resist   | boolean | | | R | ad.temp >= 39
ad.frissons        | choice | non oui intenses | | R
ad.malaise         | choice | non malaise syncope | | R
ad.dyspnee         | choice | 0 1 2 3 4 | | R
ad.dyspnee.evol    | choice | mieux stable pire critique aucun | | R | ad.dyspnee = 1,2,3,4
ad.dyspnee.habit   | boolean | | | R | ad.dyspnee = 1,2
ad.fr              | integer | /min | 6..60
ad.fr.recompte     | integer | /min | 6..60 | R | ad.fr >= 21 or ad.fr <= 9
ad.spo2            | integer | % | 60..100 | | ctx.oxymetre = true
ad.spo2.o2         | decimal | L/min | 0..15 | | ctx.o2 = true
ad.spo2.effort     | integer | % | 60..100 | | ctx.effort = true
ad.fc              | integer | /min | 30..220
ad.toux            | choice | non seche grasse sang | | R
ad.thorax          | choice | non toux respiration repos | | R
ad.levres          | boolean | | | R
ad.confusion       | choice | oui non nsp | | R
ad.fatigue         | choice | non oui alite | | R
ad.boire           | boolean | | | R
ad.digestif        | choice | non! nausees dia dia3 vom | | R*
ad.urine           | boolean | | | | ad.boire = true or ad.digestif = dia3,vom
ad.odorat          | boolean | | | R
ad.gout            | boolean | | | R
ad.cephalee        | choice | non oui intense | | R
ad.myalgie         | boolean
ad.gorge           | boolean
ad.peau            | boolean
ad.mollet          | boolean | | | R
ad.glyc            | choice | oui non nsp | | | ctx.diabete = true
ad.moral           | choice | mieux stable pire critique | | R
ad.idees           | choice | oui non nsp | | R | ad.moral = critique
ad.besoin          | choice | non! courses medicaments hebergement arret autre | | R*
ad.hospit          | choice | non urgences hospitalise | | R
ad.hospit.lieu     | string | | | R | ad.hospit = urgences,hospitalise
ad.note            | text | | <=500
ad.photo           | attachment | | jpeg png webp heic 5000000
"""

# Bands first, as in the document: a capital where the band requires an answer.
CHILD = """
ABCD | en.general    | choice | mieux stable pire critique
ABCD | en.temp       | decimal | Cel | 34..42.5 0.1
AB   | en.temp.voie  | choice | rectale axillaire auriculaire frontale
bcd  | en.temp.duree | integer | d | 0..30 | | en.temp >= 38
CD   | en.frissons   | boolean
ABC  | en.resp       | choice | normale! rapide difficile bruit pauses | | *
abcd | en.fr         | integer | /min | 10..100
CD   | en.parole     | choice | aucun effort jeu parole
abcd | en.spo2       | integer | % | 60..100 | | ctx.oxymetre = true
ABCD | en.couleur    | choice | rose pale bleu marbre
AB   | en.alim       | choice | normale moins moitie refus
CD   | en.boire      | choice | normal moins refus
ABC  | en.couches    | choice | normal moins aucune
ABCD | en.vomi       | choice | non quelques repetes bile
ABCD | en.diarrhee   | choice | non oui abondante
AB   | en.tonus      | choice | normal grognon endormi inconsolable convulsion
CD   | en.vigilance  | choice | normale fatigue somnolent convulsion
AB   | en.pleurs     | boolean
ab   | en.fontanelle | boolean
ABCD | en.toux       | choice | non oui quintes
cD   | en.odorat     | boolean
CD   | en.tete       | choice | non oui intense
CD   | en.ventre     | choice | non oui intense
cD   | en.poitrine   | choice | non douleur malaise
ABCD | en.peau       | choice | non oui purpura
BCD  | en.pims       | boolean | | | | en.temp >= 38
cD   | en.moral      | choice | mieux stable pire critique
D    | en.idees      | choice | oui non nsp | | | en.moral = critique
ABC  | en.inquiet    | choice | non unpeu tres
ABCD | en.hospit     | choice | non urgences hospitalise
abcd | en.note       | text | | <=500
"""

CONTACT = """
ct.sympt      | boolean | | | R
ct.liste      | choice | fievre frissons toux essoufflement odorat gout gorge nez tete courbatures fatigue diarrhee autre
              | | R* | ct.sympt = true
ct.temp       | decimal | Cel | 34..42.5 0.1 | R
ct.dyspnee    | choice | 0 1 2 3 4 | | R | ct.sympt = true
ct.isolement  | choice | oui partiel non | | R
ct.masque     | boolean
ct.test       | choice | non rdv attente positif negatif | | R
ct.test.date  | date | | days ..0 | R | ct.test = attente,positif,negatif
ct.besoin     | choice | non! courses hebergement arret autre | | R*
""".replace("autre\n              |", "autre |")

ORIENTATIONS = (
    "conseils rappel-programme teleconsultation consultation-mt visite-domicile passage-ide oxymetre-remis had samu15"
    " urgences hospitalisation-directe soutien-psy aide-sociale-dac modif-rythme modif-seuil fausse-alerte"
)
CALL = f"""
ap.appele       | choice | patient proche medecin-traitant | | R
ap.personne     | string | | <=120 | | ap.appele = proche,medecin-traitant
ap.issue        | choice | joint non-joint repondeur mauvais-numero proche-joint medecin-joint sans-nouvelles | | R
ap.heure        | time | | | R
ap.parle        | boolean
ap.fr           | integer | /min | 6..100
ap.spo2         | integer | % | 60..100
ap.temp         | decimal | Cel | 34..42.5 0.1
ap.etat         | choice | bon moyen mauvais | | R
ap.evaluation   | text
ap.niveau       | choice | confirme-rouge requalifie-orange requalifie-vert | | R
ap.orientation  | choice | {ORIENTATIONS} | | R*
ap.rappel.date  | date | | days 0..30 | R | ap.orientation = rappel-programme
ap.delai        | integer | h | 0..168
ap.medecin      | reference
ap.consignes    | text
"""


def child(band: str) -> str:
    """The rows of the document that hold for a band."""
    rows = ["ctx.oxymetre | boolean | | | h"]
    for line in CHILD.strip().splitlines():
        bands, *cells = [cell.strip() for cell in line.split("|")]
        if band in bands.lower():
            cells += [""] * (6 - len(cells))
            cells[4] = "R" * (band.upper() in bands) + cells[4]
            rows.append(" | ".join(cells))
    return "\n".join(rows)


TABLES = {
    "ecovid-appel": CALL,
    "ecovid-inclusion": INCLUSION,
    "ecovid-suivi-adulte": ADULT,
    "ecovid-suivi-contact": CONTACT,
    **{f"ecovid-suivi-enfant-{band}": child(band) for band in BANDS},
}


def test_every_form_has_its_table() -> None:
    assert sorted(TABLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_form_asks_what_its_table_says(name: str) -> None:
    """The same questions in the same order: types, codes, units, plausible ranges, required, repeats, conditions."""
    assert lines(form("telemonitoring", name)) == table(TABLES[name])


# Conditions: (form, question, answers that make it asked, answers that do not), each at its threshold.
ADULTE, INC, APPEL, CT = "ecovid-suivi-adulte", "ecovid-inclusion", "ecovid-appel", "ecovid-suivi-contact"
MEASURED = {"ad__temp__mesuree": True}
SHOWN: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (ADULTE, "ad.temp", {"ad__temp__mesuree": True}, {"ad__temp__mesuree": False}),
    (ADULTE, "ad.fievre.ress", {"ad__temp__mesuree": False}, {"ad__temp__mesuree": True}),
    (ADULTE, "ad.paracetamol", MEASURED | {"ad__temp": 38}, MEASURED | {"ad__temp": 37.9}),
    (
        *(ADULTE, "ad.paracetamol"),
        {"ad__temp__mesuree": False, "ad__fievre__ress": True},
        {"ad__temp__mesuree": False, "ad__fievre__ress": False},
    ),
    # A temperature left from before one said that there was none does not count.
    (ADULTE, "ad.paracetamol", MEASURED | {"ad__temp": 39}, {"ad__temp__mesuree": False, "ad__temp": 39}),
    (ADULTE, "ad.fievre.resist", MEASURED | {"ad__temp": 39}, MEASURED | {"ad__temp": 38.9}),
    *((ADULTE, "ad.dyspnee.evol", {"ad__dyspnee": code}, {"ad__dyspnee": "0"}) for code in "1234"),
    (ADULTE, "ad.dyspnee.habit", {"ad__dyspnee": "1"}, {"ad__dyspnee": "0"}),
    (ADULTE, "ad.dyspnee.habit", {"ad__dyspnee": "2"}, {"ad__dyspnee": "3"}),
    (ADULTE, "ad.fr.recompte", {"ad__fr": 21}, {"ad__fr": 20}),
    (ADULTE, "ad.fr.recompte", {"ad__fr": 9}, {"ad__fr": 10}),
    (ADULTE, "ad.fr.recompte", {"ad__fr": 9}, {}),
    (ADULTE, "ad.spo2", {"ctx__oxymetre": True}, {"ctx__oxymetre": False}),
    (ADULTE, "ad.spo2", {"ctx__oxymetre": True}, {}),
    (ADULTE, "ad.spo2.o2", {"ctx__o2": True}, {"ctx__o2": False}),
    (ADULTE, "ad.spo2.effort", {"ctx__effort": True}, {"ctx__effort": False}),
    (ADULTE, "ad.urine", {"ad__boire": True}, {"ad__boire": False}),
    (ADULTE, "ad.urine", {"ad__digestif": ["nausees", "dia3"]}, {"ad__digestif": ["nausees", "dia"]}),
    (ADULTE, "ad.urine", {"ad__digestif": "vom"}, {"ad__digestif": "non"}),
    (ADULTE, "ad.glyc", {"ctx__diabete": True}, {"ctx__diabete": False}),
    (ADULTE, "ad.idees", {"ad__moral": "critique"}, {"ad__moral": "pire"}),
    *((ADULTE, "ad.hospit.lieu", {"ad__hospit": code}, {"ad__hospit": "non"}) for code in ("urgences", "hospitalise")),
    (INC, "inc.test.date", {"inc__test": ["rtpcr", "scanner"]}, {"inc__test": "aucun"}),
    (INC, "inc.test.date", {"inc__test": "rtpcr"}, {}),
    (INC, "inc.test.resultat", {"inc__test": "antigenique"}, {"inc__test": "aucun"}),
    (INC, "inc.j0", {"inc__symptomes": True}, {"inc__symptomes": False}),
    (INC, "inc.exposition", {"inc__statut": "contact"}, {"inc__statut": "possible"}),
    (INC, "inc.sortie.date", {"inc__statut": "sortie"}, {"inc__statut": "confirme"}),
    (INC, "inc.sortie.o2", {"inc__statut": "sortie"}, {"inc__statut": "confirme"}),
    (INC, "rf.enfant", {"ctx__age": 17.9}, {"ctx__age": 18}),
    (INC, "inc.spo2base", {"rf__respi": True}, {"rf__respi": False}),
    (INC, "inc.grossesse", {"ctx__sexe": "F", "ctx__age": 12}, {"ctx__sexe": "F", "ctx__age": 11.9}),
    (INC, "inc.grossesse", {"ctx__sexe": "F", "ctx__age": 55.9}, {"ctx__sexe": "F", "ctx__age": 56}),
    (INC, "inc.grossesse", {"ctx__sexe": "F", "ctx__age": 30}, {"ctx__sexe": "M", "ctx__age": 30}),
    *(
        (APPEL, "ap.section.etat", {"ap__issue": code}, {"ap__issue": "repondeur"})
        for code in ("joint", "proche-joint")
    ),
    (APPEL, "ap.section.decision", {"ap__issue": "medecin-joint"}, {"ap__issue": "sans-nouvelles"}),
    (APPEL, "ap.personne", {"ap__appele": "proche"}, {"ap__appele": "patient"}),
    (APPEL, "ap.personne", {"ap__appele": "medecin-traitant"}, {"ap__appele": "patient"}),
    (APPEL, "ap.section.decision", {"ap__issue": "joint"}, {"ap__issue": "non-joint"}),
    (APPEL, "ap.section.decision", {"ap__issue": "proche-joint"}, {"ap__issue": "mauvais-numero"}),
    (
        *(APPEL, "ap.rappel.date"),
        {"ap__issue": "joint", "ap__orientation": ["conseils", "rappel-programme"]},
        {"ap__issue": "joint", "ap__orientation": ["conseils"]},
    ),
    (CT, "ct.liste", {"ct__sympt": True}, {"ct__sympt": False}),
    (CT, "ct.dyspnee", {"ct__sympt": True}, {"ct__sympt": False}),
    *((CT, "ct.test.date", {"ct__test": code}, {"ct__test": "rdv"}) for code in ("attente", "positif", "negatif")),
    *((f"ecovid-suivi-enfant-{band}", "en.temp.duree", {"en__temp": 38}, {"en__temp": 37.9}) for band in "bcd"),
    *((f"ecovid-suivi-enfant-{band}", "en.pims", {"en__temp": 38}, {"en__temp": 37.9}) for band in "bcd"),
    *((f"ecovid-suivi-enfant-{band}", "en.spo2", {"ctx__oxymetre": True}, {"ctx__oxymetre": False}) for band in BANDS),
    ("ecovid-suivi-enfant-d", "en.idees", {"en__moral": "critique"}, {"en__moral": "pire"}),
]


def test_every_condition_has_its_example() -> None:
    conditional = {
        (name, item.link_id) for name in NAMES for item in form("telemonitoring", name).walk() if item.conditions
    }
    assert {(name, link_id) for name, link_id, _, _ in SHOWN} == conditional


@pytest.mark.parametrize(("name", "link_id", "yes", "no"), SHOWN)
def test_a_question_is_asked_when_its_condition_holds_and_only_then(
    name: str, link_id: str, yes: dict[str, Any], no: dict[str, Any]
) -> None:
    read = form("telemonitoring", name)
    assert (asks(read, link_id, **yes), asks(read, link_id, **no)) == (True, False)


# Voices (§1.9)

PATIENTS = [name for name in NAMES if "-suivi-" in name]


@pytest.mark.parametrize("name", [name for name in PATIENTS if name[-2:] not in ("-a", "-b", "-c")])
def test_a_sentence_that_addresses_the_patient_has_another_for_whoever_answers_instead(name: str) -> None:
    for item in raw_items(source("telemonitoring", name)):
        if item["linkId"].startswith(("ctx", "ad.note", "ad.photo", "en.note")) or item["linkId"].endswith(".aide"):
            continue
        words = f" {item['text'].lower()} "
        addresses = any(word in words for word in ("vous", " votre ", " vos "))
        spoken = [each["valueString"] for each in item.get("extension", ()) if each["url"] == "urn:relais:proxy-text"]
        assert bool(spoken) == addresses, item["linkId"]
        assert all(" proche" in text or "enfant" in text for text in spoken), item["linkId"]


@pytest.mark.parametrize("band", ["a", "b", "c"])
def test_the_forms_of_young_children_address_the_parent_in_both_voices(band: str) -> None:
    raw = raw_items(source("telemonitoring", f"ecovid-suivi-enfant-{band}"))
    assert [item["linkId"] for item in raw if "proxy-text" in str(item.get("extension"))] == []


def test_who_answers_for_another_is_asked_first_about_confusion() -> None:
    first = [(name, item.link_id) for name in NAMES for item in form("telemonitoring", name).walk() if item.proxy_first]
    assert first == [("ecovid-suivi-adulte", "ad.confusion")]


@pytest.mark.parametrize("name", PATIENTS)
def test_nothing_is_said_with_an_exclamation_mark(name: str) -> None:
    assert [item["linkId"] for item in raw_items(source("telemonitoring", name)) if "!" in str(item)] == []


# Measurements


@pytest.mark.parametrize("name", PATIENTS)
def test_a_measurement_says_how_to_take_it(name: str) -> None:
    without = [item.link_id for item in form("telemonitoring", name).walk() if item.unit and not item.help]
    assert without == []


@pytest.mark.parametrize("name", NAMES)
def test_vital_signs_carry_the_loinc_code_of_their_unit(name: str) -> None:
    """Habitual and target saturations are no measurement, and a saturation after effort is none at rest."""
    codes = {"Cel": "8310-5", "L/min": "3151-8", "kg": "29463-7", "cm": "8302-2", "%": "59408-5"}
    for item in form("telemonitoring", name).walk():
        wanted = codes.get(item.unit.code, "") if item.unit else ""
        if item.unit and item.unit.code == "/min":
            wanted = "8867-4" if item.link_id.endswith(".fc") else "9279-1"
        if item.link_id in ("inc.spo2base", "inc.spo2cible", "ad.spo2.effort"):
            wanted = ""
        assert item.loinc == wanted, item.link_id


@pytest.mark.parametrize(
    ("link_id", "impossible", "abnormal"),
    [
        ("ad.temp", ["33,9", "42,6", "385"], ["34", "42,5", "38.5"]),
        ("ad.fr", ["5", "61"], ["6", "60"]),
        ("ad.spo2", ["59", "101", "999"], ["60", "100"]),
        ("ad.spo2.o2", ["-1", "15,5"], ["0", "15"]),
        ("ad.fc", ["29", "221"], ["30", "220"]),
    ],
)
def test_what_is_impossible_is_refused_and_what_is_abnormal_is_kept_for_the_rules(
    link_id: str, impossible: list[str], abnormal: list[str]
) -> None:
    """§0.1: the plausible range is the form's, the normal range is the rules'."""
    adult = form("telemonitoring", ADULTE)
    at_home: dict[str, list[Any]] = {"ctx.oxymetre": [True], "ctx.o2": [True], "ad.temp.mesuree": [True]}
    for typed, refused in [*((each, True) for each in impossible), *((each, False) for each in abnormal)]:
        checked = check(adult, at_home | {link_id: [typed]}, TODAY, draft=True)
        assert (link_id in checked.errors, link_id in checked.answers) == (refused, not refused), typed


def test_a_good_day_needs_no_optional_answer() -> None:
    """Nothing optional is needed, and what is not asked is not kept."""
    answers: dict[str, list[Any]] = {
        "ctx.oxymetre": [False],
        "ad.saisie": ["patient"],
        "ad.general": ["mieux"],
        "ad.temp.mesuree": [True],
        "ad.temp": ["37,2"],
        "ad.fievre.ress": [True],
        "ad.frissons": ["non"],
        "ad.malaise": ["non"],
        "ad.dyspnee": ["0"],
        "ad.toux": ["non"],
        "ad.thorax": ["non"],
        "ad.levres": [False],
        "ad.confusion": ["non"],
        "ad.fatigue": ["non"],
        "ad.boire": [False],
        "ad.digestif": ["non"],
        "ad.odorat": [False],
        "ad.gout": [False],
        "ad.cephalee": ["non"],
        "ad.mollet": [False],
        "ad.moral": ["stable"],
        "ad.besoin": ["non"],
        "ad.hospit": ["non"],
    }
    checked = check(form("telemonitoring", ADULTE), answers, TODAY)
    assert checked.errors == {}
    assert checked.answers == {key: value for key, value in answers.items() if key != "ad.fievre.ress"} | {
        "ad.temp": [37.2]
    }
