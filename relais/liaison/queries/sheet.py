"""The sheet of one resident over all their requests (FG-03)."""

from typing import Any

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.directory.models import Establishment
from relais.liaison import permissions as may
from relais.liaison.models import Request
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
    """What the last request that this nursing home sent for the resident says that lasts."""
    sent = Request.objects.filter(patient=patient, establishment=establishment).exclude(response=None)
    last = sent.select_related("response").order_by("-submitted_at", "-pk").first()
    if last is None or last.response is None:
        return {}
    return {name: last.response.answers[name] for name in LASTING if last.response.answers.get(name)}


def requests_of(actor: Actor, patient: Patient) -> list[Request]:
    """The requests about a resident that the actor may read, the newest first, with the trace; drafts are the home's."""
    if not may.can_read(actor):
        return []
    seen = Request.objects.visible_to(actor).filter(patient=patient).exclude(state=State.CANCELLED, response=None)
    rows = seen.select_related("dossier", "establishment", "responsible", "service", "patient")
    found = list(rows.prefetch_related("decisions__by").order_by("-dossier__created_at", "-pk")[:SHOWN_OF_PATIENT])
    audit.record_list(actor=actor, action="liaison.list", ids=[one.pk for one in found])
    return found


def of_patient(actor: Actor, patient: Patient) -> list[Request] | None:
    """What a patient's page shows of liaison; None without any."""
    return requests_of(actor, patient) or None
