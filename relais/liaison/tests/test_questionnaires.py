"""The forms of liaison, whole: the request of domain.md §3.2, the DLU and both sides of the transfer sheet of §3.5."""

from pathlib import Path

import pytest

from relais.liaison.models import CareLevel, Closing, Code
from relais.questionnaires.testing import form, lines, source, table

NAMES = sorted(path.stem for path in (Path(__file__).parent.parent / "questionnaires").glob("*.json"))

MOTIVES = (
    "dyspnee fievre confusion chute asthenie refus-alimentation diarrhee douleur deshydratation malaise "
    "decompensation palliatif autre"
)
SIGNES = "toux anosmie frissons encombrement marbrures somnolence agitation douleur vomissements oedemes autre"
QUESTION = "avis-therapeutique hospitaliser maintien-domicile-ehpad palliatif oxygenotherapie had test-isolement autre"
COMORB = (
    "ic coronaropathie fa hta avc bpco irc diabete cancer demence parkinson epilepsie denutrition escarre "
    "depression autre"
)
RISKS = "anticoagulant antiagregant insuline neuroleptique benzodiazepine morphine corticoide immunosuppresseur aucun!"
MOYENS = "perfusion-sc perfusion-iv morphine midazolam antibiotiques hbpm aerosol kit-palliatif"
DISPOSITIFS = "aucun! pacemaker defibrillateur chambre stomie sonde-urinaire gastrostomie tracheotomie oxygene vni"
PIECES = "ordonnance da identite vitale complementaire bio ecg imagerie courriers dispositif protection"

DEMANDE = f"""
fg.fr | integer | /min | 4..60 | R
fg.spo2 | integer | % | 50..100 | R
fg.o2debit | decimal | L/min | 0..15 0.1
fg.pas | integer | mm[Hg] | 40..300 | R
fg.pad | integer | mm[Hg] | 20..180 | R
fg.fc | integer | /min | 20..250 | R
fg.temp | decimal | Cel | 30..43 0.1 | R
fg.conscience | choice | A C V P U |  | R
fg.signelutte | choice | non! tirage cyanose sueurs balancement |  | R*
fg.glyc | decimal | g/L | 0.1..7
fg.douleur | integer |  | 0..10
fg.urgence | choice | vitale urgente rapide differee |  | R
fg.motif | choice | {MOTIVES} |  | R
fg.debut | date |  | days ..0 | R
fg.debut.heure | time
fg.signes | choice | {SIGNES} |  | *
fg.question | choice | {QUESTION} |  | R*
fg.question.txt | text |  | <=3000 | R
fg.visio | boolean |  |  | R
fg.demandeur | choice | ide cadre medco mt as direction |  | R
fg.tel | string |  | <=30 | R
fg.chambre | string |  | <=60
fg.gir | choice | 1 2 3 4 5 6 nc |  | R
fg.avq | choice | marche-seul marche-aide fauteuil alite |  | R
fg.cognitif | choice | normal leger modere severe nc |  | R
fg.mmse | integer |  | 0..30
fg.cfs | integer |  | 1..9
fg.nutrition | string |  | <=120
fg.comorb | choice | {COMORB} |  | R*
fg.ttt | text |  | <=3000 | R
fg.ttt.risque | choice | {RISKS} |  | R*
fg.allergies | text |  | <=500 | R
fg.da | choice | oui-jointes oui-non-jointes non nsp |  | R
fg.souhait | choice | hospitalisation maintien-ehpad confort nsp |  | R
fg.nts | choice | maximal pas-de-rea pas-hospit-sauf-confort palliatif non-defini |  | R
fg.pconf | string |  | <=200
fg.pconf.prevenue | choice | oui non injoignable |  | R
fg.protection | choice | aucune tutelle curatelle habilitation en-cours
fg.consent | choice | oui impossible refus |  | R
fg.covid.statut | choice | confirme suspect contact negatif gueri non-teste |  | R
fg.covid.j | integer | d | 0..60 |  | fg.covid.statut = confirme,suspect
fg.covid.test | string |  | <=120
fg.covid.cluster | string |  | <=120
fg.vaccin | choice | non 1 2 3plus nsp
fg.hydratation | choice | normal diminue refus perfusion-en-cours |  | R
fg.oxygene | choice | mural concentrateur-5 concentrateur-10 obus non |  | R
fg.oxygene.nb | integer |  | 0..50
fg.moyens | choice | {MOYENS} |  | *
fg.ide.nuit | choice | presence astreinte aucune |  | R
fg.effectif | choice | normal tension critique |  | R
fg.bio | text |  | <=2000
fg.imagerie | text |  | <=2000
fg.pieces | attachment |  | application/pdf jpeg png webp heic 52428800 | *
"""
DLU = f"""
dlu.tel | string |  | <=30 | R
dlu.chambre | string |  | <=60
dlu.mt | string |  | <=200 | R
dlu.medco | string |  | <=200
dlu.assurance | string |  | <=200
dlu.pconf | string |  | <=200
dlu.proches | string |  | <=200 | *
dlu.prevenir | choice | toujours jour nsp
dlu.protection | choice | aucune tutelle curatelle habilitation en-cours |  | R
dlu.protection.qui | string |  | <=200 |  | dlu.protection = tutelle,curatelle,habilitation
dlu.da | choice | oui-jointes oui-non-jointes non nsp |  | R
dlu.da.txt | text |  | <=2000 |  | dlu.da = oui-jointes,oui-non-jointes
dlu.palliatif | boolean |  |  | R
dlu.nts | choice | maximal pas-de-rea pas-hospit-sauf-confort palliatif non-defini |  | R
dlu.problemes | text |  | <=2000 | R
dlu.antecedents | text |  | <=2000
dlu.allergies | text |  | <=500 | R
dlu.ttt | text |  | <=3000 | R
dlu.ttt.risque | choice | {RISKS} |  | R*
dlu.bio | text |  | <=2000
dlu.ecg | text |  | <=500
dlu.imagerie | text |  | <=2000
dlu.vaccins | choice | grippe covid pneumocoque dtp zona aucun! nsp! |  | *
dlu.vaccins.dates | string |  | <=200
dlu.gir | choice | 1 2 3 4 5 6 nc |  | R
dlu.mobilite | choice | marche-seul marche-aide fauteuil alite |  | R
dlu.continence | choice | continent urinaire double
dlu.nutrition | choice | normale hachee mixee eau-gelifiee aide enterale fausses-routes |  | *
dlu.nutrition.txt | string |  | <=200
dlu.communication | choice | facile! surdite vue parole comprehension langue |  | *
dlu.comportement | choice | calme! deambulation agitation agressivite opposition fugue apathie |  | *
dlu.cognitif | choice | normal leger modere severe nc |  | R
dlu.habitudes | string |  | <=500
dlu.dispositifs | choice | {DISPOSITIFS} |  | R*
dlu.dispositifs.txt | string |  | <=200
dlu.protheses | choice | aucun! dentaire-haut dentaire-bas auditif lunettes orthopedique |  | *
dlu.peau | choice | intacte! escarre ulcere plaie fragile |  | R*
dlu.peau.txt | text |  | <=500 |  | dlu.peau = escarre,ulcere,plaie
dlu.isolement | choice | aucune! contact gouttelettes air |  | R*
dlu.bmr | choice | non portage infection nsp |  | R
dlu.bmr.txt | string |  | <=200 |  | dlu.bmr = portage,infection
dlu.fr | integer | /min | 4..60
dlu.spo2 | integer | % | 50..100
dlu.o2debit | decimal | L/min | 0..15 0.1
dlu.pas | integer | mm[Hg] | 40..300
dlu.pad | integer | mm[Hg] | 20..180
dlu.fc | integer | /min | 20..250
dlu.temp | decimal | Cel | 30..43 0.1
dlu.glyc | decimal | g/L | 0.1..7
dlu.poids | decimal | kg | 20..250 0.1
dlu.pieces | choice | {PIECES} |  | *
dlu.fichiers | attachment |  | application/pdf jpeg png webp heic 52428800 | *
"""
TRANSFERT = f"""
ft.jour | date |  | days ..1 | R
ft.heure | time |  |  | R
ft.destination | string |  | <=200 | R
ft.transport | choice | ambulance smur pompiers autre
ft.appelant | string |  | <=200 | R
ft.tel | string |  | <=30 | R
ft.motif | choice | {MOTIVES} |  | R
ft.histoire | text |  | <=3000 | R
ft.soins | text |  | <=1000
ft.fr | integer | /min | 4..60
ft.spo2 | integer | % | 50..100
ft.o2debit | decimal | L/min | 0..15 0.1
ft.pas | integer | mm[Hg] | 40..300
ft.pad | integer | mm[Hg] | 20..180
ft.fc | integer | /min | 20..250
ft.temp | decimal | Cel | 30..43 0.1
ft.glyc | decimal | g/L | 0.1..7
ft.conscience | choice | A C V P U
ft.douleur | integer | {{score}} | 0..10
ft.repas | string |  | <=200
ft.medicaments | text |  | <=1000
ft.prevenus | choice | pconf famille protection mt medco personne! |  | R*
ft.prevenus.txt | string |  | <=200
ft.documents | choice | dlu ordonnance da identite vitale complementaire resultats courriers |  | *
ft.protheses | choice | aucun! dentaire-haut dentaire-bas auditif lunettes |  | *
ft.effets | text |  | <=500
"""
RETOUR = """
rt.jour | date |  | days ..0 | R
rt.heure | time |  |  | R
rt.service | string |  | <=200 | R
rt.diagnostic | text |  | <=2000 | R
rt.actes | text |  | <=3000
rt.ttt | choice | inchange modifie |  | R
rt.ttt.txt | text |  | <=2000 |  | rt.ttt = modifie
rt.suivi | text |  | <=2000
rt.prevenus | choice | pconf famille protection mt medco personne! |  | R*
rt.appel | string |  | <=200
"""
TABLES = {
    "filgeria-demande": DEMANDE, "filgeria-dlu": DLU, "filgeria-transfert": TRANSFERT, "filgeria-retour": RETOUR,
}  # fmt: skip


def test_every_form_has_its_table():
    assert sorted(TABLES) == NAMES


@pytest.mark.req("FG-04", "FG-05")
@pytest.mark.parametrize("name", NAMES)
def test_a_form_asks_what_its_table_says(name):
    """The same questions in the same order, vital signs first: types, codes, units, ranges, required, repeats, conditions.

    Of domain.md §3.2 all but `fg.resident`, chosen before; the beginning is a day and an hour, which may not be known.
    """
    assert lines(form("liaison", name)) == table(TABLES[name])


def words(name, link_id):
    return {option.code: option.label for option in form("liaison", name).by_id[link_id].options}


@pytest.mark.req("FG-04")
def test_the_words_that_decide_are_those_of_the_scheme():
    assert words("filgeria-demande", "fg.urgence") == {
        "vitale": "Urgence vitale : appeler le 15", "urgente": "Avis en moins d’une heure",
        "rapide": "Avis en moins de 4 heures", "differee": "Avis en moins de 24 heures",
    }  # fmt: skip
    assert words("filgeria-demande", "fg.conscience") == {
        "A": "Alerte", "C": "Confus, et c’est nouveau", "V": "Réagit à la voix", "P": "Réagit à la douleur",
        "U": "Aucune réponse",
    }  # fmt: skip


@pytest.mark.req("FG-04")
def test_vital_signs_carry_their_loinc_code():
    """domain.md §8.1."""
    ends = {
        "fr": "9279-1", "spo2": "59408-5", "o2debit": "3151-8", "pas": "8480-6", "pad": "8462-4", "fc": "8867-4",
        "temp": "8310-5", "glyc": "41653-7",
    }  # fmt: skip
    for name, prefix, more in (
        ("filgeria-demande", "fg", {"douleur": "72514-3"}), ("filgeria-dlu", "dlu", {"poids": "29463-7"}),
        ("filgeria-transfert", "ft", {"douleur": "72514-3"}),
    ):  # fmt: skip
        found = {item.link_id: item.loinc for item in form("liaison", name).walk() if item.loinc}
        assert found == {f"{prefix}.{end}": code for end, code in (ends | more).items()}, name
    assert source("liaison", "filgeria-demande")["version"] != "1.0.0", "changed, and said so"


@pytest.mark.req("FG-08", "FG-09")
def test_the_vocabularies_of_decisions_and_closings_are_those_of_the_scheme():
    """dec.* and fin.* of domain.md §3.3; `autre-ehpad` is ours, for a resident who entered another home."""
    assert Code.values == [
        "maintien-surveillance", "maintien-traitement", "maintien-o2", "emge-passage", "had", "teleconsultation",
        "consultation-specialisee", "test-isolement", "admission-directe-geriatrie", "admission-medecine",
        "ssr-geriatrique", "urgences-via-samu", "rea-usc", "soins-palliatifs-ehpad", "usp-admission",
        "refus-hospitalisation", "deces", "sans-suite",
    ]  # fmt: skip
    assert Closing.values == [
        "ameliore", "stabilise", "hospitalise", "had", "palliatif-en-cours", "deces-ehpad", "deces-hopital", "sans-suite",
        "doublon", "autre-ehpad",
    ]  # fmt: skip
    levels = {option.code for option in form("liaison", "filgeria-demande").by_id["fg.nts"].options}
    assert set(CareLevel.values) == levels - {"non-defini"}
