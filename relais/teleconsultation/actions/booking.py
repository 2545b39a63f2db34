"""Booking an appointment and changing it: the patient is told each time."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership, Role, User
from relais.core import live
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.patients.actions import new_password
from relais.patients.models import Patient
from relais.rooms import actions as rooms
from relais.teleconsultation import messages
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions.access import Contact, let_in, let_in_anew, main_grant
from relais.teleconsultation.actions.states import lock_planned, move, tell_pages
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import dashboard_topic
from relais.teleconsultation.workflow import State

KIND = "teleconsultation"
SHORTEST, LONGEST = 5, 120  # minutes
FARTHEST = timedelta(days=366)
CANCEL_REASONS = [
    "Empêchement du praticien",
    "Empêchement du patient",
    "Rendez-vous sur place préféré",
    "Rendez-vous pris par erreur",
    "À la demande de l’établissement",
]


@whole
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
    origin_id: UUID | None = None,
) -> Teleconsultation:
    """Plan a teleconsultation: dossier, room, the patient's way in and the messages, all or nothing (TC-12 … TC-21).

    `origin_id`: the dossier of this patient from which it is booked. The same `request_key` sent twice books once. Raises NotFound for a patient whom the actor does not see, Refused
    beside the field for a past time, a slot that somebody has just taken, or nobody to reach.
    """
    if not may.can_book(actor):
        raise NotFound
    if done := booked_before(actor=actor, request_key=request_key):
        return done
    patient = get_visible(Patient, actor, pk=patient.pk)
    practitioner = _practitioner(practitioner_id, actor.here)
    _check_time(starts_at, minutes)
    if not contact.email and not contact.phone:
        raise Refused(_("Indiquez une adresse e-mail ou un téléphone pour envoyer le lien."), field="email")
    password = new_password()
    establishment = Establishment.objects.get(pk=actor.here)
    dossier = dossiers.create(actor=actor, kind=KIND, patient=patient, establishment=establishment, origin_id=origin_id)
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
    let_in(actor, tele, contact, messages.BOOKED, password)
    live.ping(dashboard_topic(tele.establishment_id))
    return tele


@whole
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


@whole
def reschedule(*, actor: Actor, tele: Teleconsultation, starts_at: datetime, minutes: int) -> Teleconsultation:
    """Move a planned appointment: old credentials are revoked, new ones sent (TC-22, settled).

    To the hour that it has already (the second of two clicks), nothing happens.
    """
    locked = lock_planned(actor, tele)
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
        let_in_anew(actor, locked, contact, messages.MOVED)
    tell_pages(locked)
    return locked


@whole
def reassign(*, actor: Actor, tele: Teleconsultation, practitioner_id: UUID | None) -> Teleconsultation:
    """Give the appointment to another practitioner of the establishment; the patient is told (B1.12)."""
    locked = lock_planned(actor, tele)
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
    tell_pages(locked)
    return locked


@whole
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
    tell_pages(moved)
    return moved


def follow_death(actor: Actor, patient: Patient) -> None:
    """The appointments to come of a person who died are cancelled; nobody is written to, reminders included."""
    rows = Teleconsultation.objects.filter(dossier__patient=patient, state=State.PLANNED, starts_at__gt=timezone.now())
    for tele in rows.order_by("starts_at", "pk"):
        moved = move(actor=SYSTEM_ACTOR, tele=tele, verb="died", cancel_reason=str(_("Décès du patient")))
        messages.cancel_pending(moved)
        rooms.end_room(actor=SYSTEM_ACTOR, about=moved.pk)
        tell_pages(moved)
