"""Who is there in a cell: what its promises are counted on (D7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from relais.core.actor import Actor
from relais.telemonitoring.actions.cells import HERE
from relais.telemonitoring.models import Transfer
from relais.telemonitoring.workflow import AlertState, TransferState


@dataclass(frozen=True)
class Present:
    """How many people are there; `mine`: until when the one who reads said that they are; `arriving`: how many patients
    another cell proposes (none are counted for a cell without members)."""

    people: int
    mine: datetime | None
    arriving: int


@dataclass(frozen=True)
class Held:
    """Of an open alert, what says whether who has it is there."""

    state: str
    by: UUID | None
    since: datetime | None

    def here(self, now: datetime) -> bool:
        """They are calling, or took it not long ago: who took one yesterday and keeps it open has gone home since."""
        return self.state == AlertState.CALLING or (self.since is not None and self.since > now - HERE)


def present(actor: Actor, cell: Any, held: Iterable[Held]) -> Present:
    """Members who said that they are there, not too long ago, or who have just taken an alert or are calling. One query."""
    now = timezone.now()
    holders = {one.by for one in held if one.by and one.here(now)}
    asked = Transfer.objects.filter(target=OuterRef("cell"), state=TransferState.ASKED).order_by()
    count = Subquery(asked.values("target").annotate(n=Count("pk")).values("n"))
    members = cell.members.at_work().annotate(arriving=Coalesce(count, 0))
    rows = list(members.values_list("user_id", "establishment_id", "here_until", "arriving"))
    there = {user for user, _place, until, _n in rows if user in holders or (until and until > now)}
    said = {(user, place): until for user, place, until, _n in rows if until and until > now}
    return Present(len(there), said.get((actor.user_id, actor.establishment_id)), rows[0][3] if rows else 0)
