"""Opening and ending a room, and who may come in."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.live import ping
from relais.core.transactions import whole
from relais.rooms import sfu
from relais.rooms.actions.vacancies import give_up, vacate
from relais.rooms.models import MESH_MAX, Carrier, Invitation, Line, Part, Peer, Room, Seat, Signal
from relais.rooms.permissions import can_arrange, can_host


def tell_room(room: Room, *, urgent: bool = True) -> None:
    """Pages in the room look again, and so do those that watch who is present."""
    ping(f"room:{room.pk}", f"presence:{room.about}", *room.topics, urgent=urgent)


def tell_presence(about: UUID, topics: Iterable[str], *, urgent: bool) -> None:
    ping(f"presence:{about}", *topics, urgent=urgent)


@whole
def open_room(
    *, actor: Actor, about: UUID, relay_only: bool = False, max_people: int = 4, topics: Iterable[str] = ()
) -> Room:
    """The room of `about`, made when there is none; one that has ended stays ended (see reopen_room).

    `topics` are pinged, beside ``presence:<about>``, whenever somebody comes or goes. The caller has checked the
    workflow's own rule. More than four people go through a video relay, up to SFU_MAX_PEOPLE: Refused beyond.
    """
    if not can_arrange(actor):
        raise NotFound
    if max_people > (most := settings.ENV["SFU_MAX_PEOPLE"]):
        raise Refused(_("Une salle reçoit %(max)s personnes au plus.") % {"max": most})
    carrier = Carrier.SFU if max_people > MESH_MAX else Carrier.MESH
    values = {"relay_only": relay_only, "max_people": max_people, "carrier": carrier, "topics": list(topics)}
    room, made = Room.objects.select_for_update(of=("self",), no_key=True).get_or_create(about=about, defaults=values)
    if not made and any(getattr(room, name) != value for name, value in values.items()):
        changed = room.carrier != carrier
        for name, value in values.items():
            setattr(room, name, value)
        if changed:
            room.fallen_at = None
            give_up(Seat.objects.filter(peer__invitation__room=room))  # of pages that went without a word
            tell_room(room)
        room.save(update_fields=[*values, "fallen_at"])
    return room


@whole
def invite(
    *,
    actor: Actor,
    room: Room,
    holder_id: UUID,
    part: str,
    name: str,
    authenticated: bool,
    admitted: bool = False,
    establishment_id: UUID | None = None,
) -> Invitation:
    """Let `holder_id` (a user or a grant) ask to come in as `part`, shown under `name`; again: names are brought up to date.

    `admitted` lets them in without waiting. Who was revoked stays so: only `admit` changes that, but for a host, whom
    the workflow invites anew. `establishment_id`: where a host is a member (see `dismiss`).
    """
    if not can_arrange(actor):
        raise NotFound
    values = {"part": part, "name": name, "authenticated": authenticated, "establishment_id": establishment_id}
    now = timezone.now() if admitted or part == Part.HOST else None
    invitation, made = Invitation.objects.get_or_create(
        room=room, holder_id=holder_id, defaults={**values, "admitted_at": now}
    )
    if made:
        tell_room(room)
        return invitation
    if part == Part.HOST and invitation.revoked_at:
        values["revoked_at"] = None
    if now and invitation.admitted_at is None and (part == Part.HOST or invitation.revoked_at is None):
        values["admitted_at"] = now
    changed = [field for field, value in values.items() if getattr(invitation, field) != value]
    for field in changed:
        setattr(invitation, field, values[field])
    if changed:
        invitation.save(update_fields=changed)
        tell_room(room)
    return invitation


@whole
def admit(*, actor: Actor, invitation: Invitation) -> Invitation:
    """Let somebody in, even one who had been sent away. Refused once the room has ended."""
    found = _hosted(actor, invitation)
    if found.room.ended_at:
        raise Refused(_("L’appel est terminé : personne ne peut plus entrer."))
    if found.admitted_at is None or found.revoked_at:
        found.admitted_at, found.revoked_at = timezone.now(), None
        found.save(update_fields=["admitted_at", "revoked_at"])
        tell_room(found.room)
    return found


@whole
def revoke(*, actor: Actor, invitation: Invitation) -> Invitation:
    """Refuse somebody who waits, or send away somebody who is inside: at once, until admitted again."""
    found = _hosted(actor, invitation)
    if found.is_host:
        raise Refused(_("Un professionnel de la téléconsultation ne peut pas être exclu de l’appel."))
    if found.revoked_at is None:
        found.revoked_at, found.admitted_at = timezone.now(), None
        found.save(update_fields=["admitted_at", "revoked_at"])
        vacate(found.room, Peer.objects.filter(invitation=found))
        tell_room(found.room)
    return found


@whole
def uninvite(*, actor: Actor, room: Room, parts: Iterable[str]) -> None:
    """Forget the invitations of these parts: their ways in are replaced. Who was in the call already is sent away instead."""
    if not can_arrange(actor):
        raise NotFound
    found = Invitation.objects.filter(room=room, part__in=list(parts), revoked_at=None)
    found.filter(peers=None, lines=None).delete()
    vacate(room, Peer.objects.filter(invitation__in=found))
    if found.update(revoked_at=timezone.now(), admitted_at=None):
        tell_room(room)


@whole
def forget(*, actor: Actor, about: UUID, holders: Iterable[UUID]) -> list[UUID]:
    """Forget those of these holders who came to the door and were never let in; answers who they were."""
    if not can_arrange(actor):
        raise NotFound
    room = Room.objects.select_for_update(of=("self",), no_key=True).filter(about=about).first()
    if room is None:
        return []
    found = room.invitations.filter(holder_id__in=list(holders), admitted_at=None, peers=None, lines=None)
    gone = list(found.values_list("holder_id", flat=True))
    if gone:
        found.delete()
        tell_room(room)
    return gone


@whole
def dismiss(*, holder_id: UUID, establishment_id: UUID) -> None:
    """Send a host away from every room of an establishment where they work no more (or in another role), at once."""
    held = Invitation.objects.filter(holder_id=holder_id, establishment_id=establishment_id, part=Part.HOST)
    for invitation in held.live().select_related("room").order_by("pk"):
        invitation.revoked_at, invitation.admitted_at = timezone.now(), None
        invitation.save(update_fields=["admitted_at", "revoked_at"])
        vacate(invitation.room, Peer.objects.filter(invitation=invitation))
        tell_room(invitation.room)


@whole
def end_room(*, actor: Actor, about: UUID) -> None:
    """End the call for all and forget what the pages told each other; nothing when there is no room, or twice.

    Pages leave with a sentence. The caller has checked the workflow's own rule.
    """
    if not can_arrange(actor):
        raise NotFound
    room = Room.objects.select_for_update(of=("self",), no_key=True).filter(about=about, ended_at=None).first()
    if room is None:
        return
    vacate(room, Peer.objects.filter(invitation__room=room))
    if room.node:
        transaction.on_commit(partial(sfu.end, room.node, str(room.pk)), robust=True)
    room.ended_at, room.frames_key = timezone.now(), ""
    room.save(update_fields=["ended_at", "frames_key"])
    Signal.objects.filter(recipient__invitation__room=room).delete()
    tell_room(room)


@whole
def reopen_room(*, actor: Actor, about: UUID) -> None:
    """Let people in again, as when an absence was a mistake; invitations stand as they were."""
    if not can_arrange(actor):
        raise NotFound
    room = Room.objects.select_for_update(of=("self",), no_key=True).filter(about=about, ended_at__isnull=False).first()
    if room:
        room.ended_at = None
        room.save(update_fields=["ended_at"])
        tell_room(room)


@whole
def clear_room(*, actor: Actor, about: UUID) -> None:
    """Forget what was written in the room and who was let in through its door: hosts stay, the others knock again.

    The list of people names nobody any more who is neither there nor comes again; who was there and when is kept.
    """
    if not can_arrange(actor):
        raise NotFound
    room = Room.objects.select_for_update(of=("self",), no_key=True).filter(about=about).first()
    if room is None:
        return
    room.cleared_at = timezone.now()
    room.save(update_fields=["cleared_at"])
    Line.objects.filter(room=room).delete()
    room.invitations.exclude(part=Part.HOST).update(admitted_at=None)
    ping(f"lines:{room.pk}")
    tell_room(room)


@whole
def erase(*, actor: Actor, abouts: Iterable[UUID]) -> None:
    """Erase the rooms of these that have ended, with who was there and when. The caller says how long that is kept."""
    if not can_arrange(actor):
        raise NotFound
    Room.objects.filter(about__in=list(abouts), ended_at__isnull=False).delete()


def _hosted(actor: Actor, invitation: Invitation) -> Invitation:
    """The invitation, if the actor is a host of its room, which is locked: nobody enters meanwhile."""
    if not can_host(actor, invitation.room):
        raise NotFound
    Room.objects.select_for_update(of=("self",), no_key=True).get(pk=invitation.room_id)
    return Invitation.objects.select_related("room").get(pk=invitation.pk)
