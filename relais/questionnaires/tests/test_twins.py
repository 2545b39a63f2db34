"""Server and browser ask the same questions, keep the same answers and say the same sentences."""

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.questionnaires import logic
from relais.questionnaires.form import Form, read
from relais.questionnaires.testing import in_node
from relais.questionnaires.tests.generated import TYPED, answers, questionnaires
from relais.questionnaires.tests.make import extension, option, question, resource, temperature

Peer = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with in_node(Path(__file__).parent / "peer.mjs") as ask:
        yield ask


Case = tuple[dict[str, Any], list[dict[str, Any]], datetime.date, bool]


@st.composite
def cases(draw: Any) -> Case:
    """A questionnaire with three sets of answers, a day, and whether it is a draft."""
    made = draw(questionnaires())
    today = draw(st.sampled_from([datetime.date(2026, 11, 21), datetime.date(2028, 2, 29), datetime.date(2026, 1, 1)]))
    return made, [draw(answers(made["item"])) for _ in range(3)], today, draw(st.integers(0, 3)) == 3


@given(case=cases())
@settings(max_examples=200)
def test_server_and_browser_agree(peer: Peer, case: Case) -> None:
    made, sets, today, draft = case
    form = read(made)
    for each in sets:
        compare(peer, form, json.loads(json.dumps(each)), today, draft=draft)


ONE_OF_EACH = {
    "boolean": question("q", "boolean", required=True),
    "integer": question("q", "integer", extension=[extension("maxValue", valueInteger=60)]),
    "decimal": temperature("q"),
    "date": question("q", "date", extension=[extension("urn:relais:days-max", valueInteger=30)]),
    "any date": question("q", "date"),
    "time": question("q", "time"),
    "string": question("q", "string", maxLength=6, extension=[extension("minLength", valueInteger=2)]),
    "text": question("q", "text", maxLength=5),
    "several": question("q", "choice", repeats=True, answerOption=[option("non", exclusive=True), option("oui")]),
    "open-choice": question("q", "open-choice", answerOption=[option("non"), option("oui")]),
    "attachment": question("q", "attachment"),
    "reference": question("q", "reference", repeats=True),
}


@pytest.mark.parametrize("raw", ONE_OF_EACH.values(), ids=ONE_OF_EACH)
def test_every_edge_is_read_alike(peer: Peer, raw: dict[str, Any]) -> None:
    """Each type against everything that people, other programs and enemies put into a field."""
    form = read(resource(raw))
    for value in TYPED:
        for given_values in ([value], [value, "oui"], ["non", value]):
            compare(peer, form, json.loads(json.dumps({"q": given_values})), datetime.date(2026, 11, 21), draft=False)


def compare(peer: Peer, form: Form, typed: dict[str, Any], today: datetime.date, *, draft: bool) -> None:
    here = logic.check(form, typed, today, draft=draft)
    message = {"form": form.as_json() | {"sentences": logic.sentences()}, "answers": typed}
    there = peer(message | {"today": today.isoformat(), "draft": draft})
    assert there["answers"] == here.answers
    assert there["errors"] == here.errors
    assert there["enabled"] == there["checked"] == sorted(here.enabled) == sorted(logic.enabled(form, typed))


@given(case=cases())
@settings(max_examples=100)
def test_what_was_kept_is_kept_again(case: Case) -> None:
    """Checking is idempotent, and answers without an error stay without one, but for rows in which nothing was asked."""
    made, (given_answers, *_others), today, draft = case
    form = read(made)
    once = logic.check(form, given_answers, today, draft=draft)
    twice = logic.check(form, once.answers, today, draft=draft)
    if not once.errors:
        assert set(twice.errors.values()) <= {logic.sentences()["rows"]}
    if not once.errors or not any(item.conditions for item in form.walk()):
        assert twice.answers == once.answers
