"""Starting a follow-up: by a professional alone, from hospital as from town (EC-02, EC-15, EC-18)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.patients.models import Basis, Grant, Holder, Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation
from relais.telemonitoring import inclusion, messages
from relais.telemonitoring import permissions as may
from relais.telemonitoring.models import Cell, FollowUp
from relais.telemonitoring.programme import end_of, months
from relais.telemonitoring.topics import cell_topic
from relais.telemonitoring.workflow import State

KIND = "telemonitoring"
SPACE_DAYS = 30  # the space stays open after the last day, as after a teleconsultation


@dataclass(frozen=True)
class Contact:
    """To whom the link goes: the patient, or the one who answers for them."""

    email: str
    phone: str
    holder: str = Holder.SELF
    holder_name: str = ""


@transaction.atomic
def enrol(
    *,
    actor: Actor,
    patient: Patient,
    cell_id: UUID,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    contact: Contact,
    times: Times,
    request_key: UUID,
    origin_id: UUID | None = None,
) -> FollowUp:
    """Follow a patient at home: dossier, inclusion answers, the patient's way in and the message, all or nothing.

    `origin_id`: the dossier of this patient from which the inclusion was opened. The same `request_key` sent twice enrols once. Raises NotFound for a patient or cell that the actor does not see,
    Refused for a patient who is followed already, nobody to reach, or a cell whose rules nobody approved.
    """
    if not may.can_enrol(actor):
        raise NotFound
    one_at_a_time(name_of(patient.pk))
    if done := FollowUp.objects.filter(request_key=request_key, dossier__patient=patient).first():
        return done
    patient = get_visible(Patient, actor, pk=patient.pk)
    cell = cell_for(actor, cell_id)
    _check(patient, contact)
    establishment = Establishment.objects.get(pk=actor.here)
    dossier = dossiers.create(actor=actor, kind=KIND, patient=patient, establishment=establishment, origin_id=origin_id)
    kept = questionnaires.answer(
        actor=actor, about=dossier.pk, questionnaire=questionnaire, answers=answers, request_key=request_key,
        times=times, who=Who(relation=Relation.PROFESSIONAL), context=context_of(patient),
    )  # fmt: skip
    response = kept.response
    today = timezone.localdate()
    found = inclusion.read(response.answers, born=patient.birth_date, today=today)
    follow_up = FollowUp.objects.create(
        dossier=dossier,
        cell=cell,
        status=found.status,
        onset=found.onset,
        starts_on=today,
        ends_on=end_of(found.onset, today),
        rhythm=found.rhythm,
        risk=found.risk,
        factors=list(found.factors),
        facts=found.facts,
        equipment=list(found.equipment),
        inclusion=response,
        enrolled_by_id=actor.me,
        request_key=request_key,
    )
    open_to_cell(actor, follow_up)
    let_in(actor, follow_up, contact)
    live.ping(cell_topic(cell.pk))
    return follow_up


def cell_for(actor: Actor, cell_id: UUID) -> Cell:
    """The cell that will follow a patient: one's own, or one that takes patients of other establishments (EC-14).

    NotFound for any other, Refused for one in which nobody works or whose rules nobody approved.
    """
    cell = Cell.objects.open_to(actor).select_related("rules").filter(pk=cell_id).first()
    if cell is None:
        raise NotFound
    if not cell.members.at_work().exists():
        raise Refused(
            _(
                "Personne ne travaille dans cette cellule : ses alertes ne seraient vues de personne. Ajoutez-y un membre."
            ),
            field="cell",
        )
    check_rules(cell)
    return cell


def check_rules(cell: Cell) -> None:
    """Nobody is entrusted to rules that no clinician approved, but for invented people. Raises Refused."""
    if not cell.rules.approved_by and not settings.DEMO:
        raise Refused(
            _("Les règles d’alerte de cette cellule n’ont pas été approuvées par un clinicien."), field="cell"
        )


def context_of(patient: Patient) -> dict[str, list[Any]]:
    """What the inclusion form asks of the site itself."""
    known: dict[str, list[Any]] = {"ctx.sexe": [patient.sex or "I"]}
    if patient.birth_date:
        known["ctx.age"] = [round(months(patient.birth_date, timezone.localdate()) / 12, 2)]
    return known


def open_to_cell(actor: Actor, follow_up: FollowUp) -> None:
    """The establishment of the cell, and members who come from elsewhere, see the patient."""
    patient, cell = follow_up.dossier.patient, follow_up.cell
    grant = {"actor": actor, "patient": patient, "basis": Basis.EPISODE, "about": follow_up.pk}
    patients.grant_care(establishment_id=cell.establishment_id, **grant)
    elsewhere = cell.members.at_work().exclude(establishment_id=cell.establishment_id)
    for user_id in elsewhere.values_list("user_id", flat=True).distinct():
        patients.grant_care(user_id=user_id, **grant)


def open_until(follow_up: FollowUp) -> datetime:
    """Until when a way in lasts: 30 days after the last day."""
    return timezone.now() + (follow_up.ends_on - timezone.localdate()) + timedelta(days=SPACE_DAYS)


def keep_open(actor: Actor, follow_up: FollowUp) -> None:
    """The follow-up lasts longer: so do the ways in that would end before it, and one that has ended opens again."""
    until = open_until(follow_up)
    for grant in Grant.objects.filter(about=follow_up.pk, revoked_at=None, valid_until__lt=until):
        patients.extend(actor=actor, grant=grant, valid_until=until)


def let_in(actor: Actor, follow_up: FollowUp, contact: Contact) -> Grant:
    """A link, a login and a password until 30 days after the last day; an older way in is closed."""
    patients.revoke(actor=actor, about=follow_up.pk)
    grant, secrets = patients.open_grant(
        actor=actor,
        patient=follow_up.dossier.patient,
        about=follow_up.pk,
        holder=contact.holder,
        holder_name=contact.holder_name,
        email=contact.email,
        phone=contact.phone,
        valid_until=open_until(follow_up),
    )
    messages.send_access(follow_up, grant, secrets)
    return grant


def one_at_a_time(*names: str) -> None:
    """Until the transaction ends nobody else works under these names: of two clicks one waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM (SELECT unnest(%s::text[]) AS name ORDER BY 1) names",
            [sorted(names)],
        )


def name_of(patient_id: UUID) -> str:
    """Under which a patient is enrolled, by one at a time."""
    return f"follow-up:{patient_id}"


def _check(patient: Patient, contact: Contact) -> None:
    if FollowUp.objects.filter(dossier__patient=patient).exclude(state=State.CLOSED).exists():
        raise Refused(_("Ce patient est déjà suivi à domicile : ouvrez son suivi au lieu d’en créer un second."))
    if not contact.email and not contact.phone:
        raise Refused(_("Indiquez une adresse e-mail ou un téléphone pour envoyer le lien."), field="email")
