"""The nursing home's side: a draft that is kept as one types, sent once, completed, cancelled (FG-01, FG-04)."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.dossiers.models import DocumentKind
from relais.files.models import StoredFile
from relais.liaison import permissions as may
from relais.liaison import scores
from relais.liaison.actions import owning
from relais.liaison.actions.states import lock, move, tell_pages
from relais.liaison.models import Request
from relais.liaison.queries.sheet import last_sheet
from relais.liaison.workflow import State
from relais.patients.models import Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation

KIND, FORM = "liaison", "filgeria-demande"
READ_ONLY = "Dans cette région, les EHPAD lisent les dossiers sans y écrire : appelez l’astreinte."


@whole
def start(*, actor: Actor, patient: Patient, origin_id: UUID | None = None) -> Request:
    """The draft of a request about a resident, prefilled from their last sheet; one that is being written already comes back."""
    patient = get_visible(Patient, actor, pk=patient.pk)
    establishment = Establishment.objects.get(pk=actor.here)
    if not may.can_start(actor, establishment):
        if may.can_read(actor) and establishment.kind in may.HOMES:
            raise Refused(_(READ_ONLY))
        raise NotFound
    if patient.deceased_on:
        raise Refused(_("Ce résident est décédé : aucune demande ne peut plus être ouverte."))
    drafts = Request.objects.filter(patient=patient, establishment=establishment, state=State.DRAFT)
    if found := drafts.first():
        return found
    try:
        with transaction.atomic():  # a savepoint: the other tab's draft may come in between
            dossier = dossiers.create(
                actor=actor, kind=KIND, patient=patient, establishment=establishment, origin_id=origin_id
            )
            return Request.objects.create(
                dossier=dossier, patient=patient, establishment=establishment, draft=last_sheet(patient, establishment)
            )
    except IntegrityError:
        return drafts.get()


@whole
def keep_draft(*, actor: Actor, demand: Request, answers: dict[str, list[Any]]) -> Request:
    """What is typed so far, whatever it is worth; nothing once the request was sent."""
    locked = lock(actor, demand.pk)
    if not may.can_write(actor, locked):
        raise NotFound
    if locked.state == State.DRAFT:
        locked.draft, locked.drafted_at = answers, timezone.now()
        locked.save(update_fields=["draft", "drafted_at"])
    return locked


@whole
def submit(
    *,
    actor: Actor,
    demand: Request,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    uploads: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
) -> Request:
    """Send a demand: answers kept, scores noted, the first of the route asked, the SAMU called in when FG-R1 fires.

    Sent twice (the same `request_key`, or a page that is older than the sending) it is sent once. Raises Wrong with what
    is missing or impossible.
    """
    locked = lock(actor, demand.pk)
    if not may.can_write(actor, locked):
        raise NotFound
    if locked.state not in (State.DRAFT, State.CANCELLED):
        return locked
    if locked.patient.deceased_on:
        raise Refused(_("Ce résident est décédé : la demande n’est pas partie."))
    kept = questionnaires.answer(
        actor=actor, about=locked.pk, questionnaire=questionnaire, answers=answers, uploads=uploads, times=times,
        request_key=request_key, who=Who(relation=Relation.PROFESSIONAL),
    ).response  # fmt: skip
    now = timezone.now()
    found = scores.score(kept.answers)
    duty = owning.next_of(locked, now)
    moved = move(
        actor=actor, demand=locked, verb="submit", response=kept, draft={}, submitted_at=now,
        urgency=scores.first(kept.answers, "fg.urgence"), motive=scores.first(kept.answers, "fg.motif"),
        red=bool(found.red), news2=found.news2, qsofa=found.qsofa, **owning.asking(locked, duty, now),
    )  # fmt: skip
    if duty:
        owning.join(actor, moved, duty.service)
    owning.told(moved)
    if moved.red or moved.responsible_id is None:
        owning.call_in_samu(actor, moved)
    _file(actor, moved, kept.answers.get("fg.pieces", []))
    tell_pages(moved, urgent=True)
    return moved


def _file(actor: Actor, demand: Request, pks: list[str]) -> None:
    """The files of the form stand among the documents of the request (FG-05)."""
    files = StoredFile.objects.in_bulk([UUID(pk) for pk in pks])
    for pk in pks:
        file = files[UUID(pk)]
        kind = DocumentKind.PHOTO if file.content_type.startswith("image/") else DocumentKind.OTHER
        dossiers.add_document(actor=actor, dossier=demand.dossier, file=file, kind=kind, title=file.name)


@whole
def cancel(*, actor: Actor, demand: Request) -> Request:
    """Give up a draft, or a request that nobody has taken."""
    now = timezone.now()
    owning.drop_hand_overs(demand, now)
    return move(
        actor=actor, demand=demand, verb="cancel", draft={}, responsible=None, unowned_since=None, closed_at=now
    )
