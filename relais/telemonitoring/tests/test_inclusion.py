"""From the inclusion form to a follow-up: day 0, severity factors, risk, rhythm (EC-01, EC-08)."""

from datetime import UTC, date, datetime

import pytest

from relais.dossiers.facts import Facts
from relais.telemonitoring.inclusion import factors, known_of, proposed_rhythm, read, risk_of

TODAY = date(2026, 11, 21)
ADULT, OLD, VERY_OLD, INFANT = date(1986, 5, 2), date(1961, 11, 21), date(1946, 11, 21), date(2026, 10, 1)


@pytest.mark.parametrize(
    ("answers", "onset"),
    [
        ({"inc.statut": ["confirme"], "inc.j0": ["2026-11-17"], "inc.test.date": ["2026-11-19"]}, date(2026, 11, 17)),
        ({"inc.statut": ["contact"], "inc.exposition": ["2026-11-15"], "inc.test.date": ["2026-11-19"]}, date(2026, 11, 15)),
        ({"inc.statut": ["confirme"], "inc.test.date": ["2026-11-19"]}, date(2026, 11, 19)),
        ({"inc.statut": ["sortie"], "inc.sortie.date": ["2026-11-20"]}, date(2026, 11, 20)),
        ({"inc.statut": ["possible"]}, TODAY),
    ],
)  # fmt: skip
@pytest.mark.req("EC-01")
def test_day_zero_is_the_first_symptom_else_the_contact_the_sample_the_discharge(answers, onset):
    found = read({**answers, "inc.rythme": ["standard"]}, born=ADULT, today=TODAY)
    assert (found.status, found.onset) == (answers["inc.statut"][0], onset)


@pytest.mark.req("EC-08")
@pytest.mark.parametrize(
    ("answers", "born", "found", "risk"),
    [
        ({}, ADULT, (), "standard"),
        ({"rf.precarite": [True]}, ADULT, ("rf.precarite",), "standard"),
        ({"rf.diabete": [True]}, ADULT, ("rf.diabete",), "eleve"),
        ({"rf.diabete": [False]}, ADULT, (), "standard"),
        ({"rf.diabete": [True], "rf.respi": [True]}, ADULT, ("rf.diabete", "rf.respi"), "eleve"),
        ({"rf.diabete": [True], "rf.respi": [True], "rf.foie": [True]}, ADULT, ("rf.diabete", "rf.respi", "rf.foie"), "tres-eleve"),
        ({"rf.greffe": [True]}, ADULT, ("rf.greffe",), "tres-eleve"),
        ({}, OLD, ("rf.age65",), "eleve"),
        ({}, date(1961, 11, 22), (), "standard"),
        ({}, VERY_OLD, ("rf.age65",), "tres-eleve"),
        ({}, None, (), "standard"),
        ({"inc.poids": [87], "inc.taille": [170]}, ADULT, ("rf.obesite",), "eleve"),
        ({"inc.poids": [86], "inc.taille": [170]}, ADULT, (), "standard"),
        ({"inc.poids": [120]}, ADULT, (), "standard"),
        ({"inc.grossesse": ["t3"]}, ADULT, ("rf.grossesse3",), "eleve"),
        ({"inc.grossesse": ["t1t2"]}, ADULT, (), "standard"),
    ],
)  # fmt: skip
def test_severity_factors_and_risk(answers, born, found, risk):
    assert factors(answers, born=born, today=TODAY) == found
    assert risk_of(found, born=born, today=TODAY) == risk


@pytest.mark.parametrize(
    ("answers", "born", "rhythm"),
    [
        ({"inc.statut": ["confirme"]}, ADULT, "standard"),
        ({"inc.statut": ["confirme"], "rf.cancer": [True]}, ADULT, "renforce"),
        ({"inc.statut": ["confirme"], "rf.precarite": [True]}, ADULT, "standard"),
        ({"inc.statut": ["confirme"]}, OLD, "renforce"),
        ({"inc.statut": ["confirme"]}, INFANT, "renforce"),
        ({"inc.statut": ["sortie"]}, ADULT, "renforce"),
        ({"inc.statut": ["contact"], "inc.symptomes": [False]}, OLD, "contact"),
        ({"inc.statut": ["contact"], "inc.symptomes": [True]}, ADULT, "standard"),
    ],
)
def test_the_rhythm_that_is_proposed(answers, born, rhythm):
    assert proposed_rhythm(answers, born=born, today=TODAY) == rhythm


def test_what_rules_and_forms_need_of_the_inclusion():
    answers = {
        "inc.statut": ["sortie"], "inc.rythme": ["renforce"], "inc.spo2base": [91], "inc.spo2cible": [88],
        "inc.sortie.o2": [True], "inc.oxymetre": [True], "inc.thermometre": [False], "rf.renal": [True],
    }  # fmt: skip
    found = read(answers, born=ADULT, today=TODAY)
    assert found.facts == {"baseline": 91, "target": 88, "renal": True, "oxygen": True}
    assert found.equipment == ("oxymetre",)
    assert found.rhythm == "renforce"


@pytest.mark.req("TE-09")
def test_what_another_dossier_gives_the_inclusion():
    """Status, symptoms, day 0 when the form takes it, severity factors; never what it does not say."""
    today, now = date(2026, 11, 21), datetime(2026, 11, 21, 12, tzinfo=UTC)
    told = Facts("", now, covid="suspect", symptoms=("toux",), onset=date(2026, 11, 18), factors=("rf.diabete",))
    assert known_of(told, today=today) == {
        "inc.statut": ["possible"], "inc.symptomes": [True], "inc.j0": ["2026-11-18"], "rf.diabete": [True],
    }  # fmt: skip
    assert known_of(Facts("", now, onset=date(2026, 9, 1)), today=today) == {}
