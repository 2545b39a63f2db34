"""The places of pages at a video relay: taken, changed and lost. Janus is asked outside of transactions and locks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.rooms import sfu
from relais.rooms.actions.rooms import tell_room
from relais.rooms.actions.vacancies import give_up, place_of
from relais.rooms.janus import Failed, Unreachable
from relais.rooms.models import Peer, Room, Seat
from relais.rooms.permissions import can_enter, holder, still_welcome

SDP_MAX = 200_000  # characters; an offer with 24 pictures and sounds is some 60,000


class Lost(Exception):
    """This page has no place at the relay (any more): the relay is away, or was started again."""


def take_seat(*, actor: Actor, peer_id: UUID, offer: str, give_up_on_relay: bool = False) -> str | None:
    """Open a place at the relay for this page and send what it offers; answers with the relay's description.

    A page that has a place gets a fresh one. None when the page is inside no more, or its room is not carried by a
    relay now. Raises Lost when no relay answers; with `give_up_on_relay` (the page has tried for some seconds) the room
    then falls back to the mesh and the answer is None. Raises NotFound when it is no page of the actor.
    """
    peer = _own(actor, peer_id)
    _check_sdp(offer)
    if peer is None or not peer.invitation.room.relayed:
        return None
    room = peer.invitation.room
    name = sfu.choose(room.node, Counter(Seat.objects.values_list("node", flat=True)))
    if not name:
        if give_up_on_relay:
            fall_back(room=room)
            return None
        raise Lost
    seat = Seat(peer=peer, node=name)
    place = None
    try:
        place = sfu.open_place(name, str(room.pk), room.max_people)
        answer = sfu.publish(place, str(room.pk), str(seat.pk), offer)
        seat.session, seat.sends, seat.receives = place.session, place.sends, place.receives
        if _keep(seat, room):
            return answer
    except (Unreachable, Failed, Lost):
        _drop(place)
        raise Lost from None
    _drop(place)
    return None


@transaction.atomic
def _keep(seat: Seat, room: Room) -> bool:
    """Write the place down, unless its page left, or the room changed its relay, meanwhile."""
    locked = Room.objects.select_for_update(of=("self",), no_key=True).get(pk=room.pk)
    if not locked.relayed or not Peer.objects.filter(pk=seat.peer_id, left_at=None).exists():
        return False
    if locked.node != seat.node:
        if locked.node != room.node:
            raise Lost  # another page was faster and found another relay: this one asks again
        locked.node = seat.node
        locked.save(update_fields=["node"])
    give_up(Seat.objects.filter(peer_id=seat.peer_id))
    seat.save(force_insert=True)
    return True


def _drop(place: sfu.Place | None) -> None:
    if place:
        sfu.close(place)


@dataclass(frozen=True)
class Change:
    """What a page receives from now on: the relay's offer, on a `fresh` connection or the one that it has, and whose."""

    reception: sfu.Reception
    fresh: bool
    seats: list[UUID]


def receive(*, actor: Actor, peer_id: UUID, seats: Iterable[UUID]) -> Change | None:
    """Receive what these seats of the same room send, and nothing else; None when the page is inside no more.

    Seats of other rooms and of pages that have left are passed over. An offer that was never answered is lost, and so is
    one that the relay gave too late: the page then begins again on a fresh connection, as it does after nobody was left.
    Raises Lost without a place.
    """
    found = _asking(actor, peer_id, seats)
    if found is None:
        return None
    seat, room_id, wanted, anew = found
    held, handle = seat.feeds, seat.receives
    try:
        if anew:
            seat.receives, held = sfu.receive_anew(place_of(seat)).receives, []
        offered = sfu.receive(place_of(seat), str(room_id), map(str, wanted), map(str, held))
    except (Unreachable, Failed):
        raise Lost from None
    seat.feeds = wanted if offered else held
    seat.unanswered = bool(offered and offered.offer)
    _note(seat, handle)
    return Change(offered or sfu.Reception("", {}), not held, seat.feeds)


@transaction.atomic
def _asking(actor: Actor, peer_id: UUID, seats: Iterable[UUID]) -> tuple[Seat, UUID, list[UUID], bool] | None:
    """The place, its room, the seats to receive, and whether on a fresh connection. Marked before the relay is asked: what
    it answers too late was never received."""
    seat = _seat(actor, peer_id)
    if seat is None:
        return None
    room_id = seat.peer.invitation.room_id
    there = Seat.objects.filter(pk__in=list(seats), peer__invitation__room_id=room_id, node=seat.node, up=True)
    wanted = sorted(there.exclude(pk=seat.pk).values_list("pk", flat=True))
    anew = seat.unanswered or bool(seat.feeds and not wanted)
    Seat.objects.filter(pk=seat.pk).update(unanswered=True)
    return seat, room_id, wanted, anew


def _note(seat: Seat, handle: int) -> None:
    """What the page receives now. Raises Lost when its place was given up meanwhile, or another request changed it."""
    now = {"receives": seat.receives, "feeds": seat.feeds, "unanswered": seat.unanswered}
    if not Seat.objects.filter(pk=seat.pk, receives=handle).update(**now):
        raise Lost


def answer_relay(*, actor: Actor, peer_id: UUID, answer: str) -> bool:
    """The page's answer to what `receive` offered. False when it is inside no more. Raises Lost without a place."""
    _check_sdp(answer)
    with transaction.atomic():
        seat = _seat(actor, peer_id)
    if seat is None:
        return False
    try:
        sfu.start(place_of(seat), answer)
    except (Unreachable, Failed):
        raise Lost from None
    Seat.objects.filter(pk=seat.pk, receives=seat.receives).update(unanswered=False)
    return True


def keep_seat(*, actor: Actor, peer_id: UUID, up: bool = False) -> bool:
    """The page is still there; `up`: its line stands, so that the others can receive it.

    False when it had a place that the relay knows no more, or at a relay that its room has left.
    """
    held = Seat.objects.select_related("peer__invitation__room").filter(peer__invitation__holder_id=holder(actor))
    seat = held.filter(peer_id=peer_id).first()
    if seat is None:
        return True
    if seat.node != seat.peer.invitation.room.node:
        return False
    if up and Seat.objects.filter(pk=seat.pk, up=False).update(up=True):
        tell_room(seat.peer.invitation.room, urgent=False)  # many come at once: one look a second for each page
    return sfu.keep(place_of(seat))


@transaction.atomic
def fall_back(*, room: Room) -> None:
    """No relay answers: the pages of this room find each other directly, until the room is empty and a relay is back."""
    locked = Room.objects.select_for_update(of=("self",), no_key=True).get(pk=room.pk)
    if not locked.relayed:
        return
    locked.fallen_at = timezone.now()
    locked.save(update_fields=["fallen_at"])
    give_up(Seat.objects.filter(peer__invitation__room=locked))
    tell_room(locked)


def _own(actor: Actor, peer_id: UUID) -> Peer | None:
    """The actor's page while it is inside. Raises NotFound for a page of somebody else."""
    found = Peer.objects.select_related("invitation__room").filter(pk=peer_id, invitation__holder_id=holder(actor))
    peer = found.first()
    if peer is None:
        raise NotFound
    return peer if peer.left_at is None and can_enter(still_welcome(peer.invitation)) else None


def _seat(actor: Actor, peer_id: UUID) -> Seat | None:
    """The locked place of the actor's page."""
    if _own(actor, peer_id) is None:
        return None
    locked = Seat.objects.select_for_update(of=("self",), no_key=True).select_related("peer__invitation")
    seat = locked.filter(peer_id=peer_id).first()
    if seat is None:
        raise Lost
    return seat


def _check_sdp(text: str) -> None:
    if not text.startswith("v=0") or len(text) > SDP_MAX:
        raise Refused(_("Message de connexion incorrect. Rechargez la page."))
