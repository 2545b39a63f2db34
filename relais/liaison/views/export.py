"""What leaves of liaison as FHIR: a request, a DLU, the sides of a transfer sheet. Each leaves a trace."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from relais.core.access import professional
from relais.core.errors import NotFound
from relais.dossiers.views import give_fhir
from relais.liaison import permissions as may
from relais.liaison.queries import bundle, composition
from relais.liaison.queries import dlu as dlus
from relais.liaison.views.dlu import patient_of
from relais.liaison.views.request import request_of
from relais.liaison.views.transfers import transfer_of


@professional(*may.CLINICAL)
@require_safe
def demand(request: Any, dossier_id: UUID) -> HttpResponse:
    """One request as a FHIR R4 Bundle, for whoever reads it."""
    found = request_of(request, dossier_id, "Export FHIR de la demande")
    return give_fhir(bundle.bundle(request.actor, found), found.dossier.reference)


@professional(*may.CLINICAL)
@require_safe
def dlu(request: Any, patient_id: UUID) -> HttpResponse:
    """The DLU in force as a FHIR R4 document."""
    patient = patient_of(request, patient_id, "Export FHIR du DLU")
    found = dlus.brief(patient, until=may.moved_at(request.actor, patient))
    if found is None:
        raise NotFound
    return give_fhir(composition.dlu(found), "dlu")


@professional(*may.CLINICAL)
@require_safe
def departure(request: Any, transfer_id: UUID) -> HttpResponse:
    """The front of a transfer sheet as a FHIR R4 document."""
    found = transfer_of(request, transfer_id, "Export FHIR d’une fiche de transfert")
    return give_fhir(composition.departure(found), "fiche-de-transfert")


@professional(*may.CLINICAL)
@require_safe
def arrival(request: Any, transfer_id: UUID) -> HttpResponse:
    """The back, once it is written."""
    made = composition.arrival(transfer_of(request, transfer_id, "Export FHIR d’un retour des urgences"))
    if made is None:
        raise NotFound
    return give_fhir(made, "retour-des-urgences")
