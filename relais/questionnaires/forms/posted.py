"""Answers out of a posted page. The name of an input is `q-<key>` (see logic); collect.js reads the page in the same way."""

import re
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict

from relais.questionnaires.form import Item
from relais.questionnaires.logic import Answers
from relais.questionnaires.logic.values import MOST

PREFIX = "q-"


def read_posted(items: Iterable[Item], post: QueryDict, prefix: str = "") -> Answers:
    """What was typed, as typed: nothing is judged here. Read-only questions are not listened to."""
    found: Answers = {}
    for item in items:
        key = prefix + item.link_id
        if item.is_rows:
            rows = [read_posted(item.items, post, f"{key}/{number}/") for number in range(_count_rows(key, post))]
            values: list[Any] = rows
        elif item.type == "group":
            found |= read_posted(item.items, post, prefix)
            continue
        elif item.is_question and not item.read_only:
            values = _values(item, key, post)
        else:
            continue
        if values:
            found[item.link_id] = values
    return found


def _values(item: Item, key: str, post: QueryDict) -> list[Any]:
    given: list[Any] = [value for value in post.getlist(PREFIX + key) if value.strip()]
    if item.type == "string" and item.repeats:
        given = [line for value in given for line in value.splitlines() if line.strip()]
    if item.type == "open-choice":
        given += [{"text": text} for text in post.getlist(f"{PREFIX}{key}~other") if text.strip()]
    return given


def _count_rows(key: str, post: QueryDict) -> int:
    """How many rows the page had: one too many is read, so that its refusal can be said."""
    pattern = re.compile(re.escape(f"{PREFIX}{key}/") + r"([0-9]{1,3})/")
    numbers = [int(found[1]) for name in post if (found := pattern.match(name))]
    return min(max(numbers, default=-1) + 1, MOST + 1)
