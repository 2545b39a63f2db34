"""Who is present, who is inside, what a page of the call needs to know, the last self-test."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.rooms import sfu
from relais.rooms.models import (
    ABSENT_AFTER,
    MESH_MAX,
    Capture,
    CaptureKind,
    Carrier,
    DeviceTest,
    Invitation,
    Line,
    Part,
    Peer,
    Place,
    Presence,
    Room,
    Seat,
    Signal,
)
from relais.rooms.permissions import can_enter, invitation_of

NEAREST = {place: rank for rank, place in enumerate((Place.CALL, Place.WAITING, Place.SPACE))}


@dataclass(frozen=True)
class Here:
    """Somebody present: where (a Place), since when without a break, in words."""

    holder_id: UUID
    place: str
    since: datetime

    @property
    def label(self) -> str:
        return str(_(Place(self.place).label))

    @property
    def waits(self) -> bool:
        return self.place == Place.WAITING

    @property
    def inside(self) -> bool:
        return self.place == Place.CALL


def presences(abouts: Iterable[UUID]) -> dict[UUID, list[Here]]:
    """Who is present about each id, each holder once, at their nearest place; ids without anybody are left out.

    Nobody waits for, or is in, a room that has ended, whatever their page last said.
    """
    seen = Presence.objects.filter(about__in=list(abouts), seen_at__gt=timezone.now() - ABSENT_AFTER)
    ended = Room.objects.filter(about=OuterRef("about"), ended_at__isnull=False)
    seen = seen.exclude(Exists(ended), place__in=[Place.WAITING, Place.CALL])
    nearest: dict[tuple[UUID, UUID], Presence] = {}
    for row in seen.order_by("since", "id"):
        key = (row.about, row.holder_id)
        if key not in nearest or NEAREST[Place(row.place)] < NEAREST[Place(nearest[key].place)]:
            nearest[key] = row
    found: dict[UUID, list[Here]] = defaultdict(list)
    for row in nearest.values():
        found[row.about].append(Here(row.holder_id, row.place, row.since))
    return dict(found)


def waited_for() -> "QuerySet[Presence, Any]":
    """The `about` of all rooms in whose waiting room somebody is now, as a subquery."""
    fresh = Presence.objects.filter(place=Place.WAITING, seen_at__gt=timezone.now() - ABSENT_AFTER)
    return fresh.order_by().values("about")


def present(about: UUID) -> list[Here]:
    """Who is present about this."""
    return presences([about]).get(about, [])


def presence_of(about: UUID, holders: Iterable[UUID]) -> Here | None:
    """The nearest of these holders (a patient's grants), or None while all are absent."""
    wanted = set(holders)
    here = [one for one in present(about) if one.holder_id in wanted]
    return min(here, key=lambda one: NEAREST[Place(one.place)], default=None)


def room_of(about: UUID) -> Room | None:
    return Room.objects.filter(about=about).first()


def most_people() -> int:
    """How many people a room may be made for here: four where there is no video relay for more."""
    return int(settings.ENV["SFU_MAX_PEOPLE"]) if sfu.configured() else MESH_MAX


def peers_inside(room: Room) -> list[Peer]:
    """The pages in the call that were seen in the last 30 seconds, in the order in which they came."""
    return list(Peer.objects.inside().filter(invitation__room=room).select_related("invitation"))


def who_is_inside(about: UUID) -> list[str]:
    """Names of those in the call: what a warning says before the room is ended (TC-54)."""
    room = room_of(about)
    return [peer.invitation.name for peer in peers_inside(room)] if room else []


def who_came(about: UUID) -> list[str]:
    """Names of those who were in the room of this since it was last cleared, by name, each once."""
    room = room_of(about)
    if room is None:
        return []
    peers = Peer.objects.filter(invitation__room=room)
    if room.cleared_at:
        peers = peers.filter(created_at__gt=room.cleared_at)
    return list(peers.order_by("invitation__name").values_list("invitation__name", flat=True).distinct())


def last_tests(abouts: Iterable[UUID]) -> dict[UUID, DeviceTest]:
    """The latest self-test about each id; ids without one are left out."""
    latest = DeviceTest.objects.filter(about__in=list(abouts)).order_by("about", "-created_at", "id").distinct("about")
    return {test.about: test for test in latest}


def last_test(about: UUID) -> DeviceTest | None:
    return last_tests([about]).get(about)


def get_room(actor: Actor | None, room_id: UUID) -> tuple[Room, Invitation]:
    """The room and the actor's invitation to it, revoked or not. Raises NotFound when there is none."""
    room = Room.objects.filter(pk=room_id).first() if actor else None
    invitation = invitation_of(actor, room) if actor and room else None
    if room is None or invitation is None:
        raise NotFound
    return room, invitation


def get_guest(actor: Actor | None, room: Room, invitation_id: UUID) -> Invitation:
    """Somebody else's invitation to this room."""
    found = Invitation.objects.filter(room=room, pk=invitation_id).select_related("room").first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Person:
    """A line of the list of people in a room."""

    invitation: Invitation
    peer: Peer | None
    waits: bool
    full: bool

    @property
    def waits_for_a_place(self) -> bool:
        """Let in already: only the number of people keeps them out."""
        return self.waits and self.full and self.invitation.admitted_at is not None


def people(room: Room) -> list[Person]:
    """All who were invited: those inside, those who wait at the door, and those who were sent away.

    Of a conversation that is over (`cleared_at`) only those who are still about.
    """
    inside = {peer.invitation_id: peer for peer in peers_inside(room)}
    here = present(room.about)
    waiting = {one.holder_id for one in here if one.waits}
    invited = Invitation.objects.filter(room=room)
    if room.cleared_at:
        came = Exists(Peer.objects.filter(invitation=OuterRef("pk"), seen_at__gt=room.cleared_at))
        about = Q(pk__in=list(inside)) | Q(holder_id__in=[one.holder_id for one in here if not one.inside])
        invited = invited.filter(about | Q(created_at__gt=room.cleared_at) | came)
    return [
        Person(one, inside.get(one.pk), one.holder_id in waiting and one.pk not in inside, len(inside) >= room.places)
        for one in invited
    ]


def lines(room: Room, reader: Invitation) -> list[Line]:
    """What was written in the room, oldest first; nothing for who may not enter."""
    return list(Line.objects.filter(room=room).select_related("invitation")) if can_enter(reader) else []


def call_state(room: Room, invitation: Invitation, peer_id: UUID | None, after: int) -> dict[str, Any]:
    """What a page of the call must know now, as JSON: whether it may enter, who is inside, signals past id `after`.

    A person who is not admitted learns only whether a host is there and whether a place is free.
    """
    inside = [] if room.ended_at else peers_inside(room)
    mine = next((peer for peer in inside if peer.invitation_id == invitation.pk), None)
    may_enter = can_enter(invitation)
    state: dict[str, Any] = {
        "ended": room.ended_at is not None,
        "revoked": invitation.revoked_at is not None,
        "admitted": may_enter,
        "full": sum(peer.invitation_id != invitation.pk for peer in inside) >= room.places,
        "host_here": any(peer.invitation.is_host for peer in inside),
        "replaced": bool(peer_id and mine and mine.pk != peer_id),
        "inside": bool(peer_id and mine and mine.pk == peer_id),
        "left": _left(room),
        "people": [_person(peer, order) for order, peer in enumerate(inside)] if may_enter else [],
        "waiting": _waiting(room, {peer.invitation_id for peer in inside}) if invitation.is_host and may_enter else [],
        "signals": [],
        "captures": [],
        "carrier": Carrier.SFU if room.relayed else Carrier.MESH,
        "fallen": room.fallen_at is not None,
    }
    if state["inside"]:
        state["signals"] = [
            {"id": row.pk, "from": str(row.sender_id), "payload": row.payload}
            for row in Signal.objects.filter(recipient_id=peer_id, id__gt=after)
        ]
        state["captures"] = _captures(invitation)
        if room.relayed:
            state["relay"] = _relay(room, inside)
    return state


def _relay(room: Room, inside: list[Peer]) -> dict[str, Any]:
    """What a page must know of a relayed call: the seats that can be received, the key of the frames, and whether all can close theirs."""
    here = Seat.objects.filter(peer__in=[peer.pk for peer in inside], up=True, node=room.node)
    seats = here.values_list("peer_id", "pk")
    return {
        "seats": {str(peer): str(seat) for peer, seat in seats},
        "key": {"number": room.frames_key_number, "value": room.frames_key},
        "closed": all(peer.closes for peer in inside),
    }


def _left(room: Room) -> list[str]:
    """Pages that said goodbye (or were sent away) lately: the others need not wait for their line to break."""
    since = timezone.now() - 4 * ABSENT_AFTER
    gone = Peer.objects.filter(invitation__room=room, left_at__gt=since).order_by("left_at", "id")
    return [str(pk) for pk in gone.values_list("pk", flat=True)]


def _person(peer: Peer, order: int) -> dict[str, Any]:
    one = peer.invitation
    return {
        "peer": str(peer.pk),
        "order": order,
        "invitation": str(one.pk),
        "name": one.name,
        "part": one.part,
        "authenticated": one.authenticated,
        "quality": peer.quality,
    }


def _waiting(room: Room, inside: set[UUID]) -> list[dict[str, str]]:
    """Guests and patients at the door who have not been admitted."""
    at_door = [here.holder_id for here in present(room.about) if here.waits]
    if not at_door:
        return []
    found = Invitation.objects.live().filter(room=room, holder_id__in=at_door, admitted_at=None).exclude(pk__in=inside)
    return [{"invitation": str(one.pk), "name": one.name, "part": one.part} for one in found.exclude(part=Part.HOST)]


def _captures(invitation: Invitation) -> list[dict[str, Any]]:
    """Questions put to me that wait, and the answers to mine, those of earlier calls of this room too."""
    mine = Capture.objects.filter(subject=invitation, answered_at=None).select_related("asked_by")
    answered = Capture.objects.filter(asked_by=invitation, answered_at__isnull=False)
    asked = [
        {
            "id": str(one.pk),
            "kind": one.kind,
            "label": str(_(CaptureKind(one.kind).label)),
            "by": one.asked_by.name,
            "agreed": None,
        }
        for one in mine
    ]
    return asked + [{"id": str(one.pk), "kind": one.kind, "agreed": one.agreed} for one in answered]
