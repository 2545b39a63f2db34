"""The room that a request opened: both sides come in as professionals."""

from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.expertise import permissions as may
from relais.expertise.actions.states import lock
from relais.expertise.models import Expertise
from relais.expertise.workflow import State
from relais.rooms import actions as rooms
from relais.rooms import queries as room_queries
from relais.rooms.models import MESH_MAX, Invitation, Part, Room


def open_room(actor: Actor, asked: Expertise, max_people: int) -> Room:
    """Its room, whose comings and goings the page of the request hears."""
    return rooms.open_room(
        actor=actor, about=asked.pk, relay_only=asked.establishment.relay_only, max_people=max_people,
        topics=[dossiers.topic(asked.pk)],
    )  # fmt: skip


@whole
def end_call(*, actor: Actor, asked: Expertise) -> None:
    """End the call for all: another one begins without what was written in this one, nor who was there."""
    rooms.clear_room(actor=actor, about=asked.pk)
    rooms.end_room(actor=actor, about=asked.pk)


@whole
def send_out(*, actor: Actor, asked: Expertise) -> None:
    """End the call for all, and invite nobody any more: another service is asked."""
    end_call(actor=actor, asked=asked)
    room = Room.objects.filter(about=asked.pk).first()
    if room:
        rooms.uninvite(actor=actor, room=room, parts=[Part.HOST])


def still_welcome(invitation: Invitation) -> bool:
    """Asked at each request of the room of a tele-expertise: whoever left the pool or the establishment is out."""
    asked = Expertise.objects.filter(pk=invitation.room.about).only("establishment", "service").first()
    return asked is None or may.can_stay(invitation, asked)


@whole
def join(*, actor: Actor, asked: Expertise) -> Room:
    """A place in the room of a request that was converted to video; both sides are hosts. Refused once it has ended."""
    locked = lock(asked)
    if not (may.can_follow(actor, locked) or may.can_take(actor, locked)):
        raise NotFound
    if locked.state != State.VISIO:
        raise Refused(_("La salle de cette demande n’est pas ouverte."))
    made = room_queries.room_of(locked.pk)
    room = open_room(actor, locked, made.max_people if made else MESH_MAX)
    user = User.objects.get(pk=actor.me)
    rooms.invite(
        actor=actor, room=room, holder_id=user.pk, part=Part.HOST, name=user.full_name, authenticated=True,
        admitted=True, establishment_id=actor.here,
    )  # fmt: skip
    dossiers.record(locked.dossier, "joined_room", actor)
    return room
