"""The patient space: four things to do, one column, plain words (TC-29 … TC-36)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.core.access import patient
from relais.core.errors import NotFound, Refused
from relais.dossiers import queries as dossier_queries
from relais.dossiers.models import Document
from relais.dossiers.views import show_document
from relais.patients.models import Grant
from relais.rooms import queries as rooms
from relais.rooms.views import selftest
from relais.teleconsultation import queries
from relais.teleconsultation.actions import call, preparation, record
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.views.dossier import one_file, tele_of


def _tele(request: Any, why: str) -> Teleconsultation:
    """The one appointment that this grant opens."""
    return tele_of(request, request.actor.about, why)


def _context(request: Any, tele: Teleconsultation) -> dict[str, Any]:
    prepared = queries.filled(tele).get(queries.PREPARATION)
    documents = dossier_queries.documents(request.actor, tele.dossier)
    return {
        "tele": tele,
        "grant": Grant.objects.get(pk=request.actor.grant_id),
        "may_enter": call.patient_may_enter(tele),
        "opens_at": tele.starts_at - call.PATIENT_EARLY,
        "over": tele.state not in ("planned", "in_call"),
        "held": not tele.state.startswith("absent_")
        and (tele.state != "closed" or bool(tele.started_at or tele.incident)),
        "prepared": prepared,
        "preparation_over": preparation.over(tele, prepared),
        "documents": documents,
        "received": [one for one in documents if one.author_grant_id is None],
        "test": rooms.last_tests([tele.pk]).get(tele.pk),
        "topic": call.space_topic(tele),
        "presence_url": reverse("patient_rooms:presence"),
        "now": timezone.now(),
    }


@patient
def home(request: Any) -> HttpResponse:
    """The appointment, what to do next and when."""
    if not request.actor.is_patient:
        return redirect("space:call")  # a guest has the room, and nothing else
    tele = _tele(request, "Espace patient")
    return render(request, "teleconsultation/space/home.html", _context(request, tele))


@patient
@require_http_methods(["GET", "POST"])
def documents(request: Any) -> HttpResponse:
    """TC-30: read one's documents, and deposit."""
    tele = _tele(request, "Documents de l’espace patient")
    error = ""
    if request.method == "POST":
        try:
            record.deposit(
                actor=request.actor, tele=tele, upload=one_file(request), title=request.POST.get("title", "")
            )
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("Document envoyé. Le professionnel le voit dès maintenant."))
            return redirect("space:documents")
    context = {
        **_context(request, tele),
        "error": error,
        "title": request.POST.get("title", ""),
        "may_deposit": tele.dossier.phase in ("open", "done"),
    }
    return render(request, "teleconsultation/space/documents.html", context, status=422 if error else 200)


@patient
def document(request: Any, document_id: UUID) -> HttpResponseBase:
    """One document, to look at or keep."""
    found = (
        Document.objects.select_related("dossier__patient", "file")
        .filter(pk=document_id, dossier_id=request.actor.about)
        .first()
    )
    if not found:
        raise NotFound
    return show_document(request, found, back=reverse("space:documents"))


@patient
def test(request: Any) -> HttpResponse:
    """TC-31: the self-test; advised, never blocking (TC-32)."""
    tele = _tele(request, "Test du matériel")
    context = {**_context(request, tele), **selftest.context(request)}
    return render(request, "teleconsultation/space/test.html", context)


@patient
def readers(request: Any) -> HttpResponse:
    """Who has seen my file (D13)."""
    tele = _tele(request, "Liste des accès")
    return render(
        request,
        "teleconsultation/space/readers.html",
        {**_context(request, tele), "readers": dossier_queries.readers(tele.dossier)},
    )
