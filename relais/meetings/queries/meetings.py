"""Meetings as their pages show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.meetings.models import EARLY, LATE, Invitee, Meeting
from relais.meetings.queries.places import Who, who_is_there
from relais.meetings.workflow import State
from relais.notifications.queries import Summary, timeline
from relais.rooms.models import Room

SHOWN = 100


def find(actor: Actor, meeting_id: UUID) -> Meeting:
    """A meeting of the actor. Raises NotFound for any other."""
    found: Meeting = get_visible(Meeting.objects.select_related("organiser", "establishment"), actor, pk=meeting_id)
    return found


def to_come(actor: Actor, now: datetime) -> QuerySet[Meeting]:
    """Those that are not over, the next first."""
    return _mine(actor).filter(state=State.PLANNED, ends_at__gt=now - LATE).order_by("starts_at", "id")[:SHOWN]


def past(actor: Actor, now: datetime) -> QuerySet[Meeting]:
    """Those that were held, ended or cancelled, the last first."""
    over = ~Q(state=State.PLANNED) | Q(ends_at__lte=now - LATE)
    return _mine(actor).filter(over).order_by("-starts_at", "id")[:SHOWN]


def _mine(actor: Actor) -> QuerySet[Meeting]:
    return Meeting.objects.visible_to(actor).select_related("organiser", "establishment")


@dataclass(frozen=True)
class Told:
    """Somebody invited, and what became of the message."""

    invitee: Invitee
    summary: Summary | None


def told(meeting: Meeting) -> list[Told]:
    sent = {line.message.address.lower(): line.summary for line in timeline(meeting.pk)}
    return [Told(one, sent.get(one.email.lower())) for one in meeting.invitees.select_related("user")]


@dataclass(frozen=True)
class Door:
    """The door of a meeting at which somebody waits while no host lets them in."""

    meeting: Meeting
    rings: list[Who]

    @property
    def name(self) -> str:
        return self.meeting.title


def _hosted(actor: Actor, now: datetime) -> QuerySet[Meeting]:
    """The meetings of this hour that the actor planned or is invited to."""
    mine = Q(organiser=actor.user_id) | Exists(Invitee.objects.filter(meeting=OuterRef("pk"), user=actor.user_id))
    return Meeting.objects.filter(mine, state=State.PLANNED, starts_at__lt=now + EARLY, ends_at__gt=now - LATE)


def has_one_now(actor: Actor, now: datetime) -> Exists:
    """Whether the actor plans or is invited to a meeting of this hour, beside a row that is read anyway."""
    return Exists(_hosted(actor, now))


def doors_of(actor: Actor, now: datetime) -> list[Door]:
    """The meetings of this hour at whose door somebody waits while no host is inside."""
    hosted = list(_hosted(actor, now)[:SHOWN])
    people = who_is_there(actor, {one.pk: None for one in hosted})
    found = []
    for one in hosted:
        inside, near = people[one.pk]
        waiting = [who for who in near if not who.enters]
        if waiting and not any(who.of_place for who in inside):
            found.append(Door(one, waiting))
    return found


def room_of(meeting: Meeting) -> Room | None:
    return Room.objects.filter(about=meeting.pk).first()
