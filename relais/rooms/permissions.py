"""Who may do what in a room, in sentences. Whether a workflow may open one is the workflow's own rule."""

from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from relais.core.actor import SYSTEM, Actor
from relais.core.errors import NotFound
from relais.rooms.models import Invitation, Room

# Workflows that ask again at each request whether somebody may still be in their rooms: False, and they are out.
Gate = Callable[[Invitation], bool]
gates: list[Gate] = []


def still_welcome(invitation: Invitation) -> Invitation:
    """The invitation as it stands now: revoked, for this request, when a gate of its workflow is shut."""
    if invitation.revoked_at is None and not all(gate(invitation) for gate in gates):
        invitation.revoked_at = timezone.now()
    return invitation


def holder(actor: Actor) -> UUID:
    """The id that invitations and presence know the actor by. Raises NotFound for the system, who is never in a room."""
    if actor.holder_id is None:
        raise NotFound
    return actor.holder_id


def invitation_of(actor: Actor, room: Room) -> Invitation | None:
    """The actor's invitation to this room, revoked or not."""
    found = Invitation.objects.filter(room=room, holder_id=holder(actor)).select_related("room").first()
    return still_welcome(found) if found else None


def can_arrange(actor: Actor) -> bool:
    """Professionals and the system open and end rooms and invite, once their workflow allows it; patients and guests never."""
    return actor.is_professional or actor.kind == SYSTEM


def can_host(actor: Actor, room: Room) -> bool:
    """Hosts of the room admit and send away; so may the system on behalf of a workflow."""
    if actor.kind == SYSTEM:
        return True
    found = invitation_of(actor, room)
    return found is not None and found.is_host and found.revoked_at is None


def can_be_present(actor: Actor, about: UUID) -> bool:
    """One is present about what one's grant opens, or what one is invited to talk about."""
    if actor.about == about:
        return True
    return Invitation.objects.filter(room__about=about, holder_id=holder(actor), revoked_at=None).exists()


def can_enter(invitation: Invitation) -> bool:
    """Hosts enter at once, the others once they are admitted; nobody once revoked or once the room has ended."""
    open_ = invitation.room.ended_at is None and invitation.revoked_at is None
    return open_ and (invitation.is_host or invitation.admitted_at is not None)
