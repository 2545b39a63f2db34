"""Documents of a request (FG-05): shown, added."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.dossiers.models import Document, Dossier
from relais.dossiers.views import show_document
from relais.files import spool
from relais.liaison import permissions as may
from relais.liaison.actions import filing
from relais.liaison.views.request import context_of, request_of


@professional(*may.CLINICAL)
@require_safe
def document(request: Any, document_id: UUID) -> HttpResponseBase:
    """A document looked at or downloaded, with its trace."""
    return show_document(request, _document_of(request, document_id))


def _document_of(request: Any, document_id: UUID) -> Document:
    rows = Document.objects.select_related("file", "dossier__patient").filter(dossier__kind="liaison")
    found = rows.filter(pk=document_id, dossier__in=Dossier.objects.visible_to(request.actor)).first()
    if found is None:
        raise NotFound
    return found


@professional(*may.CLINICAL)
@require_POST
def add(request: Any, dossier_id: UUID) -> HttpResponse:
    """Another document: test results, a photograph."""
    found = request_of(request, dossier_id, "Ajout d’un document")
    title = request.POST.get("title", "")
    try:
        files = spool.received(request)
        filing.add(actor=request.actor, demand=found, upload=files[0] if files else None, title=title)
    except Refused as refused:
        if not may.can_exchange(request.actor, found):
            raise
        typed = {"title": title, "error": refused.message}
        return render(request, "liaison/request.html", context_of(request, found, filing=typed), status=422)
    messages.success(request, _("Document ajouté."))
    return redirect("liaison:request", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def withdraw(request: Any, document_id: UUID) -> HttpResponse:
    """A document of the wrong resident."""
    document = _document_of(request, document_id)
    found = request_of(request, document.dossier_id, "Retrait d’un document")
    filing.withdraw(actor=request.actor, demand=found, document=document, why=request.POST.get("why", ""))
    messages.success(request, _("Document retiré : plus personne ne peut l’ouvrir, la trace en est gardée."))
    return redirect("liaison:request", found.pk)
