"""Who is there in a cell: what its promises are counted on (D7)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from relais.core.actor import Actor


@dataclass(frozen=True)
class Present:
    """How many people are there; `mine`: until when the one who reads said that they are."""

    people: int
    mine: datetime | None


def present(actor: Actor, cell: Any, holders: Collection[UUID | None]) -> Present:
    """Members who said that they are there, not too long ago, or who have an alert in hand (`holders`). One query."""
    now = timezone.now()
    members = list(cell.members.filter(until=None).values_list("user_id", "establishment_id", "here_until"))
    there = {user for user, _place, until in members if user in holders or (until and until > now)}
    said = {(user, place): until for user, place, until in members if until and until > now}
    return Present(len(there), said.get((actor.user_id, actor.establishment_id)))
