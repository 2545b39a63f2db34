"""Doors: the only way to an object is the function that checks who asks."""

from typing import Any

from django.core.exceptions import ValidationError

from relais.core.actor import Actor
from relais.core.errors import NotFound


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
