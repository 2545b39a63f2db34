"""The forms of tele-expertise, whole (domain.md §2.1), and the words of its outcomes."""

from pathlib import Path

import pytest

from relais.expertise.models import Recourse, Refusal
from relais.expertise.queries.figures import OUTCOMES
from relais.questionnaires.testing import form, lines, table

NAMES = sorted(path.stem for path in (Path(__file__).parent.parent / "questionnaires").glob("*.json"))

MOTIVES = "avis-diagnostique avis-therapeutique conduite-a-tenir interpretation-examen demande-admission suivi autre"
SYMPTOMS = (
    "fievre toux dyspnee anosmie agueusie diarrhee confusion chute asthenie myalgies cephalees douleur-thoracique autre"
)
FACTORS = (
    "rf.age65 rf.cardio rf.diabete rf.respi rf.renal rf.cancer rf.immuno rf.greffe rf.hemopathie rf.foie "
    "rf.drepano rf.obesite rf.grossesse3 rf.trisomie rf.demence rf.precarite rf.enfant"
)
ATTENDU = "maintien-avec-conseils had hospitalisation-medecine rea-usc palliatif teleconsultation"
ORIENTATIONS = (
    "maintien consultation teleconsultation hospitalisation-programmee hospitalisation-urgente samu had palliatif"
)

BOTH = f"""
tg.urgence | choice | immediate urgente semi-urgente programmee |  | R
tg.specialite | string |  |  | Rh
tg.motif | choice | {MOTIVES} |  | R
tg.question | text |  | <=2000 | R
tg.lieu | choice | domicile ehpad esms service-hospitalier urgences cabinet autre |  | R
tg.histoire | text |  |  | R
tg.antecedents | text
tg.traitements | text
tg.allergies | text |  | <=1000 | R
tg.autonomie | choice | autonome aide-partielle dependant gir12
tg.pa.sys | integer | mm[Hg] | 40..300
tg.pa.dia | integer | mm[Hg] | 20..200
tg.fc | integer | /min | 20..250
tg.fr | integer | /min | 4..80
tg.spo2 | integer | % | 50..100
tg.o2 | decimal | L/min | 0..60 0.1
tg.temp | decimal | Cel | 30..43 0.1
tg.glasgow | integer |  | 3..15
tg.eva | integer |  | 0..10
tg.poids | decimal | kg | 0.3..350 0.1
tg.examen | text
tg.pieces | attachment |  | application/pdf jpeg png application/dicom application/zip 52428800 | *h
"""
LAST = """
tg.consentement | choice | oui impossible-urgence representant |  | R
tg.rappel | string |  | <=25 | R
"""
COVID = f"""
tc.statut | choice | confirme probable possible contact negatif gueri |  | R
tc.j | integer | d | 0..60
tc.test | choice | positif negatif attente non-fait |  | R
tc.test.date | date |  | days ..0 | R | tc.test = positif,negatif,attente
tc.scanner | choice | non-fait normal evocateur-minime modere etendu severe critique autre-diagnostic
tc.symptomes | choice | {SYMPTOMS} |  | R*
tc.gravite | choice | fr-sup-22 spo2-inf-90-aa pas-inf-90 conscience deshydratation aeg-sujet-age aucun! |  | R*
tc.spo2aa | integer | % | 50..100 | R
tc.facteurs | choice | {FACTORS} |  | *
tc.oxygene | choice | mural concentrateur obus non |  | R
tc.ttt | choice | o2 hbpm corticoides antibiotiques hydratation midazolam morphine aucun! |  | *
tc.nts | choice | maximal limite-pas-rea confort non-discute |  | R
tc.da | choice | oui-jointes oui-non-jointes non nsp |  | R
tc.isolement | choice | chambre secteur-covid impossible na |  | R
tc.attendu | choice | {ATTENDU} |  | R*
"""
ANSWER = f"""
tr.conclusion | text |  |  | R
tr.cat | text |  |  | R
tr.orientation | choice | {ORIENTATIONS}
tr.prescription | boolean
tr.suivi | date |  | days 0..730
tr.visio | boolean
tr.visio.duree | integer | min | 1..240 |  | tr.visio = true
tr.incident | string
"""
TABLES = {
    "tle-general": BOTH + LAST.lstrip("\n"),
    "tle-covid": BOTH + COVID.lstrip("\n") + LAST.lstrip("\n"),
    "tle-reponse": ANSWER,
}


def test_every_form_has_its_table():
    assert sorted(TABLES) == NAMES


@pytest.mark.req("TE-01", "TE-04")
@pytest.mark.parametrize("name", NAMES)
def test_a_form_asks_what_its_table_says(name):
    """The same questions in the same order: types, codes, units, ranges, required, repeats, conditions."""
    assert lines(form("expertise", name)) == table(TABLES[name])


def test_a_question_has_ten_characters_at_least():
    assert form("expertise", "tle-general").by_id["tg.question"].min_length == 10


@pytest.mark.req("TE-04")
def test_vital_signs_carry_their_loinc_code():
    """domain.md §8.1."""
    general = {
        "tg.pa.sys": "8480-6", "tg.pa.dia": "8462-4", "tg.fc": "8867-4", "tg.fr": "9279-1", "tg.spo2": "59408-5",
        "tg.o2": "3151-8", "tg.temp": "8310-5", "tg.glasgow": "9269-2", "tg.eva": "72514-3", "tg.poids": "29463-7",
    }  # fmt: skip
    for name, wanted in (("tle-general", general), ("tle-covid", general | {"tc.spo2aa": "59408-5"})):
        assert {item.link_id: item.loinc for item in form("expertise", name).walk() if item.loinc} == wanted


@pytest.mark.req("TE-03", "TE-05")
def test_refusals_and_outcomes_are_those_of_the_specification():
    assert Refusal.values == ["hors-competence", "doublon", "incomplet", "indisponible"]
    assert Recourse.values == ["evite", "realise", "sans-objet"]
    said = [option.code for option in form("expertise", "tle-reponse").by_id["tr.orientation"].options]
    assert list(OUTCOMES) == [*said, "admission", ""], "each orientation is counted"
