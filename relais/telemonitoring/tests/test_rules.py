"""Each rule of the first set at, just under and just over its threshold, and with each of its inputs missing (EC-06)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.questionnaires.columns import names_of
from relais.questionnaires.form import read as read_form
from relais.telemonitoring import judging
from relais.telemonitoring.judging import Rule, RuleSet
from relais.telemonitoring.programme import FORMS

HERE = Path(judging.__file__).parent
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
SOURCE = json.loads((HERE / "rules" / "ecovid-1.0.0.json").read_text())
LOADED = judging.load(SOURCE)
SETS = {
    population: RuleSet(
        LOADED[population],
        names_of(*(read_form(json.loads((HERE / "questionnaires" / f"{name}.json").read_text())) for name in names)),
    )
    for population, names in FORMS.items()
}
POPULATION = {rule["id"]: rule["population"] for rule in SOURCE["rules"]}


def fired(rule: str, *answers: dict, hours: int = 12) -> bool:
    """Whether the rule fires on the last of these answer sets, given `hours` apart."""
    given = []
    for number, one in enumerate(answers):
        at = START + timedelta(hours=number * hours)
        given.append({"episode": "1", "at": at, "date": at.date(), "risk": "standard", "age": 40, "day": 3, **one})
    return rule in SETS[POPULATION[rule]].decide(given)[-1].fired


def d(level: int, **more: object) -> dict:
    return {"ad.dyspnee": level, **more}


def s(value: float, **more: object) -> dict:
    return {"ad.spo2": value, **more}


def a(**answers: object) -> dict:
    """Answers of an adult by the end of their linkId; two underscores stand for a point."""
    return {f"ad.{key.replace('__', '.')}": value for key, value in answers.items()}


def e(band: str = "C", **answers: object) -> dict:
    """Answers of a child of that band."""
    facts = {key: answers.pop(key) for key in ("age_months", "risk_child") if key in answers}
    return {"band": band, **facts, **{f"en.{key.replace('__', '.')}": value for key, value in answers.items()}}


def c(**answers: object) -> dict:
    return {"day": answers.pop("day", 3), **{f"ct.{key}": value for key, value in answers.items()}}


# Rule, then what makes it fire, then what does not. A tuple is a story of several answer sets, the last one judged.
CASES = [
    ("AR01", [d(3), d(4)], [d(2), {}]),
    ("AR02", [a(dyspnee__evol="critique")], [a(dyspnee__evol="pire"), {}]),
    ("AR03", [s(92), s(91), s(92, baseline=95)], [s(93), s(92, baseline=94), {}]),
    ("AR04", [s(88, baseline=92), s(89, baseline=92, target=90), s(93, target=94), s(93, baseline=96, target=94)], [s(89, baseline=92), s(88, baseline=95), s(88), s(94, target=94), {}]),
    ("AR05", [a(fr=25), a(fr=30), a(fr=21, fr__recompte=25)], [a(fr=24), a(fr=30, fr__recompte=24), {}]),
    ("AR06", [a(fc=120), a(fc=39)], [a(fc=119), a(fc=40), {}]),
    ("AR07", [a(temp=40.0), a(temp=34.9)], [a(temp=39.9), a(temp=35.0), {}]),
    (
        "AR08",
        [{**a(fievre__resist=True), "age": 65}, {**a(fievre__resist=True), "risk": "tres-eleve"}],
        [{**a(fievre__resist=True), "age": 64, "risk": "eleve"}, {**a(fievre__resist=False), "age": 80}, {"age": 80}],
    ),
    ("AR09", [a(confusion="oui")], [a(confusion="nsp"), a(confusion="non"), {}]),
    ("AR10", [a(malaise="syncope")], [a(malaise="malaise"), {}]),
    ("AR11", [a(levres=True)], [a(levres=False), {}]),
    ("AR12", [a(thorax="repos")], [a(thorax="respiration"), {}]),
    ("AR13", [a(boire=True)], [a(boire=False), {}]),
    ("AR14", [d(2, **a(toux="sang"))], [d(1, **a(toux="sang")), d(2, **a(toux="grasse")), a(toux="sang"), {}]),
    ("AR15", [a(general="critique")], [a(general="pire"), {}]),
    ("AR16", [a(idees="oui")], [a(idees="nsp"), {}]),
    (
        "AO01",
        [d(2), d(1, day=6), d(1, day=12), (d(0), d(1, day=8)), (d(0), d(1, day=5), d(1, day=6)), d(1, day=6, **a(dyspnee__habit=False))],
        [d(1), d(1, day=5), d(1, day=13), (d(1), d(1, day=8)), (d(0), d(1), d(1), d(1, day=8)), d(1, day=8, **a(dyspnee__habit=True)), d(3), {}],
    ),
    ("AO02", [a(dyspnee__evol="pire")], [a(dyspnee__evol="stable"), {}]),
    (
        "AO03",
        [s(93), s(94), s(94, baseline=95), s(90, baseline=92), s(89, baseline=92), s(98, **a(spo2__effort=95)), a(spo2__effort=92)],
        [s(92), s(95), s(88, baseline=92), s(91, baseline=92), s(98, **a(spo2__effort=96)), a(spo2__effort=93), {}],
    ),
    ("AO03-rouge", [a(spo2__effort=90)], [a(spo2__effort=91), {}]),
    ("AO04", [a(fr=21), a(fr=24), a(fr=9), a(fr=30, fr__recompte=22)], [a(fr=20), a(fr=25), a(fr=10), a(fr=22, fr__recompte=18), {}]),
    ("AO05", [a(fc=101), a(fc=119), a(fc=40), a(fc=49)], [a(fc=100), a(fc=120), a(fc=39), a(fc=50), {}]),
    ("AO06", [a(temp=39.0), a(temp=35.4)], [a(temp=38.9), a(temp=35.5), {}]),
    ("AO08", [a(frissons="intenses")], [a(frissons="oui"), {}]),
    ("AO09", [a(malaise="malaise")], [a(malaise="syncope"), {}]),
    ("AO10", [a(fatigue="alite")], [a(fatigue="oui"), {}]),
    (
        "AO11",
        [{**a(digestif=["dia3"]), "age": 65}, {**a(digestif=["nausees", "vom"]), "diabetes": True}, {**a(digestif=["vom"]), "renal": True}],
        [{**a(digestif=["dia3"]), "age": 64}, {**a(digestif=["dia", "nausees"]), "age": 80}, {"age": 80}],
    ),
    ("AO12", [a(thorax="respiration"), a(mollet=True)], [a(thorax="toux"), a(mollet=False), {}]),
    (
        "AO13",
        [a(cephalee="intense"), a(toux="grasse", temp=38.0), a(toux="grasse", fievre__ress=True)],
        [a(cephalee="oui"), a(toux="grasse", temp=37.9), a(toux="grasse"), a(temp=39.0), {}],
    ),
    ("AO14", [a(general="pire"), a(urine=True), a(glyc="oui")], [a(general="stable"), a(urine=False), a(glyc="nsp"), {}]),
    ("AO15", [a(hospit="urgences"), a(hospit="hospitalise")], [a(hospit="non"), {}]),
    ("AO16", [a(moral="critique")], [a(moral="pire"), {}]),
    ("AO17", [a(besoin=["courses", "medicaments"]), a(besoin=["hebergement"])], [a(besoin=["courses"]), {}]),
    ("AO18", [d(1, **a(toux="sang")), a(toux="sang")], [d(2, **a(toux="sang")), a(toux="grasse"), {}]),
    (
        "AC01",
        [{**a(fr=23), "risk": "eleve"}, {**a(fr=23), "risk": "tres-eleve"}, {**s(94), **a(fr=23)}],
        [{**a(fr=22), "risk": "eleve"}, a(fr=23), {**s(95), **a(fr=23)}, s(90), {}],
    ),
    ("AC02", [(s(97), s(98), s(99), s(95)), (s(98), {}, s(95))], [(s(97), s(98), s(99), s(96)), s(90), (s(98), {}), {}]),
    ("AC02-rouge", [(s(98), s(94)), (s(98), s(95, day=6))], [(s(98), s(95)), (s(98), s(95, day=5)), (s(98), s(96, day=6)), {}]),
    ("AC03", [(d(0), d(1), d(2))], [(d(0), d(1), d(1)), (d(1), d(2)), (d(0), d(0), d(1)), {}]),
    ("AC03-rouge", [(d(0), d(2)), (d(1), d(3))], [(d(1), d(2)), (d(0), {}, d(2)), d(4), {}]),
    (
        "AC07",
        [{**a(spo2__o2=2), "o2_prescribed": 1}, (a(spo2__o2=1), a(spo2__o2=1.5), {}, a(spo2__o2=2))],
        [{**a(spo2__o2=1.5), "o2_prescribed": 1}, a(spo2__o2=9), (a(spo2__o2=2), a(spo2__o2=2.5)), ({}, a(spo2__o2=2)), {}],
    ),
    ("CR01", [e("A", temp=38.0), e("A", temp=35.9)], [e("A", temp=37.9), e("A", temp=36.0), e("B", temp=38.0), e("A")]),
    (
        "CR02",
        [e(resp=["difficile"]), e(resp=["pauses"]), e(resp=["bruit", "rapide"])],
        [e(resp=["bruit"]), e(resp=["rapide"]), e(resp=["normale"]), e()],
    ),
    (
        "CR03",
        [e(couleur="bleu"), e(couleur="marbre"), e(peau="purpura"), e("B", tonus="endormi"), e("A", tonus="convulsion"), e(vigilance="somnolent"), e("D", vigilance="convulsion")],
        [e(couleur="pale"), e(peau="oui"), e("B", tonus="grognon"), e(vigilance="fatigue"), e()],
    ),
    ("CR04", [e(spo2=92), e(spo2=94)], [e(spo2=91), e(spo2=95), e()]),
    ("CR04-rouge", [e(spo2=91)], [e(spo2=92), e()]),
    ("CR05", [e("B", alim="moitie")], [e("A", alim="moitie"), e("B", alim="moins"), e("B")]),
    ("CR05-rouge", [e("A", alim="moitie"), e("A", alim="refus"), e("B", alim="refus")], [e("B", alim="moitie"), e("A", alim="moins"), e("A")]),
    ("CR06", [e(couches="moins")], [e(couches="normal"), e()]),
    ("CR06-rouge", [e(couches="aucune"), e(boire="refus")], [e(couches="moins"), e(boire="moins"), e()]),
    ("CR07", [e(vomi="repetes"), e(diarrhee="abondante")], [e(vomi="quelques"), e(diarrhee="oui"), e()]),
    (
        "CR07-rouge",
        [e(vomi="bile"), e("A", vomi="repetes"), e("A", diarrhee="abondante")],
        [e("B", vomi="repetes"), e("B", diarrhee="abondante"), e("A", vomi="quelques"), e("A")],
    ),
    ("CR08", [e("B", tonus="inconsolable")], [e("A", tonus="inconsolable"), e("B", tonus="grognon"), e("B")]),
    (
        "CR08-rouge",
        [e("A", tonus="inconsolable"), e("B", pleurs=False), e("A", fontanelle=True)],
        [e("B", tonus="inconsolable"), e("B", pleurs=True), e("A", fontanelle=False), e("A")],
    ),
    ("CR09", [e(parole="jeu"), e(ventre="intense"), e("D", poitrine="douleur")], [e(parole="effort"), e(ventre="oui"), e()]),
    ("CR09-rouge", [e(parole="parole"), e(tete="intense"), e("D", poitrine="malaise")], [e(parole="jeu"), e(tete="oui"), e()]),
    ("CR10", [e(temp__duree=3), (e(temp=38.0),) * 5], [e(temp__duree=2), (e(temp=38.0),) * 4, e()]),
    ("CR10-jours", [(e(temp=38.0),) * 9], [(e(temp=38.0),) * 8, (e(temp=38.0),) * 8 + (e(temp=37.9),), e()]),
    ("CR10-rouge", [e(temp__duree=5), e(pims=True)], [e(temp__duree=4), e(pims=False), e()]),
    ("CR11", [e("B", temp=39.5), e("D", temp=39.5)], [e("C", temp=39.4), e("A", temp=39.5), e()]),
    ("CR11-rouge", [e("C", temp=40.5)], [e("C", temp=40.4), e()]),
    (
        "CR12",
        [e("A", fr=55), e("B", fr=45, age_months=6), e("C", fr=35, age_months=30), e("C", fr=26, age_months=60), e("D", fr=22)],
        [e("A", fr=54), e("B", fr=44, age_months=6), e("C", fr=34, age_months=59), e("C", fr=25, age_months=60), e("D", fr=21), e()],
    ),
    (
        "CR12-rouge",
        [e("A", fr=60), e("B", fr=50, age_months=11), e("B", fr=45, age_months=12), e("C", fr=40, age_months=59), e("C", fr=30, age_months=60), e("D", fr=25)],
        [e("A", fr=59), e("B", fr=49, age_months=11), e("B", fr=44, age_months=12), e("C", fr=39, age_months=59), e("C", fr=29, age_months=60), e("D", fr=24), e()],
    ),
    ("CR13", [e(inquiet="tres")], [e(inquiet="unpeu"), e()]),
    ("CR14", [e(general="pire")], [e(general="stable"), e()]),
    ("CR14-rouge", [e(general="critique")], [e(general="pire"), e()]),
    ("CR15", [e("D", idees="oui")], [e("D", idees="nsp"), e("D")]),
    ("CR17", [e(hospit="urgences")], [e(hospit="non"), e()]),
    ("CT01", [c(sympt=True), c(temp=38.0)], [c(sympt=False, temp=37.9), c()]),
    ("CT02", [c(dyspnee=3)], [c(dyspnee=2), c()]),
    ("CT03", [c(test="positif")], [c(test="attente"), c()]),
    ("CT04", [(c(isolement="non"), c(isolement="non"))], [(c(isolement="partiel"), c(isolement="non")), c(isolement="non"), c()]),
    ("CT05", [c(test="negatif", day=7), c(test="negatif", sympt=False, day=8)], [c(test="negatif", day=6), c(test="negatif", sympt=True, day=7), c()]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "yes", "no"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.req("EC-06")
def test_a_rule_at_under_and_over_its_threshold(rule, yes, no):
    def story(one):
        return one if isinstance(one, tuple) else (one,)

    assert [one for one in yes if not fired(rule, *story(one))] == []
    assert [one for one in no if fired(rule, *story(one))] == []


STORIES = {"AO07", "AC04", "AC05", "AC06", "AC08", "AC09", "CR14-risque", "CR16"}


def test_every_rule_has_its_test():
    assert {case[0] for case in CASES} | STORIES == set(POPULATION)


# Rules about time and about what other rules counted


HOT, COOL = a(temp=38.0), a(temp=37.9)


@pytest.mark.parametrize(
    ("answers", "hours", "fires"),
    [
        ([{**HOT, "day": 6}], 24, True),
        ([{**HOT, "day": 5}], 24, False),
        ([{**COOL, "day": 9}], 24, False),
        ([HOT, HOT, HOT, HOT], 24, True),
        ([HOT, HOT, HOT], 24, False),
        ([HOT, COOL, HOT, HOT], 24, False),
        ([HOT, HOT, {}, HOT, HOT], 24, False),
        ([HOT, COOL, HOT], 24, True),
        ([HOT, COOL, HOT], 23, False),
        ([HOT, HOT], 48, False),
        ([COOL, COOL, HOT], 48, False),
    ],
)
def test_fever_that_lasts_or_comes_back(answers, hours, fires):
    """AO07: present at J6, four days in a row, or back after 48 hours without; days without an answer are no calm."""
    assert fired("AO07", *answers, hours=hours) is fires


def test_diarrhoea_of_two_days():
    """AO11 without a fragility: the second day."""
    one = a(digestif=["dia3"])
    assert not fired("AO11", one, one, hours=12)
    assert fired("AO11", one, one, hours=24)
    assert not fired("AO11", one, {}, one, hours=24)


ORANGES = [a(fc=110), a(temp=39.0), a(fatigue="alite")]


def decided(*answers: dict, population: str = "adult") -> judging.Decision:
    given = []
    for number, one in enumerate(answers):
        at = START + timedelta(hours=12 * number)
        given.append({"episode": "1", "at": at, "date": at.date(), "risk": "standard", "age": 40, "day": 3, **one})
    return SETS[population].decide(given)[-1]


@pytest.mark.parametrize(
    ("count", "facts", "level", "rule"),
    [
        (1, {}, "orange", None),
        (2, {}, "orange", None),
        (3, {}, "rouge", "AC04"),
        (2, {"age": 70}, "rouge", "AC05"),
        (2, {"age": 69}, "orange", None),
        (2, {"risk": "tres-eleve"}, "rouge", "AC05"),
        (1, {"age": 90}, "orange", None),
    ],
)
def test_oranges_together_make_a_red(count, facts, level, rule):
    found = decided({**facts, **{key: value for one in ORANGES[:count] for key, value in one.items()}})
    assert (found.level, [one for one in ("AC04", "AC05") if one in found.fired]) == (level, [rule] if rule else [])


def test_three_answers_with_signs_and_no_doctor_escalate():
    """AC06; a call by a doctor silences it, a red counts as a sign, and a green answer begins again."""
    one = a(fc=110)
    assert "escalate" in decided(one, one, one).effects
    assert "escalate" in decided(one, a(fc=130), one).effects
    assert "escalate" not in decided(one, one).effects
    assert "escalate" not in decided(one, {}, one, one).effects
    assert "escalate" not in decided(one, one, {**one, "contacted": True}).effects


@pytest.mark.parametrize(("day", "urgent"), [(5, False), (6, True), (12, True), (13, False)])
def test_a_sign_in_the_second_week_is_called_sooner(day, urgent):
    """AC08; at any time for a patient at risk (domain.md §1.8)."""
    assert "priority" in decided({**a(fc=110), "day": day, "risk": "eleve"}).effects
    assert ("priority" in decided({**a(fc=110), "day": day}).effects) is urgent
    assert "priority" not in decided({"day": day}).effects


def test_two_green_answers_close_an_alert_that_somebody_has_taken():
    """AC09."""
    taken = {**a(fc=80), "acknowledged": True}
    assert "close" in decided(a(fc=110), taken, taken).effects
    assert "close" not in decided(a(fc=110), a(fc=80), a(fc=80)).effects
    assert "close" not in decided(a(fc=110), taken).effects
    assert "close" not in decided(a(fc=80, hospit="urgences"), taken).effects  # somebody had to look at that one
    assert (
        "close" not in decided(c(temp=38.4), taken).effects
    )  # a contact's form, of which an adult's rules say nothing


def test_a_child_at_risk_or_below_three_months_goes_to_red():
    """CR14-risque, CR16."""
    two = e("C", vomi="repetes", inquiet="tres")
    assert decided({**two, "risk_child": True}, population="child").level == "rouge"
    assert decided({**two, "risk_child": False}, population="child").level == "orange"
    assert decided({**e("C", inquiet="tres"), "risk_child": True}, population="child").level == "orange"
    assert decided(e("A", inquiet="tres"), population="child").level == "rouge"
    assert decided(e("A"), population="child").level == "vert"


def test_thoughts_of_death_call_a_doctor_and_the_body_goes_first():
    assert decided(a(idees="oui")).level == "rouge-psy"
    assert decided(a(idees="oui", levres=True)).level == "rouge"
    assert decided(a(moral="critique")).level == "orange-psy"
    assert decided(a(moral="critique", fc=110)).level == "orange"
    three = {key: value for one in ORANGES for key, value in one.items()}
    assert decided({**a(idees="oui"), **three}).level == "rouge"  # AC04, of the second pass


def test_two_follow_ups_in_one_frame_know_nothing_of_each_other():
    """And the order in which rows come changes nothing."""
    rows = []
    for episode, level in (("1", 0), ("2", 2), ("1", 0), ("2", 2)):
        at = START + timedelta(hours=len(rows))
        rows.append({"episode": episode, "at": at, "date": at.date(), "day": 3, **d(level)})
    together = SETS["adult"].judged(rows)
    assert together.equals(SETS["adult"].judged(rows[::-1]))
    assert "AC03-rouge" not in [
        key for row in together.iter_rows(named=True) for key, value in row.items() if value is True
    ]


def test_moments_of_any_zone_are_one_time():
    rows = [
        {"episode": "1", "at": START.astimezone(PARIS), "date": START.date(), "day": 3, **d(0)},
        {"episode": "1", "at": START + timedelta(hours=1), "date": START.date(), "day": 3, **d(2)},
    ]
    assert "AC03-rouge" in SETS["adult"].decide(rows)[-1].fired


def test_an_empty_frame_is_judged_without_an_error():
    assert SETS["adult"].decide([]) == []


# Rules that name several answers: those without which they cannot judge. Any other may be missing and they fire still.
NEEDED = {
    "AR04": {"ad.spo2"}, "AR14": {"ad.toux", "ad.dyspnee"}, "AO01": {"ad.dyspnee"}, "AO03": set(), "AO12": set(),
    "AO13": set(), "AO14": set(), "AO18": {"ad.toux"}, "AR03": {"ad.spo2"}, "AC07": {"ad.spo2.o2"},
    "AC01": set(), "CR03": set(), "CR05-rouge": {"en.alim"}, "CR06-rouge": set(), "CR07": set(), "CR07-rouge": set(),
    "CR08-rouge": set(), "CR09": set(), "CR09-rouge": set(), "CR10": set(), "CR10-rouge": set(), "CT01": set(), "CT05": {"ct.test"},
}  # fmt: skip
OF_THE_PATIENT = {"baseline", "target", "o2_prescribed"}


@pytest.mark.parametrize(("rule", "yes"), [case[:2] for case in CASES], ids=[case[0] for case in CASES])
def test_a_missing_answer_silences_a_rule_only_where_it_cannot_judge_without(rule, yes):
    """The cases give a rule what it needs and nothing more: each name is missing from one of them, or is needed."""
    answers = SETS[POPULATION[rule]].answers
    uses = SETS[POPULATION[rule]].compiled["answers"][rule].uses
    named = {name for name in uses if name in answers or name in OF_THE_PATIENT}
    given = [set(one[-1] if isinstance(one, tuple) else one) for one in yes]
    assert named & set.intersection(*given) == NEEDED.get(rule, named)


def test_a_rule_that_cannot_be_computed_is_refused_with_its_id():
    wrong = Rule("X1", "adult", "answers", "ad.spo2 <=", "rouge", "", "")
    with pytest.raises(Refused, match="X1 : La règle ne se lit pas"):
        _ = RuleSet((wrong,), SETS["adult"].answers).compiled
    with pytest.raises(Refused, match="X2"):
        judging.load({"rules": [{**SOURCE["rules"][0], "id": "X2", "level": "violet"}]})
    with pytest.raises(Refused, match="X2"):  # judged by nobody
        judging.load({"rules": [{**SOURCE["rules"][0], "id": "X2", "population": "adults"}]})
    with pytest.raises(Refused, match="AR01"):
        judging.load({"rules": [SOURCE["rules"][0]] * 2})
