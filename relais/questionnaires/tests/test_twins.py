"""Server and browser ask the same questions, keep the same answers and say the same sentences."""

import datetime
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.questionnaires import logic
from relais.questionnaires.form import read
from relais.questionnaires.tests.generated import answers, questionnaires

Peer = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    """The browser's logic in one Node process."""
    command = ["node", str(Path(__file__).parent / "peer.mjs")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert process.stdin
    assert process.stdout
    into, out = process.stdin, process.stdout

    def ask(message: dict[str, Any]) -> dict[str, Any]:
        into.write(json.dumps(message) + "\n")
        into.flush()
        return json.loads(out.readline())

    with process:
        yield ask
        into.close()


@st.composite
def cases(draw: Any) -> tuple[dict[str, Any], dict[str, Any], datetime.date, bool]:
    resource = draw(questionnaires())
    today = draw(st.sampled_from([datetime.date(2026, 11, 21), datetime.date(2028, 2, 29), datetime.date(2026, 1, 1)]))
    return resource, draw(answers(resource["item"])), today, draw(st.booleans())


@given(case=cases())
@settings(max_examples=400)
def test_server_and_browser_agree(peer: Peer, case: tuple[dict[str, Any], dict[str, Any], datetime.date, bool]) -> None:
    resource, given_answers, today, draft = case
    form = read(resource)
    typed = json.loads(json.dumps(given_answers))
    here = logic.check(form, typed, today, draft=draft)
    message = {"form": form.as_json() | {"sentences": logic.sentences()}, "answers": typed}
    there = peer(message | {"today": today.isoformat(), "draft": draft})
    assert there["answers"] == here.answers
    assert there["errors"] == here.errors
    assert there["enabled"] == there["checked"] == sorted(here.enabled) == sorted(logic.enabled(form, typed))


@given(case=cases())
@settings(max_examples=100)
def test_what_was_kept_is_kept_again(case: tuple[dict[str, Any], dict[str, Any], datetime.date, bool]) -> None:
    """Checking is idempotent, and answers without an error stay without one."""
    resource, given_answers, today, draft = case
    form = read(resource)
    once = logic.check(form, given_answers, today, draft=draft)
    twice = logic.check(form, once.answers, today, draft=draft)
    if not once.errors:
        assert twice.errors == {}
    if not once.errors or not any(item.conditions for item in form.walk()):
        assert twice.answers == once.answers
