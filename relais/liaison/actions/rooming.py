"""A video room of a request, one tap away and joined to it (FG-07)."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import messages
from relais.liaison import permissions as may
from relais.liaison.actions.states import OVER_NOW, lock, pages_of, tell_pages
from relais.liaison.models import Request
from relais.liaison.queries.people import across, in_rooms
from relais.liaison.workflow import OPEN
from relais.notifications.models import Message
from relais.notifications.workflow import State
from relais.rooms import actions as rooms
from relais.rooms import queries as room_queries
from relais.rooms.models import Part, Place, Room

# Nurse, doctor on call, SAMU and one more, from page to page: an emergency depends on nothing but the two ends.
MAX_PEOPLE = 4
AGAIN = timedelta(minutes=10)  # whoever opens it anew meanwhile calls nobody twice


@whole
def enter(*, actor: Actor, demand: Request, many: bool = False) -> Room:
    """The room of this request, made by the first who enters; whoever takes part enters it as host.

    `many`: for more than four people, through the video relay, where this installation has one. Whoever begins the
    conversation chooses, the others come into the same room; the next conversation is for four again, from page to page.
    Whoever finds it empty calls the other side by a message, as an urgent note does; lists ring while they wait there.
    """
    locked = lock(actor, demand.pk)
    if not may.can_exchange(actor, locked):
        raise NotFound
    if locked.state not in OPEN:
        raise Refused(_(OVER_NOW))
    place = locked.establishment
    room = rooms.open_room(
        actor=actor, about=locked.pk, relay_only=place.relay_only, max_people=_size(locked, many=many),
        topics=pages_of(locked),
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
    if many:
        rooms.be_present(actor=actor, about=locked.pk, place=Place.SPACE)  # whoever comes before the page has loaded
    if not in_rooms([locked.pk]):
        _call(actor, locked)
    return room


def _size(demand: Request, *, many: bool) -> int:
    """While somebody is inside the size stays, and a room made for many stays so while somebody is about to enter it."""
    room = room_queries.room_of(demand.pk)
    if room and (in_rooms([demand.pk]) or (not many and room_queries.present(demand.pk))):
        return room.max_people
    return room_queries.most_people() if many else MAX_PEOPLE


def _call(actor: Actor, demand: Request) -> None:
    told = Message.objects.filter(type=messages.ROOM, about=demand.pk, created_at__gt=timezone.now() - AGAIN)
    if told.exclude(state=State.CANCELLED).exists():
        return
    for user in User.objects.filter(pk__in=across(actor, demand), is_active=True).order_by("pk"):
        messages.tell(messages.ROOM, demand, user)


def end(*, actor: Actor, demand: Request) -> None:
    """The call ends with the request; who was there and when is kept, what was written in it is not."""
    rooms.clear_room(actor=actor, about=demand.pk)
    rooms.end_room(actor=actor, about=demand.pk)
