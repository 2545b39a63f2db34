"""Pages that leave: their places at the relay are given up, and those who stay close their frames with another key."""

import base64
import secrets
from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from relais.rooms import sfu
from relais.rooms.models import Carrier, Peer, Room, Seat


def vacate(room: Room, pages: "QuerySet[Peer]") -> int:
    """These pages of `room` are inside no more; answers how many were. Part of the caller's action."""
    inside = pages.filter(left_at=None)
    if room.carrier == Carrier.MESH:
        return inside.update(left_at=timezone.now())
    # Those who leave together change the key in turn.
    Room.objects.select_for_update(of=("self",), no_key=True).get(pk=room.pk)
    give_up(Seat.objects.filter(peer__in=inside))
    if gone := inside.update(left_at=timezone.now()):
        renew_key(room)
    return gone


def give_up(seats: "QuerySet[Seat]") -> None:
    """Close these places once the action is committed. A relay that cannot be told forgets them by itself."""
    found = list(seats)
    Seat.objects.filter(pk__in=[seat.pk for seat in found]).delete()
    if found:
        transaction.on_commit(partial(_close, [place_of(seat) for seat in found]), robust=True)


def renew_key(room: Room) -> None:
    """Whoever has left cannot read what is said from now on, nor can who recorded it at the relay."""
    room.frames_key = base64.b64encode(secrets.token_bytes(32)).decode()
    Room.objects.filter(pk=room.pk).update(frames_key=room.frames_key, frames_key_number=F("frames_key_number") + 1)
    room.frames_key_number += 1


def place_of(seat: Seat) -> sfu.Place:
    return sfu.Place(seat.node, seat.session, seat.sends, seat.receives)


def _close(places: Iterable[sfu.Place]) -> None:
    for place in places:
        sfu.close(place)
