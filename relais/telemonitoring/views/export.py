"""What leaves: a cell's follow-ups and answers as CSV, one follow-up as FHIR or as a printed summary. Each leaves a trace."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core import pdf
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound
from relais.dossiers.views import give_fhir
from relais.files import handoff
from relais.telemonitoring import permissions as may
from relais.telemonitoring.models import Cell
from relais.telemonitoring.queries import bundle, exports
from relais.telemonitoring.queries import summary as summaries
from relais.telemonitoring.views.follow_up import follow_up_of, phones

TEMPLATE = Path(__file__).parent.parent / "typst" / "summary.typ"


@professional("practitioner")
@require_safe
def follow_ups_csv(request: Any, cell_id: UUID) -> StreamingHttpResponse:
    """Every follow-up of a cell, a line each."""
    return _csv(request, cell_id, "suivis", exports.follow_ups)


@professional("practitioner")
@require_safe
def answers_csv(request: Any, cell_id: UUID) -> StreamingHttpResponse:
    """Every answer set of a cell, a line each."""
    return _csv(request, cell_id, "reponses", exports.answers)


def _csv(
    request: Any, cell_id: UUID, name: str, lines: Callable[[Cell, exports.Traced], Iterator[bytes]]
) -> StreamingHttpResponse:
    """Streamed outside the page threads; a part whose trace cannot be written does not leave."""
    actor = request.actor
    cell: Cell = get_visible(Cell, actor, pk=cell_id)
    if not may.can_export(actor, cell):
        raise NotFound
    audit.record(actor=actor, action="telemonitoring.export", about=cell.pk, why=f"Export CSV : {name}")

    def trace(ids: list[UUID]) -> None:
        audit.record_list(actor=actor, action="telemonitoring.export", ids=ids)

    response = handoff.respond(iter(lines(cell, trace)), "text/csv; charset=utf-8")
    return _named(response, f"{name}-{timezone.localdate():%Y-%m-%d}.csv")


@professional(*may.CLINICAL)
@require_safe
def fhir(request: Any, dossier_id: UUID) -> HttpResponse:
    """One follow-up as a FHIR R4 Bundle."""
    found = follow_up_of(request, dossier_id, "Export FHIR du suivi")
    return give_fhir(bundle.bundle(found), found.dossier.reference)


@professional(*may.CLINICAL)
@require_safe
def summary(request: Any, dossier_id: UUID) -> HttpResponse:
    """The printed summary of one follow-up, for the hospital."""
    found = follow_up_of(request, dossier_id, "Synthèse imprimée du suivi")
    by = User.objects.get(pk=request.actor.me).full_name
    now = timezone.now()
    with translation.override("fr"):
        data = summaries.summary(found, phones=phones(found), by=by, at=now)
        title = f"{data['heading']} {found.dossier.reference}"
        made = pdf.render(TEMPLATE, {**data, "author": by}, title=title, at=now, own=())
    return _named(HttpResponse(made, content_type="application/pdf"), f"{found.dossier.reference}.pdf")


def _named(response: Any, name: str) -> Any:
    """A file to keep, never a page."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
