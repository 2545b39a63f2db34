"""The call itself: entering, being told, ending."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.patients.models import Grant, Holder
from relais.rooms import actions as rooms
from relais.rooms import queries as room_queries
from relais.rooms.models import Part, Room
from relais.teleconsultation import messages
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions.access import MAX_PEOPLE, SPACE_DAYS, main_grant, open_room
from relais.teleconsultation.actions.states import move
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import space_topic
from relais.teleconsultation.workflow import State

PATIENT_EARLY = timedelta(minutes=20)  # TC-27
INCIDENT_MAX = 300  # characters
STAFF_EARLY = timedelta(minutes=60)  # ours: the professional may settle in before the patient


def patient_may_enter(tele: Teleconsultation, now: datetime | None = None) -> bool:
    """*Rejoindre* opens 20 minutes before, that instant included, and ends when the consultation is done (TC-27, TC-28)."""
    moment = now or timezone.now()
    return tele.state in (State.PLANNED, State.IN_CALL) and moment >= tele.starts_at - PATIENT_EARLY


def staff_may_begin(tele: Teleconsultation) -> bool:
    """The professional enters, or takes up the telephone, from an hour before, that instant included."""
    return tele.state != State.PLANNED or timezone.now() >= tele.starts_at - STAFF_EARLY


def may_reopen(tele: Teleconsultation) -> bool:
    """An absence noted by mistake is undone on the day it was noted."""
    return tele.ended_at is not None and timezone.localdate(tele.ended_at) == timezone.localdate()


def too_early_or_late(tele: Teleconsultation) -> set[str]:
    """The verbs that the clock does not allow now, whoever asks: their buttons are not drawn."""
    never = set()
    if not staff_may_begin(tele):
        never.add("continue_by_phone")
    if timezone.now() < tele.starts_at:
        never |= {"patient_absent", "doctor_absent"}
    if not may_reopen(tele):
        never.add("reopen")
    return never


@transaction.atomic
def join(*, actor: Actor, tele: Teleconsultation) -> Room:
    """The professional enters: the call window opens at the patient's, or an SMS says once that they are ready (TC-36, TC-37)."""
    locked = Teleconsultation.objects.select_for_update(of=("self",)).get(pk=tele.pk)
    if may.can_join(actor, locked) and not staff_may_begin(locked):
        raise Refused(_("Il est trop tôt : la salle ouvre une heure avant le rendez-vous."))
    moved = move(actor=actor, tele=locked, verb="join", started_at=locked.started_at or timezone.now())
    room = open_room(actor, moved)
    user = User.objects.get(pk=actor.me)
    rooms.invite(
        actor=actor,
        room=room,
        holder_id=user.pk,
        part=Part.HOST,
        name=user.full_name,
        authenticated=True,
        admitted=True,
        establishment_id=moved.establishment_id,
    )
    _call_patient(actor, moved, room)
    return room


def _call_patient(actor: Actor, tele: Teleconsultation, room: Room) -> None:
    grant = main_grant(tele)
    if not grant:
        return
    for invitation in room.invitations.filter(holder_id=grant.pk, admitted_at=None, revoked_at=None):
        rooms.admit(actor=actor, invitation=invitation)
    live.ping(space_topic(tele), urgent=True)
    called = tele.ready_notified_at is not None or not patient_may_enter(tele)  # later, the next *Rejoindre* calls
    if not called and room_queries.presence_of(tele.pk, [grant.pk]) is None:
        tele.ready_notified_at = timezone.now()
        tele.save(update_fields=["ready_notified_at"])
        messages.tell(messages.READY, tele, grant)


@transaction.atomic
def finish(*, actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    """End the consultation: it leaves the dashboard for *Historique*, the room closes for everyone (TC-07, TC-44)."""
    return _end(actor, tele, "finish")


@transaction.atomic
def continue_by_phone(*, actor: Actor, tele: Teleconsultation, incident: str) -> Teleconsultation:
    """A technical incident: the consultation goes on by telephone; the incident is part of the record (R6316-4)."""
    if may.can_finish(actor, tele) and not staff_may_begin(tele):
        raise Refused(
            _("Il est trop tôt : un rendez-vous se poursuit par téléphone au plus une heure avant son heure.")
        )
    if not incident.strip():
        raise Refused(_("Décrivez l’incident en quelques mots : il figure au dossier."), field="incident")
    if len(incident.strip()) > INCIDENT_MAX:
        raise Refused(_("Décrivez l’incident en 300 caractères au plus."), field="incident")
    return _end(actor, tele, "continue_by_phone", incident=incident.strip())


@transaction.atomic
def mark_absent(*, actor: Actor, tele: Teleconsultation, who: str) -> Teleconsultation:
    """The patient, or the doctor, did not come: never before the hour of the appointment."""
    if timezone.now() < tele.starts_at:
        raise Refused(_("Une absence se note à partir de l’heure du rendez-vous."))
    return _end(actor, tele, "patient_absent" if who == "patient" else "doctor_absent")


@transaction.atomic
def reopen(*, actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    """Undo an absence noted by mistake, the same day: the appointment is awaited again and the room opens.

    Refused later, and when the hour was given to another patient meanwhile.
    """
    if may.can_finish(actor, tele) and not may_reopen(tele):
        raise Refused(_("Une absence s’annule le jour même : réservez un nouveau rendez-vous."))
    try:
        moved = move(actor=actor, tele=tele, verb="reopen", ended_at=None, ready_notified_at=None)
    except IntegrityError as error:
        if "tc_slot_given_once" not in str(error):
            raise
        raise Refused(
            _("Cette heure a été donnée à un autre rendez-vous de ce praticien : réservez un nouveau rendez-vous.")
        ) from error
    rooms.reopen_room(actor=actor, about=moved.pk)
    live.ping(space_topic(moved), urgent=True)
    return moved


def _end(actor: Actor, tele: Teleconsultation, verb: str, **changes: object) -> Teleconsultation:
    now = timezone.now()
    moved = move(actor=actor, tele=tele, verb=verb, ended_at=now, **changes)
    rooms.end_room(actor=actor, about=moved.pk)
    messages.cancel_pending(moved)
    keep_space_open(moved, now if verb in ("finish", "continue_by_phone") else moved.ends_at)
    live.ping(space_topic(moved), urgent=True)
    return moved


def keep_space_open(tele: Teleconsultation, since: datetime) -> None:
    """The patient space stays 30 days from `since` (TC-28, settled)."""
    if grant := main_grant(tele):
        patients.extend(grant=grant, valid_until=since + timedelta(days=SPACE_DAYS))


def renew_space(tele: Teleconsultation) -> None:
    """What is shared stays 30 days within reach; a space that is open for longer keeps its end (TC-28, settled)."""
    until = timezone.now() + timedelta(days=SPACE_DAYS)
    if (grant := main_grant(tele)) and grant.valid_until < until:
        patients.extend(grant=grant, valid_until=until)


def check_patient_may_enter(actor: Actor, tele: Teleconsultation) -> None:
    """The patient steps into the waiting room from 20 minutes before, never into another's (TC-27, TC-35)."""
    if not actor.is_patient or actor.about != tele.pk:
        raise NotFound
    if not patient_may_enter(tele):
        raise Refused(_("La salle ouvre 20 minutes avant l’heure du rendez-vous."))


@transaction.atomic
def invite_guest(*, actor: Actor, tele: Teleconsultation, name: str, email: str, phone: str) -> Grant:
    """Let a third person ask to come in by a link of their own: waits until admitted, marked *non authentifié* (B1.4).

    The link opens the room alone, never the patient's space, and ends with the consultation.
    """
    if not may.can_join(actor, tele):
        raise NotFound
    if tele.state not in (State.PLANNED, State.IN_CALL):
        raise Refused(_("La téléconsultation est terminée : personne ne peut plus être invité."))
    if not email and not phone:
        raise Refused(_("Indiquez une adresse e-mail ou un téléphone pour envoyer l’invitation."), field="g-email")
    room = open_room(actor, tele)
    if room.invitations.filter(part=Part.GUEST, revoked_at=None).count() >= MAX_PEOPLE - 2:
        raise Refused(_("Deux personnes sont déjà invitées : retirez-en une avant d’en inviter une autre."))
    grant, secrets = patients.open_grant(
        actor=actor, patient=tele.dossier.patient, about=tele.pk, holder=Holder.GUEST, holder_name=name,
        email=email, phone=phone, valid_until=tele.ends_at + timedelta(hours=4),
    )  # fmt: skip
    rooms.invite(
        actor=actor, room=room, holder_id=grant.pk, part=Part.GUEST, name=name, authenticated=False, admitted=False
    )
    messages.send_guest_access(tele, grant, secrets)
    dossiers.record(tele.dossier, "guest_invited", actor, grant=str(grant.pk))
    return grant
