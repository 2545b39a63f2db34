"""The patient's (or proxy's) way in to an appointment: link and codes, a place in its room, and correcting an address."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.patients.actions import Password
from relais.patients.messages import send_lost_link
from relais.patients.models import Grant, Holder
from relais.rooms import actions as rooms
from relais.rooms.models import Part, Room
from relais.teleconsultation import messages
from relais.teleconsultation.actions.states import lock, tell_pages, unchangeable
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import staff_topics
from relais.teleconsultation.workflow import State

SPACE_DAYS = 30  # TC-28: the patient space stays open 30 days
MAX_PEOPLE = 4  # peer to peer: doctor, patient and two more


@dataclass(frozen=True)
class Contact:
    """To whom the link goes: the patient, or the one who helps (S1: e-mail of the family or of the establishment)."""

    email: str
    phone: str
    holder: str = Holder.SELF
    holder_name: str = ""


def main_grant(tele: Teleconsultation) -> Grant | None:
    """The patient's (or proxy's) live way in, the newest."""
    return Grant.objects.filter(about=tele.pk, revoked_at=None).exclude(holder="guest").order_by("-created_at").first()


def open_room(actor: Actor, tele: Teleconsultation) -> Room:
    """The room of this appointment (made once); who comes and goes in it is told to the dashboard."""
    return rooms.open_room(
        actor=actor,
        about=tele.pk,
        relay_only=tele.establishment.relay_only,
        max_people=MAX_PEOPLE,
        topics=staff_topics(tele),
    )


def let_in(
    actor: Actor, tele: Teleconsultation, contact: Contact, message: str, password: Password | None = None
) -> None:
    """The first link, login and password for this day and hour, and a place in the room (TC-21)."""
    room = open_room(actor, tele)
    grant, secrets = _open_grant(actor, tele, contact, tele.ends_at + timedelta(days=SPACE_DAYS), room, password)
    messages.send_access(tele, grant, secrets, message)


def let_in_anew(actor: Actor, tele: Teleconsultation, contact: Contact, message: str) -> None:
    """New ones in their place: the older ones open nothing any more, those of guests too (TC-22)."""
    patients.revoke(actor=actor, about=tele.pk)
    rooms.uninvite(actor=actor, room=open_room(actor, tele), parts=[Part.PATIENT, Part.GUEST])
    let_in(actor, tele, contact, message)


def _open_grant(
    actor: Actor,
    tele: Teleconsultation,
    contact: Contact,
    valid_until: datetime,
    room: Room | None,
    password: Password | None = None,
) -> tuple[Grant, dict[str, str]]:
    """The way in, and the invitation to the room: none when nobody may be in it any more."""
    grant, secrets = patients.open_grant(
        actor=actor,
        patient=tele.dossier.patient,
        about=tele.pk,
        holder=contact.holder,
        holder_name=contact.holder_name,
        email=contact.email,
        phone=contact.phone,
        valid_until=valid_until,
        password=password,
    )
    if room:
        rooms.invite(
            actor=actor,
            room=room,
            holder_id=grant.pk,
            part=Part.PATIENT,
            name=contact.holder_name or tele.dossier.patient.full_name,
            authenticated=True,
            admitted=tele.state == State.IN_CALL,
        )
    return grant, secrets


@whole
def correct_contact(*, actor: Actor, tele: Teleconsultation, email: str, phone: str) -> None:
    """Correct a wrong address or number and send again with new secrets, at once (C28).

    After the hour too, for as long as the space is open: the message of a document may have come back. Guests keep
    their links.
    """
    locked = lock(actor, tele)
    if locked.state == State.CANCELLED:
        raise Refused(unchangeable(locked))
    if not email and not phone:
        raise Refused(_("Indiquez une adresse e-mail ou un téléphone pour envoyer le lien."), field="email")
    before = main_grant(locked)
    holder, name = (before.holder, before.holder_name) if before else (Holder.SELF, "")
    awaited = locked.state in (State.PLANNED, State.IN_CALL)
    until = locked.ends_at + timedelta(days=SPACE_DAYS)
    if not awaited and before:
        until = before.valid_until
    if until < timezone.now():
        raise Refused(_("L’espace du patient est fermé depuis plus de 30 jours : plus rien n’y est envoyé."))
    messages.cancel_pending(locked)
    messages.mark_replaced(locked)
    dossiers.record(locked.dossier, "contact_corrected", actor)
    patients.revoke(actor=actor, about=locked.pk, holders=tuple(one for one in Holder.values if one != Holder.GUEST))
    room = open_room(actor, locked) if awaited else None
    if room:
        rooms.uninvite(actor=actor, room=room, parts=[Part.PATIENT])
    grant, secrets = _open_grant(actor, locked, Contact(email, phone, holder, name), until, room)
    if awaited:
        messages.send_access(locked, grant, secrets, messages.BOOKED)
    else:
        send_lost_link(grant, secrets)
    tell_pages(locked)
