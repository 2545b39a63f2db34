"""A resident's ways to the hospital and back, as screens need them."""

from datetime import datetime
from typing import Any

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.core.paris import PARIS
from relais.directory.models import Establishment
from relais.liaison.models import TO_HOSPITAL, Decision, HospitalTransfer, Request, Told
from relais.liaison.queries.dlu import dlu_of
from relais.liaison.workflow import OPEN
from relais.patients.models import Patient

# Vital signs and reason of a request, as the transfer sheet asks them.
SAME = {
    "fg.motif": "ft.motif", "fg.question.txt": "ft.histoire", "fg.fr": "ft.fr", "fg.spo2": "ft.spo2",
    "fg.o2debit": "ft.o2debit", "fg.pas": "ft.pas", "fg.pad": "ft.pad", "fg.fc": "ft.fc", "fg.temp": "ft.temp",
    "fg.glyc": "ft.glyc", "fg.conscience": "ft.conscience", "fg.douleur": "ft.douleur", "fg.tel": "ft.tel",
}  # fmt: skip
SHOWN = 10


def request_behind(actor: Actor, patient: Patient) -> Request | None:
    """The open request of the actor's nursing home about the resident: that from which they leave."""
    rows = Request.objects.filter(patient=patient, establishment_id=actor.here, state__in=OPEN)
    return rows.select_related("response", "dossier").order_by("-submitted_at", "-pk").first()


def prefilled(actor: Actor, patient: Patient, demand: Request | None, now: datetime) -> dict[str, list[Any]]:
    """The front before anybody types: the hour, the caller, the DLU's telephone, reason and vital signs of the request."""
    local = now.astimezone(PARIS)
    author = User.objects.get(pk=actor.me)
    known: dict[str, list[Any]] = {
        "ft.jour": [local.date().isoformat()],
        "ft.heure": [f"{local:%H:%M}"],
        "ft.appelant": [", ".join(part for part in (author.full_name, author.profession) if part)],
    }
    if phone := Establishment.objects.get(pk=actor.here).phone:
        known["ft.tel"] = [phone]
    if demand and demand.response:
        answers = demand.response.answers
        known |= {ours: answers[name] for name, ours in SAME.items() if answers.get(name)}
        told = demand.decisions.order_by("-created_at", "-pk").first()
        if told and told.family == Told.YES:
            known["ft.prevenus"] = ["famille"]
    if dlu := dlu_of(patient):
        known["ft.documents"] = ["dlu"]
        known |= {"ft.tel": dlu.response.answers["dlu.tel"]} if dlu.response.answers.get("dlu.tel") else {}
    return known


def of_patient(patient: Patient, until: datetime | None = None) -> list[HospitalTransfer]:
    """The last ones of a resident, the newest first; as they stood at a moment (`permissions.moved_at`).

    The caller has opened the patient for whoever asks.
    """
    rows = HospitalTransfer.objects.filter(patient=patient).select_related("establishment", "by", "front")
    rows = rows.filter(created_at__lte=until) if until else rows
    return [as_of(one, until) for one in rows.order_by("-departed_at", "-pk")[:SHOWN]]


def as_of(transfer: HospitalTransfer, until: datetime | None) -> HospitalTransfer:
    """The sheet without a return that was written after this moment; nobody saves it. NotFound when it was begun after."""
    if until and transfer.created_at > until:
        raise NotFound
    if until and transfer.back and transfer.back.received_at > until:
        transfer.back, transfer.returned_at = None, None
    return transfer


def of_request(demand: Request) -> list[HospitalTransfer]:
    """The sheets that were filled from a request, the newest first."""
    return list(demand.hospital_transfers.select_related("by", "front").order_by("-departed_at", "-pk"))


def wanted(demand: Request) -> Decision | None:
    """The last decision on an open request, if it sends the resident to a hospital and no sheet is filled yet."""
    if demand.state not in OPEN or demand.hospital_transfers.exists():
        return None
    last = demand.decisions.order_by("-created_at", "-pk").first()
    return last if last and last.code in TO_HOSPITAL else None
