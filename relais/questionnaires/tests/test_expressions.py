"""The language of alert rules: what it computes, what it refuses and where, and what a missing value does."""

import pytest

from relais.core.errors import Refused
from relais.questionnaires.expressions import LONGEST, Kind, Name, frame, judge, read

NAMES = {
    "temp": Name(Kind.NUMBER),
    "ad.spo2.effort": Name(Kind.NUMBER),
    "prev.ad.spo2.effort": Name(Kind.NUMBER),
    "toux": Name(Kind.CODE, ("non", "sang")),
    "dig": Name(Kind.CODES, ("non", "dia3", "vom")),
    "flag": Name(Kind.FLAG),
}
FULL = {"temp": 39.5, "ad.spo2.effort": 90, "prev.ad.spo2.effort": 94, "toux": "sang", "dig": ["dia3"], "flag": True}
OTHER = {"temp": 37, "ad.spo2.effort": 97, "prev.ad.spo2.effort": 94, "toux": "non", "dig": ["non"], "flag": False}


def said(text: str) -> list[bool]:
    """The answer for FULL, for OTHER and for somebody who answered nothing."""
    return judge(frame([FULL, OTHER, {}], NAMES), {"it": read(text, NAMES)})["it"].to_list()


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("temp >= 39.5", [True, False, False]),
        ("temp > 39.5", [False, False, False]),
        ("temp < 38 or toux = 'sang'", [True, True, False]),
        ("temp between 37 and 38", [False, True, False]),
        ("toux in ('sang')", [True, False, False]),
        ("temp in (37, 39.5)", [True, True, False]),
        ("toux <> 'sang'", [False, True, False]),
        ("has(dig, 'dia3', 'vom')", [True, False, False]),
        ("flag", [True, False, False]),
        ("flag is not true", [False, True, True]),
        ("flag is false", [False, True, False]),
        ("temp is null", [False, False, True]),
        ("temp is not null", [True, True, False]),
        ("coalesce(temp, 40) >= 40", [False, False, True]),
        ("prev.ad.spo2.effort - ad.spo2.effort >= 4", [True, False, False]),
        ("(ad.spo2.effort + 5) * 2 = -(-190)", [True, False, False]),
        ("temp >= 39 AND flag", [True, False, False]),
    ],
)
def test_a_condition_is_computed_and_a_missing_value_is_no_alarm_by_itself(text, answers):
    assert said(text) == answers


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("not (temp > 38)", [False, True, False]),
        ("temp > 38 or flag", [True, False, False]),
        ("temp > 38 and flag", [True, False, False]),
    ],
)
def test_null_follows_sql_and_never_becomes_a_yes(text, answers):
    assert said(text) == answers


def test_a_missing_value_does_not_silence_the_other_half_of_an_or():
    rows = frame([{"temp": 39.5}, {"flag": True}], NAMES)
    assert judge(rows, {"it": read("temp > 38 or flag", NAMES)})["it"].to_list() == [True, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("temp >= 38,0", "au caractère 11"),
        ("temp >>= 3", "« >= »"),
        ("temp >=", "ne se lit pas"),
        ("(temp = 1", "ne se lit pas"),
        ("'abc", "guillemets"),
        ("", "une seule"),
        ("flag; drop table patients_patient", "une seule"),
        ("flag and tmp > 3", "« tmp », au caractère 10, n’existe pas"),
        ("temp > 'x'", "ne se comparent pas"),
        ("toux = 'sangg'", "(non, sang)"),
        ("toux in ('sangg')", "(non, sang)"),
        ("has(dig, 'x')", "(non, dia3, vom)"),
        ("toux > 'non'", "seuls les nombres"),
        ("temp", "oui ou non"),
        ("temp and flag", "n’est pas une condition"),
        ("toux + 1 > 2", "n’est pas un nombre"),
        ("temp in (select 1)", "après IN"),
        ("temp in ('x')", "mêle"),
        ("(select 1) > 2", "n’existe pas"),
        ("temp / 0 > 1", "n’existe pas"),
        ("cast(temp as text) = 'x'", "n’existe pas"),
        ("pg_sleep(10)", "« pg_sleep »"),
        ("has(toux, 'non')", "plusieurs réponses"),
        ("dig = 'dia3'", "ne se comparent pas"),
        ("flag is 3", "après IS"),
        ("coalesce(temp, 'x') = 'x'", "sortes différentes"),
        ("case when flag then true end", "n’existe pas"),
        ("(" * 400 + "flag" + ")" * 400, ""),
        ("flag or " * LONGEST + "flag", "trop longue"),
    ],
)
def test_what_the_language_lacks_is_refused_with_its_place(text, words):
    with pytest.raises(Refused) as refusal:
        read(text, NAMES)
    assert words in str(refusal.value)


def test_a_rule_says_which_names_it_uses():
    found = read("prev.ad.spo2.effort > 90 and (flag or temp is null)", NAMES)
    assert found.uses == {"prev.ad.spo2.effort", "flag", "temp"}
