"""Questions that are written once: Django takes ten times as long to write a large question as PostgreSQL to answer it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import count
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from relais.core.actor import Actor

P = ParamSpec("P")
Row = TypeVar("Row")

MOST = 100  # shapes of one question that are kept
CENTURY = timedelta(days=36525)
FIRST_ID, FIRST_MOMENT = (
    2**127,
    datetime(3000, 1, 1, tzinfo=UTC),
)  # of what stands in for values while a question is written
VALUES = (UUID, datetime, list)  # what may differ from one asking to the next; lists are of ids, see doors.any_of


@dataclass(frozen=True)
class Question:
    """A queryset with its SQL, and where the values go: position among the parameters, which value, and what is added to it."""

    rows: QuerySet[Any, Any]
    compiler: Any
    sql: str
    parameters: tuple[Any, ...]
    places: tuple[tuple[int, int, timedelta | None], ...]

    def filled(self, values: list[Any]) -> tuple[Any, ...]:
        parameters = list(self.parameters)
        for place, which, added in self.places:
            parameters[place] = values[which] if added is None else values[which] + added
        return tuple(parameters)

    def ask(self, values: list[Any]) -> list[Any]:
        compiler, rows, ready = copy.copy(self.compiler), self.rows.all(), (self.sql, self.filled(values))
        compiler.connection = connection
        compiler.as_sql = lambda *_given, **_named: ready
        rows.query.get_compiler = lambda *_given, **_named: compiler  # type: ignore[method-assign]
        return list(rows)


def written(build: Callable[P, QuerySet[Any, Row]]) -> Callable[P, list[Row]]:
    """`build` returns a queryset and asks nothing itself; the function made of it gives the rows, as a list.

    Its SQL is written by the ORM at the first asking, with stand-ins for ids, moments and lists of ids (also those of an Actor),
    and kept; whatever else is among the arguments (roles, flags, words) is part of the shape: each has its own SQL. `build` must
    do nothing with an id or a moment but compare with it, or add a duration of less than 40 years: tests write each question anew
    at every asking, and compare. Raises TypeError for a list that is compared other than by `any_of`. ADR 0023.
    """
    kept: dict[Any, Question | None] = {}

    @wraps(build)
    def ask(*given: P.args, **named: P.kwargs) -> list[Row]:
        shape, values = _apart((*given, *named.values()))
        shape = (*shape, *named)
        if shape not in kept:
            if len(kept) >= MOST:
                kept.clear()
            standing = _with((*given, *named.values()), _stand_ins(values))
            rows = build(*standing[: len(given)], **dict(zip(named, standing[len(given) :], strict=True)))
            kept[shape] = _write(rows, values)
        question = kept[shape]
        if settings.TESTING:
            _check(question, build(*given, **named), values)
        return question.ask(values) if question else []

    return ask


def _apart(given: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """What decides on the SQL, and the values that it is asked with."""
    parts = [part for one in given for part in (_parts(one).values() if isinstance(one, Actor) else [one])]
    values = [part for part in parts if isinstance(part, VALUES)]
    return tuple(type(part) if isinstance(part, VALUES) else part for part in parts), values


def _parts(actor: Actor) -> dict[str, Any]:
    return {one.name: getattr(actor, one.name) for one in fields(actor)}


def _with(given: tuple[Any, ...], values: list[Any]) -> list[Any]:
    """The same arguments, with other values."""
    left = iter(values)

    def changed(part: Any) -> Any:
        return next(left) if isinstance(part, VALUES) else part

    return [
        replace(one, **{name: changed(part) for name, part in _parts(one).items()})
        if isinstance(one, Actor)
        else changed(one)
        for one in given
    ]


def _stand_ins(values: list[Any]) -> list[Any]:
    def one(which: int, value: Any) -> Any:
        return FIRST_MOMENT + which * CENTURY if isinstance(value, datetime) else UUID(int=FIRST_ID + which)

    found = map(one, count(), values)
    return [[each] if isinstance(value, list) else each for each, value in zip(found, values, strict=True)]


def _write(rows: QuerySet[Any, Any], values: list[Any]) -> Question | None:
    """None where Django sees that no row can be found."""
    compiler = rows.query.get_compiler(connection=connection)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    stand_ins = _stand_ins(values)
    places = [(place, *found) for place, one in enumerate(parameters) if (found := _place(one, stand_ins))]
    return Question(rows, compiler, sql, tuple(parameters), tuple(places))


def _place(parameter: Any, stand_ins: list[Any]) -> tuple[int, timedelta | None] | None:
    """Which value stands here, and what is added to it; None for what never changes."""
    for which, one in enumerate(stand_ins):
        if isinstance(one, datetime):
            if isinstance(parameter, datetime) and abs(parameter - one) < 0.4 * CENTURY:
                return which, parameter - one
        elif isinstance(one, list) and parameter == one[0]:
            raise TypeError("A list of ids in a written question is compared by doors.any_of.")
        elif parameter == one:
            return which, None
    return None


def _check(question: Question | None, rows: QuerySet[Any, Any], values: list[Any]) -> None:
    try:
        fresh: Any = rows.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        fresh = None
    kept = (question.sql, question.filled(values)) if question else None
    if repr(kept) != repr(fresh and (fresh[0], tuple(fresh[1]))):
        raise AssertionError(f"A question was kept with what belongs to one asking: {kept} is not {fresh}.")
