"""The sheet of one resident over all their requests (FG-03)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.directory.models import Establishment
from relais.dossiers.models import Document
from relais.dossiers.queries import documents_of
from relais.liaison import permissions as may
from relais.liaison.models import Request
from relais.liaison.queries.dlu import for_request
from relais.liaison.queries.sbar import in_words
from relais.liaison.workflow import State
from relais.patients.models import Patient

# What a resident keeps from one episode to the next; vital signs and the episode are asked anew.
LASTING = (
    "fg.tel", "fg.chambre", "fg.gir", "fg.avq", "fg.cognitif", "fg.mmse", "fg.cfs", "fg.nutrition", "fg.comorb", "fg.ttt",
    "fg.ttt.risque", "fg.allergies", "fg.da", "fg.souhait", "fg.nts", "fg.pconf", "fg.protection", "fg.vaccin",
    "fg.oxygene", "fg.oxygene.nb", "fg.moyens", "fg.ide.nuit",
)  # fmt: skip
SHOWN_OF_PATIENT = 20


def last_sheet(patient: Patient, establishment: Establishment) -> dict[str, list[Any]]:
    """What the last request that this nursing home sent for the resident says that lasts, or their DLU where it is newer."""
    sent = Request.objects.filter(patient=patient, establishment=establishment).exclude(response=None)
    last = sent.select_related("response").order_by("-submitted_at", "-pk").first()
    given = last.response.answers if last and last.response else {}
    known = {name: given[name] for name in LASTING if given.get(name)}
    return known | for_request(patient, last.submitted_at if last else None)


def requests_of(actor: Actor, patient: Patient) -> list[Request]:
    """The requests about a resident that the actor may read, the newest first, with the trace; drafts are the home's."""
    if not may.can_read(actor):
        return []
    seen = Request.objects.visible_to(actor).filter(patient=patient).exclude(state=State.CANCELLED, response=None)
    rows = seen.select_related("dossier", "establishment", "responsible", "service", "patient")
    found = list(rows.prefetch_related("decisions__by").order_by("-dossier__created_at", "-pk")[:SHOWN_OF_PATIENT])
    audit.record_list(actor=actor, action="liaison.list", ids=[one.pk for one in found])
    return found


@dataclass(frozen=True)
class Kept:
    """A request on the sheet, whether the reader may open it, its NEWS2 (*au moins 6* where a sign is missing), and the
    documents that they may open."""

    demand: Request
    opens: bool
    news2: str
    documents: list[Document]


def record_of(actor: Actor, patient: Patient) -> list[Kept]:
    """The shared record of a resident: what each call left, decisions and notes (FG-02), the newest first, with the trace.

    Whoever sees one request that was sent about them reads what was decided in all the others; those alone open. The home
    that the resident left for another reads its own.
    """
    if not may.can_read(actor):
        return []
    about = Request.objects.filter(patient=patient).exclude(state=State.CANCELLED, response=None)
    seen = set(about.visible_to(actor).order_by().values_list("pk", flat=True))
    sent = about.filter(response__isnull=False)
    mine = about.filter(pk__in=seen)
    shares = sent.filter(pk__in=seen).exists() and not may.has_left(actor, patient, may.MOVED)
    rows = sent | mine if shares else mine
    rows = rows.select_related("dossier", "establishment", "responsible", "service", "patient", "response")
    rows = rows.prefetch_related("decisions__by", "notes__author", "notes__sequel")
    found = list(rows.order_by("-dossier__created_at", "-pk")[:SHOWN_OF_PATIENT])
    audit.record_list(actor=actor, action="liaison.list", ids=[one.pk for one in found])
    held: dict[UUID, list[Document]] = {}
    for one in documents_of(actor, [one.dossier for one in found if one.pk in seen]):
        held.setdefault(one.dossier_id, []).append(one)
    return [
        Kept(one, one.pk in seen, in_words(one.response.answers) if one.response else "", held.get(one.pk, []))
        for one in found
    ]


def of_patient(actor: Actor, patient: Patient) -> list[Request] | None:
    """What a patient's page shows of liaison; None without any."""
    return requests_of(actor, patient) or None
