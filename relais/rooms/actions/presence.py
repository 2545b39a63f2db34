"""Heartbeats: who is there, seen by pages that say so every ten seconds."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.core.live import ping
from relais.rooms.actions.rooms import tell_presence
from relais.rooms.actions.vacancies import vacate
from relais.rooms.models import ABSENT_AFTER, Peer, Place, Presence, Room
from relais.rooms.permissions import can_be_present, holder

GRACE = timedelta(seconds=5)  # a page that was left may be one that reloads
FORGOTTEN = timedelta(days=1)


@transaction.atomic
def beat(*, actor: Actor, about: UUID, place: str) -> None:
    """The actor's page is open at `place` (a Place). Coming back after 30 s of silence begins a new presence.

    Who comes is pinged; who enters the waiting room, urgently. Raises NotFound when this is none of their business.
    """
    if place not in Place.values or not can_be_present(actor, about):
        raise NotFound
    be_present(actor=actor, about=about, place=place)


@transaction.atomic
def be_present(*, actor: Actor, about: UUID, place: str) -> None:
    """The same about what needs no room. The caller has checked the workflow's own rule."""
    now = timezone.now()
    row, made = Presence.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        about=about, holder_id=holder(actor), place=place, defaults={"seen_at": now, "since": now}
    )
    came = made or row.seen_at < now - ABSENT_AFTER
    if came:
        row.since = now
    row.seen_at = now
    row.save(update_fields=["seen_at", "since"])
    if came:
        tell_presence(about, topics_of(about), urgent=place == Place.WAITING)


@transaction.atomic
def leave(*, actor: Actor, about: UUID, place: str) -> None:
    """The page says that it closes: absent in five seconds unless it comes back (a reload). Only a hint."""
    oldest = timezone.now() - ABSENT_AFTER + GRACE
    Presence.objects.filter(about=about, holder_id=holder(actor), place=place, seen_at__gt=oldest).update(
        seen_at=oldest
    )


def forget_heartbeats() -> None:
    """Of the day before nothing is left: a heartbeat counts for thirty seconds."""
    Presence.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN).delete()


_told_until: datetime | None = None


def tell_absences() -> None:
    """Ping about everybody whose silence reached 30 seconds since the last call. Each web process runs it (core.listener)."""
    global _told_until  # noqa: PLW0603 (where this process stopped)
    until = timezone.now() - ABSENT_AFTER
    after = _told_until or until - timedelta(seconds=10)
    _told_until = until
    window = {"seen_at__gt": after, "seen_at__lte": until}
    gone = set(Presence.objects.filter(**window).values_list("about", flat=True))
    topics = dict(Room.objects.filter(about__in=gone).values_list("about", "topics"))
    silent = Peer.objects.filter(left_at=None, **window).values_list("invitation__room_id", flat=True)
    with transaction.atomic():
        for about in gone:
            tell_presence(about, topics.get(about, []), urgent=False)
        for room in Room.objects.filter(pk__in=set(silent)).order_by("pk"):
            if room.relayed:  # the relay forgets a silent page too: its page takes another place when it is back
                quiet = Peer.objects.filter(invitation__room=room, seen_at__lte=until)
                vacate(room, quiet)
            ping(f"room:{room.pk}")


def topics_of(about: UUID) -> list[str]:
    """What is pinged beside ``presence:<about>``."""
    return next(iter(Room.objects.filter(about=about).values_list("topics", flat=True)), [])
