"""Guests without an account: the link, a name, the lobby."""

from uuid import UUID

from django.utils.translation import gettext as _

from relais.core.actor import GUEST, SYSTEM_ACTOR, Actor
from relais.core.errors import Refused
from relais.core.transactions import whole
from relais.meetings import links
from relais.meetings.actions.meetings import open_room, refuse_closed
from relais.meetings.models import Guest, Meeting
from relais.meetings.workflow import State
from relais.rooms import actions as rooms
from relais.rooms.models import Part

MOST = 100  # guests who come by one link, those who came twice included


@whole
def come(*, meeting_id: UUID, secret: str, name: str) -> str:
    """Somebody came by the link and said a name: they wait in the lobby. Answers the token of their browser.

    Raises Refused, in the same words for a wrong secret and for no meeting, and when it is too early or too late.
    """
    if not secret.strip():
        raise Refused(_("Ouvrez le lien entier, depuis votre message : l’adresse de l’agenda ne suffit pas."))
    meeting = (
        Meeting.objects.select_for_update(of=("self",)).select_related("establishment").filter(pk=meeting_id).first()
    )
    if meeting is None or not links.opens(meeting.pk, meeting.link_serial, secret):
        raise Refused(
            _("Ce lien n’ouvre pas de réunion, ou il a été remplacé. Demandez-en un autre à qui vous invite.")
        )
    refuse_closed(meeting)
    name = " ".join(name.split())
    if not name:
        raise Refused(_("Indiquez votre nom et votre fonction : les autres personnes les verront."), field="name")
    if meeting.guests.filter(link_serial=meeting.link_serial).count() >= MOST:
        raise Refused(_("Trop de personnes sont venues par ce lien. Demandez-en un autre à qui vous invite."))
    token = links.new_token()
    guest = Guest.objects.create(
        meeting=meeting, name=name, token_hash=links.hash_token(token), link_serial=meeting.link_serial
    )
    rooms.invite(
        actor=SYSTEM_ACTOR,
        room=open_room(meeting),
        holder_id=guest.pk,
        part=Part.GUEST,
        name=name,
        authenticated=False,
    )
    return token


def guest_of(token: str) -> Guest | None:
    """Whose browser this is, while the meeting lasts."""
    if not token:
        return None
    found = Guest.objects.filter(token_hash=links.hash_token(token), meeting__state=State.PLANNED)
    return found.first()


def actor_of(guest: Guest) -> Actor:
    """A guest acts for themselves, in this one meeting."""
    return Actor(kind=GUEST, grant_id=guest.pk, about=guest.meeting_id)
