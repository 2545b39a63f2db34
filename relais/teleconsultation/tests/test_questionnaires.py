"""The forms of teleconsultation: the doctor's COVID form (domain.md §2.2) and the patient's preparation (TC-25)."""

from pathlib import Path

import pytest

from relais.questionnaires.testing import asks, form, lines, raw_items, source, table

NAMES = sorted(path.stem for path in (Path(__file__).parent.parent / "questionnaires").glob("*.json"))

SYMPTOMS = (
    "fievre toux dyspnee anosmie agueusie diarrhee confusion chute asthenie myalgies cephalees douleur-thoracique autre"
)
SEVERITY = "fr-sup-22 spo2-inf-90-aa pas-inf-90 conscience deshydratation aeg-sujet-age aucun!"
FACTORS = (
    "rf.age65 rf.cardio rf.diabete rf.respi rf.renal rf.cancer rf.immuno rf.greffe rf.hemopathie rf.foie rf.drepano"
    " rf.obesite rf.grossesse3 rf.trisomie rf.demence rf.precarite rf.enfant"
)
COVID = f"""
tk.identite     | boolean | | | R!
tk.consent      | choice | oui representant | | R
tk.accompagnant | choice | seul famille ide soignant-ehpad interprete | | R
tk.contage      | choice | oui non nsp | | R
tk.j0           | date | | days ..0
tk.symptomes    | choice | {SYMPTOMS} | | R*
tk.voix         | boolean | | | R
tk.fr           | integer | /min | 6..60
tk.spo2         | integer | % | 60..100
tk.fc           | integer | /min | 30..220
tk.temp         | decimal | Cel | 34..42.5 0.1
tk.visuel       | choice | bon! fatigue cyanose tirage sueurs confusion | | R*
tk.levers       | choice | non-fait negatif positif
tk.facteurs     | choice | {FACTORS} | | *
tk.gravite      | choice | {SEVERITY} | | R*
tk.diag         | choice | covid-confirme covid-suspect autre-viral autre | | R
tk.cat          | choice | domicile-simple domicile-ecovid test visite-presentielle urgences samu15 | | R*
tk.arret        | boolean
tk.suivi        | date | | days 0..
tk.incident     | open-choice | aucun son image coupure autre | | R
"""
ILL = "fievre toux souffle douleur fatigue digestif peau moral autre"
PREPARATION = f"""
tp.saisie      | choice | patient parent proche-aidant professionnel | | R
tp.motif       | text | | <=1000 | R
tp.symptomes   | choice | {ILL} aucun! | | R*
tp.depuis      | choice | jour jours semaines mois nsp | | R | tp.symptomes != aucun
tp.temp        | decimal | Cel | 34..42.5 0.1
tp.souffle     | choice | non effort repos | | R
tp.traitements | text | | <=1000
tp.allergies   | text | | <=500
tp.question    | text | | <=500
tp.photo       | attachment | | jpeg png webp heic 5000000
"""
TABLES = {"tlc-covid": COVID, "tlc-preparation": PREPARATION}


def test_every_form_has_its_table() -> None:
    assert sorted(TABLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_form_asks_what_its_table_says(name: str) -> None:
    """The same questions in the same order: types, codes, units, plausible ranges, required, repeats, conditions."""
    assert lines(form("teleconsultation", name)) == table(TABLES[name])


def test_vital_signs_carry_their_loinc_code() -> None:
    codes = {item.link_id: item.loinc for name in NAMES for item in form("teleconsultation", name).walk() if item.loinc}
    assert codes == {
        "tk.fr": "9279-1",
        "tk.spo2": "59408-5",
        "tk.fc": "8867-4",
        "tk.temp": "8310-5",
        "tp.temp": "8310-5",
    }


# Preparation


@pytest.mark.parametrize("symptom", ILL.split())
def test_since_when_is_asked_of_each_symptom(symptom: str) -> None:
    preparation = form("teleconsultation", "tlc-preparation")
    assert asks(preparation, "tp.depuis", tp__symptomes=symptom)
    assert not asks(preparation, "tp.depuis", tp__symptomes="aucun")


def test_out_of_breath_at_rest_the_patient_reads_to_call_15_at_once() -> None:
    preparation = form("teleconsultation", "tlc-preparation")
    assert asks(preparation, "tp.souffle.urgence", tp__souffle="repos")
    assert not asks(preparation, "tp.souffle.urgence", tp__souffle="effort")
    assert "appelez le 15" in preparation.by_id["tp.souffle.urgence"].text


def test_the_preparation_is_short_and_says_first_that_nobody_watches_it() -> None:
    preparation = form("teleconsultation", "tlc-preparation")
    assert len([item for item in preparation.walk() if item.is_question]) <= 12
    assert "Personne ne les surveille" in preparation.items[0].text


def test_the_preparation_speaks_to_the_patient_or_of_their_relative() -> None:
    for item in raw_items(source("teleconsultation", "tlc-preparation")):
        spoken = [each["valueString"] for each in item.get("extension", ()) if each["url"] == "urn:relais:proxy-text"]
        assert all("votre proche" in text.lower() for text in spoken), item["linkId"]
        assert "!" not in str(item).replace("'!='", ""), item["linkId"]
