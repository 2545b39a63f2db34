"""Permanent rooms: entering, and ending a conversation once nobody is there."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound
from relais.core.transactions import each, whole
from relais.directory.models import Establishment, Service
from relais.meetings.models import KEPT, Place, Sitting
from relais.meetings.permissions import places as may
from relais.meetings.queries import duty, places
from relais.meetings.topics import ON_DUTY, doors
from relais.rooms import actions as rooms
from relais.rooms import queries as room_queries
from relais.rooms.models import Part, Peer, Room

EMPTY_FOR = timedelta(minutes=2)  # a page that is loaded again, or a line that breaks, comes back to the same room
MAX_PEOPLE = 4  # peer to peer: an emergency depends on nothing but the two ends


@whole
def enter(*, actor: Actor, owner_id: UUID) -> Sitting:
    """Enter a permanent room, or knock at its door: a fresh room when nobody is there, the one that goes on otherwise.

    Two who enter in the same second meet in one room. Raises NotFound for an id that has no room.
    """
    owner = places.owner(actor, owner_id)
    if not may.can_see_places(actor):
        raise NotFound
    place = _lock(owner)
    sitting = _going_on(actor, place) or Sitting.objects.create(place=place)
    room = rooms.open_room(
        actor=actor,
        about=sitting.pk,
        relay_only=place.holder.relay_only,
        max_people=MAX_PEOPLE,
        topics=[ON_DUTY, *_doors(owner)],
    )
    user = User.objects.get(pk=actor.me)
    at_once = may.can_enter_at_once(actor, owner)
    rooms.invite(
        actor=actor,
        room=room,
        holder_id=user.pk,
        part=Part.HOST if at_once else Part.GUEST,
        name=places.display_name(user, Establishment.objects.get(pk=actor.here)),
        authenticated=True,
        establishment_id=actor.here,
    )
    audit.record(actor=actor, action="place.enter" if at_once else "place.knock", about=owner.pk)
    return sitting


def _lock(owner: places.Owner) -> Place:
    """The place of this owner, made on the first entry; entries come one by one."""
    mine = {"service": owner} if isinstance(owner, Service) else {"establishment": owner}
    place, _made = Place.objects.get_or_create(**mine)
    return Place.objects.select_for_update(of=("self",)).get(pk=place.pk)


def _doors(owner: places.Owner) -> list[str]:
    """Whose pages hear who comes and goes."""
    if isinstance(owner, Service):
        return [doors(owner.establishment_id), *(doors(one) for one in sorted(duty.pools([owner])[owner.pk]))]
    return [doors(owner.pk)]


def _going_on(actor: Actor, place: Place) -> Sitting | None:
    """The open conversation that this actor joins; one that all had left is over, and what was said in it is gone."""
    sitting = place.sittings.filter(ended_at=None).first()
    room = room_queries.room_of(sitting.pk) if sitting else None
    if sitting is None or room is None:
        return sitting
    if room_queries.peers_inside(room) or _was_just_there(actor, room):
        return sitting
    if any(not one.inside for one in room_queries.present(sitting.pk)):
        rooms.clear_room(actor=actor, about=sitting.pk)  # those at the door or about to enter stay, and heard nothing
        return sitting
    if Peer.objects.filter(invitation__room=room).exists():
        end(sitting=sitting)
        return None
    return sitting


def _was_just_there(actor: Actor, room: Room) -> bool:
    """A page that is loaded again, if nobody else was there since."""
    last = Peer.objects.filter(invitation__room=room).order_by("-seen_at", "-id").select_related("invitation").first()
    return last is not None and last.invitation.holder_id == actor.user_id and last.seen_at > timezone.now() - EMPTY_FOR


@whole
def end(*, sitting: Sitting) -> None:
    """End a conversation in which nobody is any more, and forget what was written in it: only who was there is kept."""
    sitting.ended_at = timezone.now()
    sitting.save(update_fields=["ended_at"])
    rooms.clear_room(actor=SYSTEM_ACTOR, about=sitting.pk)
    rooms.end_room(actor=SYSTEM_ACTOR, about=sitting.pk)


def end_empty() -> int:
    """End the conversations that nobody has been in, nor waited for, these two minutes, each by itself; returns how many."""
    ended: list[bool] = []
    before = timezone.now() - EMPTY_FOR
    found = Sitting.objects.filter(ended_at=None, created_at__lt=before)
    each(found, lambda sitting: ended.append(_end_left(sitting, before)))
    return sum(ended)


@whole
def _end_left(sitting: Sitting, before: datetime) -> bool:
    Place.objects.select_for_update(of=("self",)).get(pk=sitting.place_id)
    if not Sitting.objects.filter(pk=sitting.pk, ended_at=None).exists() or not _empty(sitting, before):
        return False
    end(sitting=sitting)
    return True


@whole
def forget() -> None:
    """Erase the conversations of more than 30 days ago: who was in the room, and when."""
    over = Sitting.objects.filter(ended_at__isnull=False, created_at__lt=timezone.now() - KEPT)
    rooms.erase(actor=SYSTEM_ACTOR, abouts=over.order_by().values_list("pk", flat=True))
    over.delete()


def _empty(sitting: Sitting, before: datetime) -> bool:
    if Peer.objects.filter(invitation__room__about=sitting.pk, seen_at__gt=before).exists():
        return False
    return not room_queries.present(sitting.pk)
