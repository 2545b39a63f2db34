"""What the modules of all kinds of dossier answer alike: a document looked at (one door, one trace), a FHIR file."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from relais.audit import actions as audit
from relais.core.errors import NotFound
from relais.dossiers import permissions as may
from relais.dossiers.models import Document
from relais.dossiers.registry import KINDS
from relais.files import looking
from relais.files.dicom.identity import Person
from relais.patients.models import Patient


def show_document(request: Any, document: Document, *, back: str = "") -> HttpResponseBase:
    """Looked at or downloaded, as the address says (see files.looking), with its trace: one a look.

    The caller has found it through the door of its dossier. NotFound for who may not see it. `back`: the page that it
    leads back to, the dossier's own unless said.
    """
    if not may.can_see_document(request.actor, document):
        raise NotFound
    dossier = document.dossier
    if not looking.goes_on(request, document.file):
        audit.record(
            actor=request.actor, action="document.read", about=dossier.pk, patient_id=dossier.patient_id,
            why=document.get_kind_display(),
        )  # fmt: skip
    home = back or reverse(KINDS[dossier.kind].url_name, args=[dossier.pk])
    return looking.answer(
        request, document.file, title=document.title, person=person_of(dossier.patient), back=f"{home}#documents"
    )


def person_of(patient: Patient) -> Person:
    """The traits to which an image's own are compared."""
    born = f" ({patient.birth_date:%d/%m/%Y})" if patient.birth_date else ""
    return Person(
        label=f"{patient.full_name}{born}",
        family_names=tuple(filter(None, (patient.birth_family_name, patient.used_family_name))),
        given_names=tuple(filter(None, (*patient.birth_given_names.split(), patient.used_given_name))),
        birth_date=patient.birth_date,
    )


def give_fhir(resource: dict[str, Any], name: str) -> HttpResponse:
    """A FHIR resource as a file to keep, never a page. `name`, without patient data, goes without its end.

    The caller has opened what it holds through the door that leaves the trace.
    """
    response = JsonResponse(resource, content_type="application/fhir+json", json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response["Cache-Control"] = "no-store"
    return response
