"""The appointment of the demo page: the demo doctor and the demo patient, now, at whatever hour one comes."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Role, User
from relais.core.actor import PROFESSIONAL, Actor
from relais.core.errors import Refused
from relais.directory.models import Establishment
from relais.patients.actions import grant_care
from relais.patients.demo import DEMO_PATIENT
from relais.patients.models import Grant, Holder, Patient
from relais.rooms import queries as rooms
from relais.teleconsultation.actions import access, booking, call
from relais.teleconsultation.models import Reason, Teleconsultation
from relais.teleconsultation.queries import LATE
from relais.teleconsultation.workflow import State

USUAL, SHORTEST = timedelta(minutes=20), timedelta(minutes=booking.SHORTEST)
# Both may enter from 20 minutes before: an appointment this near is one that starts now.
NEAR = timedelta(minutes=15)


@transaction.atomic
def appointment_now(*, doctor: User, establishment: Establishment) -> tuple[Teleconsultation, Grant]:
    """The appointment that a newcomer holds with themselves, open for both sides, and the patient's way in.

    The same one while it is awaited; one that nobody held is moved to now, one that was left open is ended first.
    Other appointments of `doctor` keep their hour when five minutes are free in the next quarter of an hour, else
    they move behind it. Raises Refused (a sentence) while another long call of theirs goes on.
    """
    User.objects.select_for_update(of=("self",)).get(pk=doctor.pk)  # of two clicks at once one waits for the other
    actor = Actor(
        kind=PROFESSIONAL,
        user_id=doctor.pk,
        establishment_id=establishment.pk,
        roles=frozenset({Role.PRACTITIONER}),
        assurance=2,
    )
    tele = _appointment(actor, doctor, establishment, timezone.now())
    grant = access.main_grant(tele)
    if grant is None:
        raise Refused(
            _("Le rendez-vous de démonstration n’a plus d’accès pour le patient : annulez-le, puis recommencez.")
        )
    return tele, grant


def _appointment(actor: Actor, doctor: User, establishment: Establishment, now: datetime) -> Teleconsultation:
    current = _current(doctor, establishment, now)
    if current and current.state == State.IN_CALL:
        if now < current.ends_at or rooms.who_is_inside(current.pk):
            return current
        call.finish(actor=actor, tele=current)
        current = None
    if current and now < current.starts_at + LATE:
        return current
    starts_at, minutes = _room_for(actor, now, current)
    if current:
        return booking.reschedule(actor=actor, tele=current, starts_at=starts_at, minutes=minutes)
    patient = _patient(actor)
    return booking.book(
        actor=actor,
        patient=patient,
        practitioner_id=doctor.pk,
        starts_at=starts_at,
        minutes=minutes,
        reason=Reason.CONSULTATION,
        contact=access.Contact(email=patient.email, phone=patient.phone, holder=Holder.SELF),
        consent_by=patient.full_name,
    )


def _patient(actor: Actor) -> Patient:
    """The demo patient, in the care of the doctor's establishment as everyone whom it books for."""
    known = Patient.objects.filter(synthetic=True, email=DEMO_PATIENT["email"])
    patient = known.order_by("created_at", "pk").first() or Patient.objects.create(**DEMO_PATIENT)
    if not Patient.objects.visible_to(actor).filter(pk=patient.pk).exists():
        grant_care(actor=actor, patient=patient, about=patient.pk, establishment_id=actor.here)
    return patient


def _current(doctor: User, establishment: Establishment, now: datetime) -> Teleconsultation | None:
    return (
        Teleconsultation.objects.awaited()
        .filter(
            practitioner=doctor,
            establishment=establishment,
            dossier__patient__email=DEMO_PATIENT["email"],
            dossier__patient__synthetic=True,
            starts_at__lte=now + NEAR,
        )
        .select_related("dossier__patient", "establishment")
        .order_by("-starts_at", "pk")
        .first()
    )


def _room_for(actor: Actor, now: datetime, moving: Teleconsultation | None) -> tuple[datetime, int]:
    """When it may start (a whole minute), and how many minutes are free then."""
    first = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    start = _free_from(actor, first, SHORTEST, moving)
    if start > first + NEAR:
        _make_room(actor, first, moving)
        return first, int(USUAL.total_seconds()) // 60
    free = min([USUAL, *(other.starts_at - start for other in _others(actor, start, start + USUAL, moving))])
    return start, int(free.total_seconds()) // 60


def _make_room(actor: Actor, first: datetime, moving: Teleconsultation | None) -> None:
    """Nothing is free for a quarter of an hour: what is planned there goes to the next free hour, and is told so."""
    for other in _others(actor, first, first + USUAL, moving):
        if other.state == State.IN_CALL:
            raise Refused(_("Le médecin de démonstration est déjà en appel : terminez cet appel, puis recommencez."))
        length = other.ends_at - other.starts_at
        later = _free_from(actor, first + USUAL, length, other)
        booking.reschedule(actor=actor, tele=other, starts_at=later, minutes=int(length.total_seconds()) // 60)


def _free_from(actor: Actor, after: datetime, length: timedelta, moving: Teleconsultation | None) -> datetime:
    """The first instant from `after` on at which the doctor is free for `length`."""
    start = after
    for other in _others(actor, after, after + timedelta(days=7), moving):
        if other.starts_at - start >= length:
            break
        start = max(start, other.ends_at)
    return start


def _others(actor: Actor, since: datetime, until: datetime, moving: Teleconsultation | None) -> list[Teleconsultation]:
    """What the doctor has between these instants, in order, without the one that is being moved."""
    awaited = Teleconsultation.objects.awaited().filter(
        practitioner_id=actor.user_id, starts_at__lt=until, ends_at__gt=since
    )
    return list(awaited.exclude(pk=moving.pk if moving else None).order_by("starts_at"))
