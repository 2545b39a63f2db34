"""One transaction for an action, however many actions it calls."""

import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import models, transaction

from relais.core import live

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
logger = logging.getLogger(__name__)

_left: ContextVar[list[models.Model] | None] = ContextVar("rows that the action of now leaves at its end", default=None)


def whole(action: Callable[P, R]) -> Callable[P, R]:
    """`transaction.atomic` for actions: one that another calls is a part of it and makes no savepoint.

    Two statements fewer for each, one for all the pings and one for each kind of `leave`. What an inner action raises ends
    the outer one too: whoever wants to go on after it asks for a savepoint of its own (`with transaction.atomic()`), and
    what the inner one left goes with it.
    """

    @wraps(action)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        outer, rows = live.gathered.get(), _left.get()
        told: dict[str, bool] = {} if outer is None else outer
        left: list[models.Model] = [] if rows is None else rows
        before = len(left)
        with transaction.atomic(savepoint=outer is None):
            tokens = live.gathered.set(told), _left.set(left)
            try:
                done = action(*args, **kwargs)
            except BaseException:
                del left[before:]
                raise
            finally:
                live.gathered.reset(tokens[0])  # what runs at the commit is no part of this action
                _left.reset(tokens[1])
            if outer is None:
                _insert(left)
                live.send(told)
            return done

    return run


def each(found: Iterable[T], act: Callable[[T], object]) -> list[Exception]:
    """Do it for each of these rows, or ids, by itself: one that fails is undone, logged by its id and holds back no other.

    A transaction for each, or a part of the one that goes on, whose other writes stand. What failed.
    """
    failed: list[Exception] = []
    for one in list(found):
        try:
            with transaction.atomic():
                act(one)
        except Exception as error:  # noqa: BLE001  (whatever it is, those behind it must not wait)
            logger.error("%s could not be looked at: %s", getattr(one, "pk", one), type(error).__name__)
            failed.append(error)
    return failed


def leave(row: models.Model) -> None:
    """Insert a row that only ever tells what happened (an event, a trace): nobody reads it before the action is over.

    With the others of its kind at the end of the action, in their order; now, outside an action.
    """
    left = _left.get()
    if left is None:
        _insert([row])
    else:
        left.append(row)


def _insert(rows: list[models.Model]) -> None:
    for kind in dict.fromkeys(type(row) for row in rows):
        kind._default_manager.bulk_create([row for row in rows if type(row) is kind])
