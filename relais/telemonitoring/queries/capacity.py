"""Who is there in a cell, and whether its promises can be kept (D7)."""

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
from relais.telemonitoring.capacity import Capacity, first_breach
from relais.telemonitoring.delays import call_by
from relais.telemonitoring.models import Alert, Transfer
from relais.telemonitoring.workflow import OPEN, AlertState, TransferState

TO_CALL = (AlertState.NEW, AlertState.TAKEN, AlertState.CALLING, AlertState.UNREACHED)


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


@dataclass(frozen=True)
class Load:
    """The open alerts of a cell: their colours, the calls that were promised, who has them in hand."""

    colours: list[str]
    promises: list[datetime]
    held: list[Held]


def load_of(cell: Any) -> Load:
    found = Alert.objects.filter(follow_up__cell=cell, state__in=OPEN)
    rows = list(found.values_list("level", "priority", "since", "state", "call_at", "taken_by_id", "taken_at"))
    promises = [
        call_at or call_by(level, since, priority=priority, opens=cell.opens, closes=cell.closes)
        for level, priority, since, state, call_at, *_held in rows
        if state in TO_CALL or call_at
    ]
    colours = [level.split("-")[0] for level, *_others in rows]
    return Load(colours, promises, [Held(row[3], row[5], row[6]) for row in rows])


def capacity(actor: Actor, cell: Any, load: Load) -> Capacity:
    """Open alerts against those who are there, one call after the other (D7), and what another cell proposes."""
    now = timezone.now()
    there = present(actor, cell, load.held)
    return Capacity(
        red=load.colours.count("rouge"),
        orange=load.colours.count("orange"),
        grey=load.colours.count("gris"),
        to_call=len(load.promises),
        people=there.people,
        minutes=cell.minutes_per_call,
        late=sum(one <= now for one in load.promises),
        breaks_at=first_breach(load.promises, people=there.people, minutes=cell.minutes_per_call, now=now),
        here_until=there.mine,
        arriving=there.arriving,
    )
