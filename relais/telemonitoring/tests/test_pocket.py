"""A telephone without network judges its red answers as the server does, and closes what only the server opens."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.core import sealing
from relais.core.errors import Refused
from relais.questionnaires.columns import values
from relais.questionnaires.expressions import Kind, Name, frame, judge, read
from relais.questionnaires.testing import in_node
from relais.questionnaires.trees import tree
from relais.telemonitoring import pocket
from relais.telemonitoring.actions.offline import PURPOSE
from relais.telemonitoring.history import FACTS, rows
from relais.telemonitoring.tests.test_rules import CASES, SETS

Peer = Callable[[dict[str, Any]], Any]
AT = datetime(2026, 11, 2, 8, tzinfo=UTC)
RED = {population: pocket.red_rules(rules) for population, rules in SETS.items()}


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with in_node(Path(__file__).parent / "peer.mjs") as ask:
        yield ask


def on_server(population: str, sets: list[dict[str, Any]]) -> list[list[str]]:
    """Of each answer set, the red rules of the telephone that fire, by the server's engine."""
    rules = SETS[population]
    kept = {one["id"]: rules.compiled["answers"][one["id"]] for one in RED[population]["rules"]}
    given_rows = [
        {"episode": str(n), "at": AT, "date": AT.date(), **one["facts"], **values(rules.answers, one["answers"])}
        for n, one in enumerate(sets)
    ]
    history = rows(given_rows, rules.answers, {name for one in kept.values() for name in one.uses})
    found = {
        row["episode"]: row for row in history.select("episode").hstack(judge(history, kept)).iter_rows(named=True)
    }
    return [[rule for rule in kept if found[str(n)][rule]] for n in range(len(sets))]


NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 4, 9, 22, 24, 25, 34.9, 35, 38, 39.5, 40, 88, 90, 91, 92, 93, 94.5, 95, 120])


def _fact(name: str) -> st.SearchStrategy[Any]:
    kind = FACTS[name].kind
    if kind is Kind.FLAG:
        return st.booleans()
    return st.sampled_from(FACTS[name].codes) if kind is Kind.CODE else NUMBERS | st.integers(0, 100)


def _answer(population: str, name: str) -> st.SearchStrategy[list[Any]]:
    one = SETS[population].answers[name]
    if one.kind is Kind.FLAG:
        return st.lists(st.booleans(), min_size=1, max_size=1)
    if one.kind is Kind.NUMBER:
        return st.lists(NUMBERS | st.sampled_from(["0", "2", "3", "4"]), min_size=1, max_size=1)
    codes = st.sampled_from(one.codes) | st.just({"text": "autre"})
    return st.lists(codes, min_size=1, max_size=3 if one.kind is Kind.CODES else 1)


@st.composite
def sets(draw: Any, population: str) -> list[dict[str, Any]]:
    """Answer sets in which any answer and any fact may be missing."""
    used = sorted(RED[population]["names"])
    made = []
    for _ in range(8):
        some = draw(st.sets(st.sampled_from(used), max_size=6))
        facts = draw(st.sets(st.sampled_from(sorted(FACTS)), max_size=6))
        made.append(
            {
                "answers": {name: draw(_answer(population, name)) for name in sorted(some)},
                "facts": {name: draw(_fact(name)) for name in sorted(facts)},
            }
        )
    return made


@pytest.mark.req("EC-03", "EC-06")
@pytest.mark.parametrize("population", ["adult", "child", "contact"])
def test_telephone_and_server_fire_the_same_red_rules(peer: Peer, population: str) -> None:
    rules = RED[population]

    @given(made=sets(population))
    @settings(max_examples=15)
    def check(made: list[dict[str, Any]]) -> None:
        assert peer({"rules": rules, "sets": made}) == on_server(population, made)

    check()


def _given(name: str, value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("population", ["adult", "child", "contact"])
def test_each_red_rule_of_one_answer_set_fires_on_the_telephone_at_its_threshold(peer: Peer, population: str) -> None:
    """The cases of test_rules: what fires alone on the server fires without network, and what does not, does not."""
    rules = RED[population]
    ids = {one["id"] for one in rules["rules"]}
    for rule, yes, no in CASES:
        both = [(one, True) for one in yes] + [(one, False) for one in no] if rule in ids else []
        cases = [(one, fires) for one, fires in both if not isinstance(one, tuple)]  # a story is the server's
        for one, fires in cases:
            facts = {"risk": "standard", "age": 40, "day": 3}
            facts |= {name: value for name, value in one.items() if name in FACTS}
            answers = {name: _given(name, value) for name, value in one.items() if name not in FACTS}
            found = peer({"rules": rules, "sets": [{"answers": answers, "facts": facts}]})[0]
            assert (rule in found) is fires, (rule, one)


@pytest.mark.req("EC-03", "EC-06")
@pytest.mark.parametrize("population", ["adult", "child", "contact"])
def test_with_any_one_input_missing_telephone_and_server_say_the_same(peer: Peer, population: str) -> None:
    """Each case of each red rule, whole, and without each of its answers and facts in turn."""
    rules = RED[population]
    ids = {one["id"] for one in rules["rules"]}
    cases = [one for rule, yes, no in CASES if rule in ids for one in (*yes, *no) if not isinstance(one, tuple)]
    wholes = [{"risk": "standard", "age": 40, "day": 3, **one} for one in cases]
    given_some = [
        {name: value for name, value in whole.items() if name != gone} for whole in wholes for gone in (None, *whole)
    ]
    made = [
        {
            "answers": {name: _given(name, value) for name, value in one.items() if name not in FACTS},
            "facts": {name: value for name, value in one.items() if name in FACTS},
        }
        for one in given_some
    ]
    told = peer({"rules": rules, "sets": made})
    assert told == on_server(population, made)
    assert {rule for one in told for rule in one} == ids, "each fires somewhere"


@pytest.mark.req("EC-06")
def test_the_telephone_has_every_red_rule_but_those_of_earlier_answers_and_of_counts() -> None:
    left_out = {
        one.id
        for population, rules in SETS.items()
        for one in rules.rules
        if one.level in pocket.RED and one.id not in {each["id"] for each in RED[population]["rules"]}
    }
    assert left_out == {"AC02-rouge", "AC03-rouge", "AC04", "AC05", "CR10-jours", "CR14-risque", "CR16"}


def test_every_word_of_the_language_has_its_tree(peer: Peer) -> None:
    answers = {"n": [2], "c": ["x"], "m": ["x", "y"], "f": [True]}
    names = {
        "n": Name(Kind.NUMBER), "c": Name(Kind.CODE), "m": Name(Kind.CODES),
        "f": Name(Kind.FLAG), "nothing": Name(Kind.NUMBER), "silent": Name(Kind.FLAG),
    }  # fmt: skip
    true = [
        "n = 2", "n != 3", "n > 1 and n >= 2", "n < 3 or n <= 1", "not n = 3", "-n = -2", "n + 1 = 3", "n - 1 = 1",
        "n * 2 = 4", "n between 1 and 2", "n not between 3 and 4", "c in ('x', 'z')", "c not in ('z')", "n in (1, 2)",
        "nothing is null", "n is not null", "f is true", "f is not false", "silent is not true", "(f)", "f = true",
        "coalesce(nothing, n) = 2", "has(m, 'z', 'y')", "not has(m, 'z')", "f or silent", "not (silent and n = 3)",
    ]  # fmt: skip
    false = ["nothing = 2", "nothing != 2", "not nothing = 2", "f and silent", "silent", "not silent", "nothing in (1)"]
    kinds = {name: one.kind.name.lower() for name, one in names.items()}
    rules = [{"id": text, "level": "rouge", "when": tree(text, names)} for text in true + false]
    server = judge(frame([values(names, answers)], names), {text: read(text, names) for text in true + false})
    assert [text for text, fires in server.row(0, named=True).items() if fires] == true
    assert peer({"rules": {"names": kinds, "rules": rules}, "sets": [{"answers": answers, "facts": {}}]}) == [true]
    with pytest.raises(Refused, match="n’existe pas"):
        tree("unknown = 1", names)


def test_what_a_telephone_closes_the_server_opens(peer: Peer) -> None:
    content = {"answers": {"ad.temp": [38.5], "ad.autre": ["éà"]}, "ended_at": "2026-11-21T08:00:00Z"}
    asked = {
        "purpose": PURPOSE,
        "server": sealing.public(),
        "grant": str(uuid4()),
        "request": str(uuid4()),
        "content": content,
    }
    envelope = peer({"seal": asked})
    assert sealing.unseal(sealing.Envelope.read(envelope, purpose=PURPOSE, whose="grant")) == content
    assert peer({"seal": asked})["box"] != envelope["box"], "no two are closed with one key"
