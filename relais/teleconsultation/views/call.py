"""The call inside a teleconsultation: the room's page with the dossier beside it, and a third person by link."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.core.access import patient, professional
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.dossiers import queries as dossier_queries
from relais.rooms.models import Room
from relais.rooms.queries import get_room
from relais.rooms.views.call import context
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.actions import call as actions
from relais.teleconsultation.forms import GuestForm
from relais.teleconsultation.views.dossier import tele_of


def _room_id(about: Any) -> UUID:
    room = Room.objects.filter(about=about).first()
    if not room:
        raise NotFound
    return room.pk


@professional(*may.CLINICAL)
@require_POST
def join(request: Any, dossier_id: UUID) -> HttpResponse:
    """*Rejoindre*: the call window opens at the patient's too (TC-36)."""
    actions.join(actor=request.actor, tele=tele_of(request, dossier_id, "Téléconsultation"))
    return redirect("teleconsultation:call", dossier_id)


@professional(*may.CLINICAL)
def page(request: Any, dossier_id: UUID) -> HttpResponse:
    """The call, for those who joined; the dossier stays within reach, its documents live (TC-38 … TC-43)."""
    tele = tele_of(request, dossier_id, "Téléconsultation en cours")
    room, invitation = get_room(request.actor, _room_id(tele.pk))
    documents = dossier_queries.documents(request.actor, tele.dossier)
    prepared = queries.filled(tele).get(queries.PREPARATION)
    beside = {
        "documents": documents,
        "prepared": prepared,
        "prepared_sections": queries.read_preparation(tele, prepared),
    }
    if request.htmx and request.htmx.target == "call-documents":
        return render(request, "teleconsultation/_call_documents.html", beside)
    dossier_url = reverse("teleconsultation:dossier", args=[tele.pk])
    return render(
        request,
        "teleconsultation/call.html",
        {
            **context(
                request, room, invitation, back_url=dossier_url,
                capture_url=reverse("teleconsultation:capture", args=[tele.pk]),
            ),
            "tele": tele,
            **beside,
            "topic": dossiers.topic(tele.pk),
            "may": {"report": may.can_report(request.actor, tele), "prescribe": may.can_prescribe(request.actor, tele)},
            "verbs": queries.verbs(request.actor, tele),
            "guest_form": GuestForm(prefix="g"),
            "inside": [],
        },
    )  # fmt: skip


@professional(*may.CLINICAL)
@require_POST
def invite(request: Any, dossier_id: UUID) -> HttpResponse:
    """A third person by link: family elsewhere, interpreter, nurse (B1.4)."""
    tele = tele_of(request, dossier_id, "Invitation d’une personne")
    form = GuestForm(request.POST, prefix="g")
    if not form.is_valid():
        sentences = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return HttpResponse(escape(sentences), status=422)  # a sentence may repeat what was typed
    try:
        actions.invite_guest(actor=request.actor, tele=tele, **form.cleaned_data)
    except Refused as refused:
        return HttpResponse(refused.message, status=422)
    if request.htmx:
        return HttpResponse(_("Invitation envoyée. La personne attendra que vous l’admettiez."))
    messages.success(request, _("Invitation envoyée. La personne attendra que vous l’admettiez."))
    return redirect("teleconsultation:dossier", dossier_id)


@patient
@require_POST
def patient_join(request: Any) -> HttpResponse:
    """TC-27, TC-33, TC-35: into the waiting room."""
    tele = tele_of(request, request.actor.about, "Salle d’attente")
    actions.check_patient_may_enter(request.actor, tele)
    return redirect("space:call")


@patient
def patient_page(request: Any) -> HttpResponse:
    """The same page for the patient, and for a guest: waiting first, then the call."""
    if request.actor.is_patient:
        tele = tele_of(request, request.actor.about, "Téléconsultation")
        if not actions.patient_may_enter(tele):
            return redirect("space:home")
    room, invitation = get_room(request.actor, _room_id(request.actor.about))
    back = reverse("space:home") if request.actor.is_patient else reverse("patient:start")
    return render(request, "teleconsultation/space/call.html", context(request, room, invitation, back_url=back))
