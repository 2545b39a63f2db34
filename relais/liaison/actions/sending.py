"""A resident leaves for the hospital, and comes back: the two sides of the transfer sheet (FG-05, domain.md §3.5)."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.paris import to_utc
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import permissions as may
from relais.liaison.actions.dlu import held, tell
from relais.liaison.models import HospitalTransfer, Request
from relais.liaison.queries.transfers import request_behind
from relais.patients.models import Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who, Wrong
from relais.questionnaires.models import Questionnaire, Relation, Response

FRONT, BACK = "filgeria-transfert", "filgeria-retour"
AHEAD = timedelta(hours=24)  # a sheet is prepared for an ambulance that is on its way


@whole
def send_off(
    *,
    actor: Actor,
    patient: Patient,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
) -> HospitalTransfer:
    """The front: the resident leaves. Joined to their open request when there is one. The same page sent twice makes one.

    Raises Wrong with what is missing or impossible, Refused where the home may only read.
    """
    patient = held(actor, patient)
    if same := HospitalTransfer.objects.filter(pk=request_key).first():
        if same.patient_id != patient.pk:
            raise NotFound
        return same
    kept = questionnaires.answer(
        actor=actor, about=request_key, questionnaire=questionnaire, answers=answers, times=times,
        request_key=request_key, who=Who(relation=Relation.PROFESSIONAL),
    ).response  # fmt: skip
    departed_at = _departure(kept.answers)
    demand = request_behind(actor, patient)
    made = HospitalTransfer.objects.create(
        pk=request_key, patient=patient, establishment_id=actor.here, demand=demand,
        by=User.objects.get(pk=actor.me), front=kept, departed_at=departed_at,
    )  # fmt: skip
    audit.record(actor=actor, action="transfer.write", about=made.pk, patient_id=patient.pk)
    _happened(demand, "sent_off", actor, made)
    return made


@whole
def correct(
    *,
    actor: Actor,
    transfer: HospitalTransfer,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
    base: UUID | None,
) -> HospitalTransfer:
    """Correct the front as long as the resident is away; `base` is what the page was filled from. Refused when somebody
    corrected it in between: what was typed stays on the page."""
    held(actor, transfer.patient)
    found = _locked(transfer)
    if found.returned_at:
        raise NotFound
    before = Response.objects.select_related("questionnaire").filter(pk=base).first() if base else None
    kept = questionnaires.answer(
        actor=actor, about=found.pk, questionnaire=questionnaire, answers=answers, times=times,
        request_key=request_key, who=Who(relation=Relation.PROFESSIONAL), replaces=before or found.front,
    ).response  # fmt: skip
    found.departed_at, found.front = _departure(kept.answers), kept
    found.save(update_fields=["front", "departed_at"])
    audit.record(actor=actor, action="transfer.write", about=found.pk, patient_id=found.patient_id)
    _happened(found.demand, "sheet_corrected", actor, found)
    return found


@whole
def take_back(
    *,
    actor: Actor,
    transfer: HospitalTransfer,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
) -> HospitalTransfer:
    """The back: the resident is home again. Written once; the second one reads what the first wrote.

    Raises Wrong with what is missing or impossible, a return before the departure among it.
    """
    get_visible(Patient, actor, pk=transfer.patient_id)
    if not may.can_take_back(actor, transfer):
        raise NotFound
    found = _locked(transfer)
    if found.returned_at:
        return found
    kept = questionnaires.answer(
        actor=actor, about=found.pk, questionnaire=questionnaire, answers=answers, times=times,
        request_key=request_key, who=Who(relation=Relation.PROFESSIONAL),
    ).response  # fmt: skip
    returned_at = moment(kept.answers, "rt")
    if returned_at < found.departed_at:
        raise Wrong({"rt.heure": _("Le retour ne peut pas précéder le départ.")})
    if returned_at > timezone.now():
        raise Wrong({"rt.heure": _("Cette heure n’est pas encore passée.")})
    found.back, found.returned_at = kept, returned_at
    found.save(update_fields=["back", "returned_at"])
    audit.record(actor=actor, action="transfer.write", about=found.pk, patient_id=found.patient_id)
    _happened(found.demand, "taken_back", actor, found)
    return found


def moment(answers: dict[str, list[Any]], prefix: str) -> datetime:
    """The day and hour of a side. Raises Wrong for an hour that does not exist that day."""
    day, hour = answers[f"{prefix}.jour"][0], answers[f"{prefix}.heure"][0]
    try:
        return to_utc(date.fromisoformat(day), time.fromisoformat(hour))
    except Refused as refused:
        raise Wrong({f"{prefix}.heure": refused.message}) from None


def _departure(answers: dict[str, list[Any]]) -> datetime:
    found = moment(answers, "ft")
    if found > timezone.now() + AHEAD:
        raise Wrong({"ft.heure": _("Le départ se place au plus tard dans 24 heures.")})
    return found


def _locked(transfer: HospitalTransfer) -> HospitalTransfer:
    rows = HospitalTransfer.objects.select_for_update(of=("self",)).select_related("patient", "demand", "front")
    return rows.get(pk=transfer.pk)


def _happened(demand: Request | None, verb: str, actor: Actor, transfer: HospitalTransfer) -> None:
    """The event in the request from which the resident left, and the pages told."""
    if demand:
        dossiers.record(demand.dossier, verb, actor, transfer=str(transfer.pk))
    tell(transfer.patient)
