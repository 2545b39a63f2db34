"""A video room of a request, one tap away and joined to it (FG-07)."""

from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import permissions as may
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import Request
from relais.liaison.workflow import OPEN
from relais.rooms import actions as rooms
from relais.rooms.models import Part, Room

MAX_PEOPLE = 4  # peer to peer: nurse, doctor on call, SAMU and one more


@whole
def enter(*, actor: Actor, demand: Request) -> Room:
    """The room of this request, made by the first who enters; whoever takes part enters it as host."""
    locked = lock(actor, demand.pk)
    if not may.can_exchange(actor, locked):
        raise NotFound
    if locked.state not in OPEN:
        raise Refused(_("Cette demande est close : sa salle ne s’ouvre plus."))
    place = locked.establishment
    room = rooms.open_room(
        actor=actor, about=locked.pk, relay_only=place.relay_only, max_people=MAX_PEOPLE,
        topics=[dossiers.topic(locked.pk)],
    )  # fmt: skip
    user = User.objects.get(pk=actor.me)
    invited = room.invitations.filter(holder_id=user.pk, revoked_at=None).exists()
    if not invited:
        rooms.invite(
            actor=actor, room=room, holder_id=user.pk, part=Part.HOST, name=user.full_name, authenticated=True,
            admitted=True, establishment_id=actor.here,
        )  # fmt: skip
        dossiers.record(locked.dossier, "room_entered", actor, room=str(room.pk))
        tell_pages(locked, urgent=True)
    return room


def end(*, actor: Actor, demand: Request) -> None:
    """The call ends with the request; who was there and when is kept, what was written in it is not."""
    rooms.clear_room(actor=actor, about=demand.pk)
    rooms.end_room(actor=actor, about=demand.pk)
