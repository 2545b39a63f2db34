"""Inside a call: pages come and go, find each other, write, and ask before they take a picture."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.live import ping
from relais.rooms import sfu
from relais.rooms.actions.presence import beat, leave
from relais.rooms.actions.rooms import tell_room
from relais.rooms.actions.vacancies import renew_key, vacate
from relais.rooms.models import (
    ABSENT_AFTER,
    Capture,
    CaptureKind,
    Carrier,
    Invitation,
    Line,
    Part,
    Peer,
    Place,
    Quality,
    Room,
    Signal,
)
from relais.rooms.permissions import can_enter, holder, invitation_of, still_welcome

SIGNALS_MAX = 100
PAYLOAD_MAX = 60_000  # characters; a session description of four people is some 10,000
TYPES = ("offer", "answer", "candidates", "ask", "told")


def join(*, actor: Actor, room: Room, closes: bool = False) -> Peer:
    """Enter the call with this page; an earlier page of the same person leaves it. `closes`: it can encrypt frames.

    Raises NotFound without an invitation, Refused (a sentence) when the room has ended or is full, when the actor was
    sent away or not yet admitted, and for all but hosts while no host is inside.
    """
    return _enter(actor, room, closes=closes, back=_relay_is_back(actor, room))


@transaction.atomic
def _enter(actor: Actor, room: Room, *, closes: bool, back: bool) -> Peer:
    locked = Room.objects.select_for_update(of=("self",), no_key=True).get(pk=room.pk)  # entries come one by one
    invitation = invitation_of(actor, locked)
    if invitation is None:
        raise NotFound
    invitation.room = locked
    refuse_entry(invitation)
    pages = Peer.objects.filter(invitation__room=locked)
    others = pages.inside().exclude(invitation=invitation)
    if not invitation.is_host and not others.filter(invitation__part=Part.HOST).exists():
        raise Refused(_("Le professionnel n’est pas encore dans l’appel. Gardez cette page ouverte."))
    count = others.count()
    if locked.carrier == Carrier.SFU:
        _settle(locked, back=back and count == 0)
    if count >= locked.places and not _was_inside(invitation):
        raise Refused(_full(locked))
    vacate(locked, pages.filter(invitation=invitation))
    vacate(locked, pages.exclude(invitation=invitation).exclude(seen_at__gt=timezone.now() - ABSENT_AFTER))
    if locked.carrier == Carrier.SFU and not locked.frames_key:
        renew_key(locked)
    peer = Peer.objects.create(invitation=invitation, closes=closes)
    beat(actor=actor, about=locked.about, place=Place.CALL)
    tell_room(locked, urgent=not locked.relayed)
    return peer


def _relay_is_back(actor: Actor, room: Room) -> bool:
    """Whether a relay answers for a room that has fallen back and is empty; asked before its row is locked."""
    if room.fallen_at is None:
        return False
    others = Peer.objects.inside().filter(invitation__room=room).exclude(invitation__holder_id=holder(actor))
    return not others.exists() and bool(sfu.choose(room.node, {}))


def _settle(room: Room, *, back: bool) -> None:
    """A room of many without a relay falls back to the mesh; the first who comes back to it tries the relay again."""
    if room.fallen_at is None and not sfu.configured():
        room.fallen_at = timezone.now()
    elif room.fallen_at and back:
        room.fallen_at = None
    else:
        return
    room.save(update_fields=["fallen_at"])


def _was_inside(invitation: Invitation) -> bool:
    """Whoever was inside when the relay went away keeps their place, even through a reload."""
    fallen = invitation.room.fallen_at
    if fallen is None:
        return False
    return Peer.objects.filter(
        invitation=invitation, created_at__lt=fallen, seen_at__gt=fallen - 2 * ABSENT_AFTER
    ).exists()


def _full(room: Room) -> str:
    if room.fallen_at:
        return _(
            "Le relais vidéo ne répond pas : l’appel est limité à %(max)s personnes. "
            "Vous entrerez dès qu’une place sera libre."
        ) % {"max": room.places}
    return _("L’appel est complet : %(max)s personnes au plus. Vous entrerez dès qu’une place sera libre.") % {
        "max": room.places
    }


def refuse_entry(invitation: Invitation) -> None:
    """Raises Refused with the reason why this invitation does not open the room now."""
    if invitation.room.ended_at:
        raise Refused(_("L’appel est terminé."))
    if invitation.revoked_at:
        raise Refused(_("Le professionnel a mis fin à votre participation à cet appel."))
    if not can_enter(invitation):
        raise Refused(_("Le professionnel ne vous a pas encore fait entrer. Gardez cette page ouverte."))


def stay(*, actor: Actor, peer_id: UUID, quality: str = "", read: int = 0) -> bool:
    """This page is still in the call, on a line of that `quality`; signals up to id `read` were received.

    False when it is inside no more (left, replaced, revoked, ended): the page then looks why. Raises NotFound when it
    is no page of the actor.
    """
    stays = _stay(actor, peer_id, quality, read)
    if not stays:
        _see_out(peer_id)  # its row let go first: everybody else holds the room before its pages
    return stays


@transaction.atomic
def _stay(actor: Actor, peer_id: UUID, quality: str, read: int) -> bool:
    peer = _own(actor, peer_id)
    if peer is None:
        return False
    changed = bool(quality) and quality in Quality.values and quality != peer.quality
    returned = peer.seen_at < timezone.now() - ABSENT_AFTER
    peer.seen_at = timezone.now()
    peer.quality = quality if changed else peer.quality
    peer.save(update_fields=["seen_at", "quality"])
    Signal.objects.filter(recipient=peer, id__lte=read).delete()
    beat(actor=actor, about=peer.invitation.room.about, place=Place.CALL)
    if changed or returned:
        ping(f"room:{peer.invitation.room_id}")
    return True


@transaction.atomic
def leave_call(*, actor: Actor, peer_id: UUID) -> None:
    """This page leaves the call; nothing when it had left already."""
    own = Peer.objects.select_related("invitation__room").filter(invitation__holder_id=holder(actor), left_at=None)
    peer = own.filter(pk=peer_id).first()
    if peer is None:
        return
    vacate(peer.invitation.room, Peer.objects.filter(pk=peer.pk))
    Signal.objects.filter(recipient=peer).delete()
    leave(actor=actor, about=peer.invitation.room.about, place=Place.CALL)
    tell_room(peer.invitation.room)


@transaction.atomic
def signal(*, actor: Actor, peer_id: UUID, messages: list[dict[str, Any]]) -> bool:
    """Pass on what this page tells others of the call: each message has `to` (a peer id) and `payload` (with a type of TYPES).

    Messages to pages that have left are dropped. False when the sender is inside no more. Raises NotFound when it is no
    page of the actor, Refused when malformed.
    """
    sender = _own(actor, peer_id)
    if sender is None:
        return False
    if len(messages) > SIGNALS_MAX or not all(_well_formed(message) for message in messages):
        raise Refused(_("Message de connexion incorrect. Rechargez la page."))
    inside = Peer.objects.filter(invitation__room_id=sender.invitation.room_id, left_at=None).exclude(pk=sender.pk)
    recipients = {str(peer.pk): peer for peer in inside.select_related("invitation")}
    rows = [
        Signal(sender=sender, recipient=recipients[message["to"]], payload=message["payload"])
        for message in messages
        if message["to"] in recipients
    ]
    Signal.objects.bulk_create(rows)
    for invitation_id in {row.recipient.invitation_id for row in rows}:
        ping(f"invitation:{invitation_id}", urgent=True)
    return True


def _well_formed(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("to"), str):
        return False
    payload = message.get("payload")
    return isinstance(payload, dict) and payload.get("type") in TYPES and len(str(payload)) <= PAYLOAD_MAX


@transaction.atomic
def say(*, actor: Actor, room: Room, text: str) -> Line:
    """Write an instant message to all who are in the call (TC-43). Raises Refused when empty or too long."""
    invitation = invitation_of(actor, room)
    if invitation is None:
        raise NotFound
    refuse_entry(invitation)
    text = text.strip()
    if not text:
        raise Refused(_("Écrivez un message avant de l’envoyer."), field="text")
    if len(text) > 1000:
        raise Refused(_("Ce message est trop long : 1 000 caractères au plus."), field="text")
    line = Line.objects.create(room=room, invitation=invitation, text=text)
    ping(f"lines:{room.pk}", urgent=True)
    return line


@transaction.atomic
def ask_capture(*, actor: Actor, room: Room, subject_id: UUID, kind: str) -> Capture:
    """A host asks somebody inside to agree to a photograph or a clip (TC-42). A question still open is the same one."""
    asked_by = invitation_of(actor, room)
    if asked_by is None or not asked_by.is_host or kind not in CaptureKind.values:
        raise NotFound
    refuse_entry(asked_by)
    subject = Invitation.objects.live().filter(room=room, pk=subject_id).first()
    if subject is None or not subject.peers.filter(left_at=None).exists():
        raise Refused(_("Cette personne n’est plus dans l’appel."))
    capture, _made = Capture.objects.get_or_create(asked_by=asked_by, subject=subject, kind=kind, answered_at=None)
    ping(f"invitation:{subject.pk}", urgent=True)
    return capture


@transaction.atomic
def answer_capture(*, actor: Actor, capture_id: UUID, agreed: bool) -> Capture:
    """The person asked agrees or not; the first answer stands. Raises NotFound for everybody else."""
    capture = (
        Capture.objects.select_for_update(of=("self",), no_key=True)
        .select_related("subject__room", "asked_by")
        .filter(pk=capture_id, subject__holder_id=holder(actor))
        .first()
    )
    if capture is None:
        raise NotFound
    refuse_entry(capture.subject)
    if capture.answered_at is None:
        capture.agreed, capture.answered_at = agreed, timezone.now()
        capture.save(update_fields=["agreed", "answered_at"])
        ping(f"invitation:{capture.asked_by_id}", urgent=True)
    return capture


@transaction.atomic
def _see_out(peer_id: UUID) -> None:
    """A page whose workflow lets it be there no more leaves its place at the relay too."""
    peer = Peer.objects.select_related("invitation__room").filter(pk=peer_id, left_at=None).first()
    if peer and vacate(peer.invitation.room, Peer.objects.filter(pk=peer_id)):
        tell_room(peer.invitation.room)


def _own(actor: Actor, peer_id: UUID) -> Peer | None:
    """The actor's page, locked, or None when it is inside no more.

    Locked without its key: two pages that signal to each other check each other's key when they commit.
    """
    peer = (
        Peer.objects.select_for_update(of=("self",), no_key=True)
        .select_related("invitation__room")
        .filter(pk=peer_id, invitation__holder_id=holder(actor))
        .first()
    )
    if peer is None:
        raise NotFound
    return peer if peer.left_at is None and can_enter(still_welcome(peer.invitation)) else None
