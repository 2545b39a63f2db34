"""NEWS2 and qSOFA against the published tables, at every threshold, and the safety rule FG-R1."""

from pathlib import Path

import pytest

from relais.liaison.scores import score, tables
from relais.questionnaires.testing import in_node

# Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, chart 1: first and last value of each band.
CHART = {
    "fg.fr": [(4, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, 60, 3)],
    "fg.spo2": [(50, 91, 3), (92, 93, 2), (94, 95, 1), (96, 100, 0)],
    "fg.pas": [(40, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, 300, 3)],
    "fg.fc": [(20, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, 250, 3)],
    "fg.temp": [(30.0, 35.0, 3), (35.1, 36.0, 1), (36.1, 38.0, 0), (38.1, 39.0, 1), (39.1, 43.0, 2)],
}
SCALE_2_AIR = [(50, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 100, 0)]
SCALE_2_OXYGEN = [(50, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 94, 1), (95, 96, 2), (97, 100, 3)]


@pytest.mark.req("FG-04")
@pytest.mark.parametrize("sign", CHART)
def test_each_band_of_news2_begins_and_ends_where_the_chart_says(sign):
    for low, high, points in CHART[sign]:
        assert [score({sign: [value]}).news2 for value in (low, high)] == [points, points], (sign, low, high)


@pytest.mark.req("FG-04")
def test_with_bpco_the_second_scale_of_spo2_is_taken_on_air_and_under_oxygen():
    for low, high, points in SCALE_2_AIR:
        for value in (low, high):
            assert score({"fg.spo2": [value], "fg.comorb": ["bpco"]}).news2 == points, value
    for low, high, points in SCALE_2_OXYGEN:
        for value in (low, high):
            given = {"fg.spo2": [value], "fg.comorb": ["hta", "bpco"], "fg.o2debit": [2.0]}
            assert score(given).news2 == points + 2, value


def test_oxygen_costs_two_points_and_no_flow_none():
    assert (score({"fg.o2debit": [0]}).news2, score({"fg.o2debit": [0.5]}).news2) == (0, 2)


@pytest.mark.parametrize(("awake", "points"), [("A", 0), ("C", 3), ("V", 3), ("P", 3), ("U", 3)])
def test_consciousness(awake, points):
    assert score({"fg.conscience": [awake]}).news2 == points


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({"fg.fr": [16]}, "low"),
        ({"fg.fr": [8]}, "single"),
        ({"fg.fr": [8], "fg.fc": [111]}, "medium"),
        ({"fg.fr": [8], "fg.fc": [131], "fg.temp": [36.0]}, "high"),
    ],
)
def test_levels_of_news2(answers, level):
    """0 to 4 low, one sign at 3 alone, 5 and 6 medium, 7 and more high."""
    assert score(answers).level == level


def test_missing_signs_are_said():
    assert score({"fg.fr": [16], "fg.spo2": [97]}).missing == (
        "pression systolique", "fréquence cardiaque", "température", "conscience",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "points"),
    [
        ({"fg.fr": [21]}, 0), ({"fg.fr": [22]}, 1), ({"fg.pas": [101]}, 0), ({"fg.pas": [100]}, 1),
        ({"fg.conscience": ["A"]}, 0), ({"fg.conscience": ["C"]}, 1),
        ({"fg.fr": [22], "fg.pas": [100], "fg.conscience": ["V"]}, 3),
    ],
)  # fmt: skip
def test_qsofa(answers, points):
    """Sepsis-3: 22 a minute or more, 100 mmHg or less, altered consciousness."""
    assert score(answers).qsofa == points


@pytest.mark.req("FG-08")
@pytest.mark.parametrize(
    ("answers", "red"),
    [
        ({"fg.urgence": ["vitale"]}, True), ({"fg.urgence": ["urgente"]}, False),
        ({"fg.spo2": [84]}, True), ({"fg.spo2": [85]}, False), ({"fg.pas": [89]}, True), ({"fg.pas": [90]}, False),
        ({"fg.fr": [30]}, True), ({"fg.fr": [29]}, False), ({"fg.conscience": ["P"]}, True),
        ({"fg.conscience": ["U"]}, True), ({"fg.conscience": ["V"]}, False),
        ({"fg.fr": [25], "fg.fc": [131]}, False), ({"fg.fr": [25], "fg.fc": [131], "fg.temp": [36.0]}, True),
    ],
)  # fmt: skip
def test_the_rule_that_says_to_call_15(answers, red):
    """FG-R1: vital, NEWS2 of 7 or more, P or U, SpO2 under 85, systolic under 90, rate of 30 or more."""
    found = score(answers)
    assert (bool(found.red), found.red_by_signs) == (red, red and "fg.urgence" not in answers)


def test_the_browser_computes_the_same():
    """static/liaison/scores.js with the tables of scores.py, at and around every threshold."""
    cases = [
        {sign: [value], "fg.comorb": comorb, "fg.o2debit": [flow], "fg.conscience": [awake], "fg.urgence": [urgency]}
        for sign, bands in CHART.items()
        for low, high, _points in bands
        for value in (low, high)
        for comorb, flow, awake, urgency in (
            ([], 0, "A", "rapide"),
            (["bpco"], 2, "P", "vitale"),
            (["bpco"], 0, "C", "rapide"),
        )
    ]
    with in_node(Path(__file__).parent / "scores.mjs") as ask:
        said = ask({"tables": tables(), "cases": [{}, *cases]})
    for case, theirs in zip([{}, *cases], said, strict=True):
        ours = score(case)
        expected = {
            "news2": ours.news2, "qsofa": ours.qsofa, "missing": list(ours.missing), "red": list(ours.red),
            "redBySigns": ours.red_by_signs,
        }  # fmt: skip
        assert theirs == expected, case
