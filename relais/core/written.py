"""Questions that are written once: Django takes ten times as long to write a large question as PostgreSQL to answer it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Prefetch, QuerySet

from relais.core.actor import Actor

P = ParamSpec("P")
Row = TypeVar("Row")
Parts = dict[tuple[str, str], Any]  # the arguments by name; of an Actor each field

MOST = 100  # shapes of one question that are kept
VALUES = (UUID, datetime, list)  # what differs from one asking to the next; lists are of ids, see doors.any_of
SHAPES = (str, bool, int, date, tuple, frozenset, type(None))  # what decides on the SQL
# What stands in for values while a question is written: each id and moment another, like none that is real.
FIRST_ID = 2**127
FIRST_MOMENT, CENTURY = datetime(3000, 1, 1, tzinfo=UTC), timedelta(days=36525)


@dataclass(frozen=True)
class Question:
    """A queryset with its SQL, and where the values go: position among the parameters, which value, and what is added to it."""

    rows: QuerySet[Any, Any]
    compiler: Any
    sql: str
    parameters: tuple[Any, ...]
    places: tuple[tuple[int, tuple[str, str], timedelta | None], ...]

    def filled(self, parts: Parts) -> tuple[Any, ...]:
        parameters = list(self.parameters)
        for place, which, added in self.places:
            parameters[place] = parts[which] if added is None else parts[which] + added
        return tuple(parameters)

    def ask(self, parts: Parts) -> list[Any]:
        # `all()`, for a QuerySet that is copied asks its question first.
        compiler, rows, ready = copy.copy(self.compiler), self.rows.all(), (self.sql, self.filled(parts))
        compiler.as_sql = lambda *_given, **_named: ready
        rows.query.get_compiler = lambda *_given, **_named: compiler  # type: ignore[method-assign]
        return list(rows)


def written(build: Callable[P, QuerySet[Any, Row]]) -> Callable[P, list[Row]]:
    """`build` returns a queryset and asks nothing itself; the function made of it gives the rows, as a list.

    Its SQL is written by the ORM at the first asking, with stand-ins for ids, moments and lists of ids (also those of an Actor),
    and kept; whatever else is among the arguments (roles, flags, words of a few), and whether a list is empty, is part of the
    shape: each has its own SQL. `build` must do nothing with an id or a moment but compare with it, or add a duration of less
    than 40 years; a list it compares by `any_of`; it locks nothing. Raises TypeError for an id, a moment or a day that is in the
    SQL and in no argument, which would be kept for everybody and for ever. Tests write each question anew at every asking as
    well, and compare. ADR 0023.
    """
    kept: dict[Any, Question | None] = {}
    given_by = signature(build)

    @wraps(build)
    def ask(*args: P.args, **named: P.kwargs) -> list[Row]:
        given = given_by.bind(*args, **named).arguments
        parts = _parts(given)
        shape = tuple((key, _shape(part)) for key, part in parts.items())
        try:
            question = kept[shape]
        except KeyError:
            if len(kept) >= MOST:
                kept.clear()
            question = kept[shape] = _write(build, given, parts)
        if settings.TESTING:
            _check(question, build(*args, **named), parts)
        return question.ask(parts) if question else []

    return ask


def _parts(given: dict[str, Any]) -> Parts:
    parts: Parts = {}
    for name, one in given.items():
        if isinstance(one, Actor):
            parts |= {(name, field.name): getattr(one, field.name) for field in fields(one)}
        else:
            parts[name, ""] = one
    return parts


def _shape(part: Any) -> Any:
    if isinstance(part, datetime) and part.tzinfo is None:
        raise TypeError("A written question takes moments with their zone.")
    if isinstance(part, VALUES):
        return type(part), part != []
    if not isinstance(part, SHAPES):
        raise TypeError(f"A written question takes no {type(part).__name__}.")
    return type(part), part


def _write(build: Callable[..., Any], given: dict[str, Any], parts: Parts) -> Question | None:
    """None where Django sees that no row can be found."""
    standing = {
        key: _stand_in(which, part) for which, (key, part) in enumerate(parts.items()) if isinstance(part, VALUES)
    }
    with connection.execute_wrapper(_refuse):
        rows = build(
            **{
                name: replace(one, **{field: new for (of, field), new in standing.items() if of == name})
                if isinstance(one, Actor)
                else standing.get((name, ""), one)
                for name, one in given.items()
            }
        )
    if any(isinstance(one, Prefetch) and one.queryset is not None for one in rows._prefetch_related_lookups):
        raise TypeError("A written question brings related rows by their names alone.")
    if rows.query.default_ordering and not rows.ordered:
        raise TypeError("Rows of a written question come in an order; order_by() says that it does not matter.")
    compiler = rows.query.get_compiler(connection=connection)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    places = [(place, _place(one, standing, parts)) for place, one in enumerate(parameters)]
    return Question(rows, compiler, sql, tuple(parameters), tuple((place, *found) for place, found in places if found))


def _refuse(*_asked: Any) -> None:
    raise TypeError("A written question asks the database nothing while it is written.")


def _stand_in(which: int, value: Any) -> Any:
    if isinstance(value, datetime):
        return FIRST_MOMENT + which * CENTURY
    one = UUID(int=FIRST_ID + which)
    return one if isinstance(value, UUID) else [one][: len(value)]


def _place(parameter: Any, standing: Parts, parts: Parts) -> tuple[tuple[str, str], timedelta | None] | None:
    """Which value stands here, and what is added to it; None for what never changes."""
    for key, one in standing.items():
        if isinstance(one, datetime) and isinstance(parameter, datetime) and abs(parameter - one) < 0.4 * CENTURY:
            return key, parameter - one
        if one == parameter and one != []:
            return key, None
    held = parameter if isinstance(parameter, list) else [getattr(parameter, "obj", parameter)]  # JSON has an obj
    names = [str(one[0] if isinstance(one, list) else one) for one in standing.values() if one]
    for one in held:
        if isinstance(one, (UUID, datetime)) or any(name in str(one) for name in names):
            raise TypeError(f"No argument of the question stands here alone, nor a list compared by any_of: {one}.")
        if isinstance(one, date) and one not in parts.values():
            raise TypeError(f"This day is no argument of the question: {one}.")
    return None


def _check(question: Question | None, rows: QuerySet[Any, Any], parts: Parts) -> None:
    try:
        fresh: Any = rows.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        fresh = None
    kept: Any = (question.sql, question.filled(parts)) if question else None
    if _plain(kept) != _plain(fresh):
        raise AssertionError(f"A question was kept with what belongs to one asking: {kept} is not {fresh}.")


def _plain(asked: Any) -> Any:
    return asked and (asked[0], [repr(getattr(one, "obj", one)) for one in asked[1]])
