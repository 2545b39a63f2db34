"""The nursing home asks: the draft, kept as one types, and its sending."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound
from relais.dossiers import queries as dossiers
from relais.liaison import permissions as may
from relais.liaison import scores
from relais.liaison.actions import asking as actions
from relais.liaison.actions.owning import samu_of
from relais.liaison.models import Request
from relais.liaison.views.request import request_of
from relais.liaison.workflow import State
from relais.patients.models import Patient
from relais.questionnaires import logic
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current


@professional(*may.CLINICAL)
@require_POST
def start(request: Any, patient_id: UUID) -> HttpResponse:
    """Begin a request about a resident, or go on with the draft that is there."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    origin = dossiers.origin_for(request.actor, patient.pk, request.POST.get("depuis", ""))
    made = actions.start(actor=request.actor, patient=patient, origin_id=origin.pk if origin else None)
    return redirect("liaison:fill", made.pk)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def fill(request: Any, dossier_id: UUID) -> HttpResponse:
    """FG-04: the questionnaire of the scheme, vital signs first."""
    found = request_of(request, dossier_id, "Saisie d’une demande")
    if not may.can_write(request.actor, found):
        raise NotFound
    if found.state != State.DRAFT:
        if request.method == "POST":
            messages.info(request, _("Cette demande est déjà partie : une seule a été envoyée."))
        return redirect("liaison:request", dossier_id)
    questionnaire = current(actions.FORM)
    posted = request if request.method == "POST" else None
    form = Fill(questionnaire.form, answers=found.draft, request=posted)
    if posted:
        actions.keep_draft(actor=request.actor, demand=found, answers=form.answers)
        if form.ready:
            try:
                sent = actions.submit(
                    actor=request.actor, demand=found, questionnaire=questionnaire, answers=form.answers,
                    uploads=form.uploads, times=form.times, request_key=form.request_key,
                )  # fmt: skip
            except Wrong as wrong:
                form.refuse(wrong)
            else:
                _say_sent(request, sent)
                return redirect("liaison:request", dossier_id)
    context = {
        "found": found,
        "patient": found.patient,
        "fill": form,
        "scores": scores.score(_readable(form)),
        "samu": samu_of(found.establishment.department),
        "tables_json": json.dumps(scores.tables(), ensure_ascii=False),
    }
    return render(request, "liaison/fill.html", context, status=422 if posted else 200)


def _readable(form: Fill) -> dict[str, Any]:
    """What was typed so far as values: what cannot be read is left out."""
    return logic.check(form.form, form.answers, timezone.localdate(), draft=True).answers


def _say_sent(request: Any, sent: Request) -> None:
    if sent.responsible:
        messages.success(
            request, _("Demande envoyée. %(who)s est prévenu et la voit.") % {"who": sent.responsible.full_name}
        )
    else:
        messages.warning(request, _("Demande envoyée, mais personne n’est nommé à l’astreinte : téléphonez."))


@professional(*may.CLINICAL)
@require_POST
def keep(request: Any, dossier_id: UUID) -> HttpResponse:
    """What is typed so far, sent by the page by itself: says when it was kept."""
    found = request_of(request, dossier_id, "Brouillon d’une demande")
    answers = Fill(current(actions.FORM).form, request=request).answers
    kept = actions.keep_draft(actor=request.actor, demand=found, answers=answers)
    if kept.state != State.DRAFT:
        return JsonResponse({"sent": True})
    return JsonResponse({"kept": _("Enregistré à %s") % timezone.localtime().strftime("%H:%M:%S")})
