"""What leaves of a tele-expertise: FHIR, with its trace."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from relais.core.access import professional
from relais.dossiers.views import give_fhir
from relais.expertise import permissions as may
from relais.expertise.queries import bundle
from relais.expertise.views.request import asked_of


@professional(*may.CLINICAL)
@require_safe
def fhir(request: Any, dossier_id: UUID) -> HttpResponse:
    """One tele-expertise as a FHIR R4 Bundle, for whoever reads it."""
    asked = asked_of(request, dossier_id, "Export FHIR de la télé-expertise")
    return give_fhir(bundle.bundle(request.actor, asked), asked.dossier.reference)
