"""A whole form: which items are asked, and what is kept of the answers. Each line here has its twin in logic.js."""

import datetime
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from relais.questionnaires.form import Condition, Form, Item
from relais.questionnaires.logic import values
from relais.questionnaires.logic.sentences import say

Answers = dict[str, list[Any]]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Checked:
    """What may be kept (valid answers to questions that were asked), the sentence for each key that has an error, and
    the keys that were asked."""

    answers: Answers
    errors: dict[str, str]
    enabled: frozenset[str]


def enabled(form: Form, answers: Answers) -> set[str]:
    """The keys of the items that are asked, given these answers.

    A condition looks at well-formed values, plausible or not. A question that is not asked counts as not answered;
    what nobody answered satisfies no condition but *exists = false*. Nothing below an item that is not asked is asked.
    """
    walk = _Walk(None)
    walk.level(form.items, answers, {}, "")
    return walk.enabled


def check(form: Form, answers: Answers, today: datetime.date, *, draft: bool = False) -> Checked:
    """Read and judge answers, as typed or as kept; `today` is the day in Paris of whoever answers.

    Answers to questions that are not asked, to unknown linkIds, empty rows and values with an error are not kept.
    A draft may leave out what is required. Numbers come out as int (integer) or float (decimal).
    """
    walk = _Walk(today, draft=draft)
    kept = walk.level(form.items, answers, {}, "")
    return Checked(kept, walk.errors, frozenset(walk.enabled))


def placed(items: Iterable[Item], answers: Answers, prefix: str = "") -> Iterator[tuple[str, Item, list[Any]]]:
    """Each answered question of kept answers, with its key, in the order of the form; rows one after the other."""
    for item in items:
        found = answers.get(item.link_id, [])
        if item.is_rows:
            for number, row in enumerate(found):
                yield from placed(item.items, row, f"{prefix}{item.link_id}/{number}/")
        elif item.type == "group":
            yield from placed(item.items, answers, prefix)
        elif found:
            yield prefix + item.link_id, item, found


@dataclass
class _Walk:
    today: datetime.date | None  # None: nothing is judged
    draft: bool = False
    enabled: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)

    def level(self, items: tuple[Item, ...], raw: Any, scope: dict[str, list[Any]], prefix: str) -> Answers:
        """The answers kept of these items. `scope` gathers what later conditions may look at."""
        kept: Answers = {}
        for item in items:
            if not _is_asked(item, scope):
                continue
            key = prefix + item.link_id
            self.enabled.add(key)
            given = raw.get(item.link_id) if isinstance(raw, dict) else None
            found: list[Any] = []
            if item.is_rows:
                found = self._rows(item, given, scope, key)
            elif item.type == "group":
                kept.update(self.level(item.items, raw, scope, prefix))
            elif item.is_question:
                found = self._question(item, given, scope, key)
            if found:
                kept[item.link_id] = found
        return kept

    def _question(self, item: Item, given: Any, scope: dict[str, list[Any]], key: str) -> list[Any]:
        found, error = values.parse(item, given)
        scope[item.link_id] = found
        if self.today is None:
            return found
        error = error or values.judge(item, found, self.today, draft=self.draft)
        if error:
            self.errors[key] = error
            return []
        return found

    def _rows(self, item: Item, given: Any, scope: dict[str, list[Any]], key: str) -> list[Any]:
        rows = given if isinstance(given, list) else []
        kept = []
        for number, row in enumerate(rows[: values.MOST]):
            before = dict(self.errors)
            found = self.level(item.items, row, dict(scope), f"{key}/{number}/")
            if values.is_blank(row):
                self.errors = before  # an empty row is no row
            elif found:
                kept.append(found)
        if self.today is not None and len(rows) > values.MOST:
            self.errors[key] = say("many", count=str(values.MOST))
        elif self.today is not None and item.required and not self.draft and values.is_blank(rows):
            self.errors[key] = say("rows")
        return kept


def _is_asked(item: Item, scope: dict[str, list[Any]]) -> bool:
    if not item.conditions:
        return True
    return (any if item.any_of else all)(_holds(condition, scope) for condition in item.conditions)


def _holds(condition: Condition, scope: dict[str, list[Any]]) -> bool:
    given = scope.get(condition.question, [])
    if condition.operator == "exists":
        return bool(given) is condition.value
    if not given:
        return False
    if condition.operator == "!=":
        return all(value != condition.value for value in given)
    compare = COMPARE[condition.operator]
    return any(compare(value, condition.value) for value in given)
