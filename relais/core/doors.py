"""Doors: the only way to an object is the function that checks who asks."""

from typing import Any, TypeVar
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Func, Q, QuerySet, UUIDField, Value

from relais.core.actor import Actor
from relais.core.errors import NotFound

Row = TypeVar("Row")


def get_visible(source: Any, actor: Actor | None, **lookup: Any) -> Any:
    """The one row of `source` (a model or queryset with `visible_to`) that `lookup` names and `actor` may see.

    Raises NotFound alike for what does not exist, what may not be seen, and an id that is no id.
    """
    queryset = source.objects.all() if hasattr(source, "objects") else source
    if actor is None:
        raise NotFound
    try:
        return queryset.visible_to(actor).get(**lookup)
    except (queryset.model.DoesNotExist, ValidationError, ValueError):
        raise NotFound from None


def the_one(rows: list[Row]) -> Row:
    """The row that a written question found. Raises NotFound where there is none."""
    if not rows:
        raise NotFound
    return rows[0]


def among(field: str, ids: QuerySet[Any, Any]) -> Q:
    """Rows whose `field` is one of `ids`, a queryset of one column that knows nothing of these rows.

    Written `= ANY(array)`: an index serves it even beside an OR, where `IN (SELECT …)` would read the whole table.
    """
    return _any(field, ArraySubquery(ids.order_by()))


def any_of(field: str, ids: list[UUID]) -> Q:
    """Rows whose `field` is one of `ids`: one parameter however many they are, so that the SQL is the same."""
    if not ids:
        return Q(pk__in=[])  # nothing is asked
    return _any(field, Value(ids, ArrayField(UUIDField())))


def _any(field: str, array: Any) -> Q:
    return Q(Func(F(field), array, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()))
