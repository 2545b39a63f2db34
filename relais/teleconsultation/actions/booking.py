"""Booking an appointment and changing it: the patient is told each time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership, Role, User
from relais.core import live, workflow
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.patients.messages import send_lost_link
from relais.patients.models import Grant, Holder, Patient
from relais.rooms import actions as rooms
from relais.rooms.models import Part, Room
from relais.teleconsultation import messages
from relais.teleconsultation import permissions as may
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import dashboard_topic, space_topic, staff_topics
from relais.teleconsultation.workflow import State

KIND = "teleconsultation"
SPACE_DAYS = 30  # TC-28: the patient space stays open 30 days
MAX_PEOPLE = 4  # peer to peer: doctor, patient and two more
SHORTEST, LONGEST = 5, 120  # minutes
FARTHEST = timedelta(days=366)
CANCEL_REASONS = [
    "Empêchement du praticien",
    "Empêchement du patient",
    "Rendez-vous sur place préféré",
    "Rendez-vous pris par erreur",
    "À la demande de l’établissement",
]


@dataclass(frozen=True)
class Contact:
    """To whom the link goes: the patient, or the one who helps (S1: e-mail of the family or of the establishment)."""

    email: str
    phone: str
    holder: str = Holder.SELF
    holder_name: str = ""


@transaction.atomic
def book(
    *,
    actor: Actor,
    patient: Patient,
    practitioner_id: UUID,
    starts_at: datetime,
    minutes: int,
    reason: str,
    contact: Contact,
    consent_by: str = "",
    request_key: UUID | None = None,
) -> Teleconsultation:
    """Plan a teleconsultation: dossier, room, the patient's way in and the messages, all or nothing (TC-12 … TC-21).

    The same `request_key` sent twice books once. Raises Refused beside the field for a past time, a slot that
    somebody has just taken, or nobody to reach.
    """
    if not may.can_book(actor):
        raise NotFound
    if done := booked_before(actor=actor, request_key=request_key):
        return done
    practitioner = _practitioner(practitioner_id, actor.here)
    _check_time(starts_at, minutes)
    if not contact.email and not contact.phone:
        raise Refused(_("Indiquez une adresse e-mail ou un téléphone pour envoyer le lien."), field="email")
    establishment = Establishment.objects.get(pk=actor.here)
    dossier = dossiers.create(actor=actor, kind=KIND, patient=patient, establishment=establishment)
    tele = _insert(
        dossier=dossier,
        establishment=establishment,
        practitioner=practitioner,
        reason=reason,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        consent_by=consent_by,
        consent_at=timezone.now() if consent_by else None,
        request_key=request_key,
    )
    _takes_part(actor, tele)
    _let_in(actor, tele, contact, messages.BOOKED)
    live.ping(dashboard_topic(tele.establishment_id))
    return tele


@transaction.atomic
def booked_before(*, actor: Actor, request_key: UUID | None) -> Teleconsultation | None:
    """What the form of this key has booked. Until the transaction ends nobody else sends it: of two clicks one waits.

    Raises Refused for the form of another establishment.
    """
    if request_key is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"booking:{request_key}"])
    done = Teleconsultation.objects.filter(request_key=request_key).first()
    if done and done.establishment_id != actor.here:
        raise Refused(_("Ce formulaire a déjà servi. Rechargez la page."))
    return done


def _takes_part(actor: Actor, tele: Teleconsultation) -> None:
    dossiers.add_participant(
        actor=actor, dossier=tele.dossier, user=tele.practitioner, role=Role.PRACTITIONER,
        establishment=tele.establishment,
    )  # fmt: skip


def _practitioner(user_id: UUID | None, establishment_id: UUID) -> User:
    members = Membership.objects.filter(establishment_id=establishment_id, role=Role.PRACTITIONER, ended_at=None)
    member = members.filter(user_id=user_id).select_related("user").first() if user_id else None
    if not member:
        raise Refused(
            _("Ce praticien n’exerce plus dans l’établissement : choisissez-en un autre."), field="practitioner"
        )
    return member.user


def _check_time(starts_at: datetime, minutes: int) -> None:
    now = timezone.now()
    if starts_at < now:
        raise Refused(_("Cette heure est déjà passée : choisissez une heure à venir."), field="time")
    if starts_at > now + FARTHEST:
        raise Refused(_("Un rendez-vous se prend au plus un an à l’avance."), field="date")
    if not SHORTEST <= minutes <= LONGEST:
        raise Refused(_("La durée va de 5 à 120 minutes."), field="minutes")


def _insert(**fields: Any) -> Teleconsultation:
    """The row, or a sentence when the slot has just been given (the database decides, not a look before)."""
    try:
        with transaction.atomic():
            return Teleconsultation.objects.create(**fields)
    except IntegrityError as error:
        _explain(error)
        raise


def _explain(error: IntegrityError) -> None:
    if "tc_slot_given_once" in str(error):
        raise Refused(
            _(
                "Ce créneau vient d’être pris pour ce praticien. Choisissez une autre heure : votre saisie est conservée."
            ),
            field="time",
        ) from error


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


def _let_in(actor: Actor, tele: Teleconsultation, contact: Contact, message: str) -> None:
    """A new link, login and password for this day and hour; older ones open nothing any more (TC-21, TC-22)."""
    patients.revoke(actor=actor, about=tele.pk)
    rooms.uninvite(actor=actor, room=open_room(actor, tele), parts=[Part.PATIENT, Part.GUEST])
    grant, secrets = _open_grant(actor, tele, contact, tele.ends_at + timedelta(days=SPACE_DAYS))
    messages.send_access(tele, grant, secrets, message)
    messages.schedule_reminders(tele, grant)


def _open_grant(
    actor: Actor, tele: Teleconsultation, contact: Contact, valid_until: datetime
) -> tuple[Grant, dict[str, str]]:
    """The way in, and the invitation to the room for as long as somebody may be in it."""
    grant, secrets = patients.open_grant(
        actor=actor,
        patient=tele.dossier.patient,
        about=tele.pk,
        holder=contact.holder,
        holder_name=contact.holder_name,
        email=contact.email,
        phone=contact.phone,
        valid_until=valid_until,
    )
    if tele.state in (State.PLANNED, State.IN_CALL):
        rooms.invite(
            actor=actor,
            room=open_room(actor, tele),
            holder_id=grant.pk,
            part=Part.PATIENT,
            name=contact.holder_name or tele.dossier.patient.full_name,
            authenticated=True,
            admitted=tele.state == State.IN_CALL,
        )
    return grant, secrets


@transaction.atomic
def reschedule(*, actor: Actor, tele: Teleconsultation, starts_at: datetime, minutes: int) -> Teleconsultation:
    """Move a planned appointment: old credentials are revoked, new ones sent (TC-22, settled).

    To the hour that it has already (the second of two clicks), nothing happens.
    """
    locked = _plannable(actor, tele)
    if (locked.starts_at, locked.ends_at) == (starts_at, starts_at + timedelta(minutes=minutes)):
        return locked
    _check_time(starts_at, minutes)
    locked.starts_at, locked.ends_at = starts_at, starts_at + timedelta(minutes=minutes)
    locked.ready_notified_at = None
    try:
        with transaction.atomic():
            locked.save(update_fields=["starts_at", "ends_at", "ready_notified_at"])
    except IntegrityError as error:
        _explain(error)
        raise
    grant = main_grant(locked)
    messages.cancel_pending(locked)
    dossiers.record(locked.dossier, "rescheduled", actor, starts_at=starts_at.isoformat())
    if grant:
        contact = Contact(grant.email, grant.phone, grant.holder, grant.holder_name)
        _let_in(actor, locked, contact, messages.MOVED)
    _tell_pages(locked)
    return locked


@transaction.atomic
def reassign(*, actor: Actor, tele: Teleconsultation, practitioner_id: UUID | None) -> Teleconsultation:
    """Give the appointment to another practitioner of the establishment; the patient is told (B1.12)."""
    locked = _plannable(actor, tele)
    practitioner = _practitioner(practitioner_id, locked.establishment_id)
    if practitioner.pk == locked.practitioner_id:
        return locked
    locked.practitioner = practitioner
    try:
        with transaction.atomic():
            locked.save(update_fields=["practitioner"])
    except IntegrityError as error:
        if "tc_slot_given_once" not in str(error):
            raise
        raise Refused(
            _(
                "%(who)s a déjà un rendez-vous à cette heure : choisissez un autre praticien, ou déplacez le rendez-vous."
            )
            % {"who": practitioner.full_name},
            field="practitioner",
        ) from error
    _takes_part(actor, locked)
    dossiers.record(locked.dossier, "reassigned", actor, practitioner=str(practitioner.pk))
    if grant := main_grant(locked):
        messages.tell(messages.REASSIGNED, locked, grant)
    _tell_pages(locked)
    return locked


@transaction.atomic
def cancel(*, actor: Actor, tele: Teleconsultation, why: str) -> Teleconsultation:
    """Cancel with a reason of CANCEL_REASONS; the patient is told, reminders are dropped, the slot is free again (B1.8).

    A choice and no free text: the words travel by e-mail and SMS, where nothing about health may stand.
    """
    if why not in CANCEL_REASONS:
        raise Refused(_("Choisissez le motif de l’annulation : il est transmis au patient."), field="why")
    moved = move(actor=actor, tele=tele, verb="cancel", cancel_reason=why)
    messages.cancel_pending(moved)
    if grant := main_grant(moved):
        messages.tell(messages.CANCELLED, moved, grant)
    rooms.end_room(actor=actor, about=moved.pk)
    _tell_pages(moved)
    return moved


def _tell_pages(tele: Teleconsultation) -> None:
    """The dashboard and the patient's open page look again."""
    live.ping(dashboard_topic(tele.establishment_id))
    live.ping(space_topic(tele), urgent=True)


@transaction.atomic
def correct_contact(*, actor: Actor, tele: Teleconsultation, email: str, phone: str) -> None:
    """Correct a wrong address or number and send again with new secrets, at once (C28).

    After the hour too, for as long as the space is open: the message of a document may have come back. Guests keep
    their links.
    """
    locked = _locked(actor, tele)
    if locked.state == State.CANCELLED:
        raise Refused(_unchangeable(locked))
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
    if awaited:
        rooms.uninvite(actor=actor, room=open_room(actor, locked), parts=[Part.PATIENT])
    grant, secrets = _open_grant(actor, locked, Contact(email, phone, holder, name), until)
    if awaited:
        messages.send_access(locked, grant, secrets, messages.BOOKED)
        messages.schedule_reminders(locked, grant)
    else:
        send_lost_link(grant, secrets)
    _tell_pages(locked)


def _locked(actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    locked = Teleconsultation.objects.select_for_update(of=("self",)).select_related("dossier__patient").get(pk=tele.pk)
    if not may.can_plan(actor, locked):
        raise NotFound
    return locked


def _unchangeable(tele: Teleconsultation) -> str:
    return _("Ce rendez-vous ne peut plus changer : il est « %(state)s ».") % {"state": tele.get_state_display()}


def _plannable(actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    locked = _locked(actor, tele)
    if locked.state != State.PLANNED:
        raise Refused(_unchangeable(locked))
    return locked


def move(*, actor: Actor, tele: Teleconsultation, verb: str, **changes: Any) -> Teleconsultation:
    """Use a verb of the transition table; the dossier follows, the dashboard is told."""

    def recorder(locked: Teleconsultation, verb: str, actor: Actor, source: str) -> None:
        dossiers.moved(locked.dossier, locked.state, verb, actor, source)
        live.ping(dashboard_topic(locked.establishment_id))

    return workflow.apply(tele, verb, actor, recorder, **changes)
