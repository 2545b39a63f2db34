"""The transfer sheet: the resident leaves, comes back, and what the ambulance carries (FG-05)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.core.reading import read_id
from relais.liaison import permissions as may
from relais.liaison import printing
from relais.liaison.actions import sending as actions
from relais.liaison.models import HospitalTransfer
from relais.liaison.queries import dlu as dlus
from relais.liaison.queries import transfers as queries
from relais.liaison.views.dlu import patient_of, pdf_of
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current, shown


def transfer_of(request: Any, transfer_id: UUID, why: str) -> HospitalTransfer:
    """A transfer of a resident whom the actor sees, through the door that leaves the trace."""
    rows = HospitalTransfer.objects.select_related(
        "patient", "establishment", "by", "demand__dossier", "front__questionnaire", "back__questionnaire"
    )
    rows = rows.defer("front__questionnaire__source", "back__questionnaire__source")
    found: HospitalTransfer = get_visible(rows, request.actor, pk=transfer_id)
    found = queries.as_of(found, may.moved_at(request.actor, found.patient))
    audit.record(actor=request.actor, action="transfer.read", about=found.pk, patient_id=found.patient_id, why=why)
    return found


@professional(*may.CLINICAL)
@require_safe
def page(request: Any, transfer_id: UUID) -> HttpResponse:
    """Both sides of a sheet, and its PDF."""
    found = transfer_of(request, transfer_id, "Lecture d’une fiche de transfert")
    demand = found.demand
    context = {
        "transfer": found,
        "patient": found.patient,
        "front": shown(found.front),
        "back": shown(found.back) if found.back else [],
        "dlu": dlus.dlu_of(found.patient, may.moved_at(request.actor, found.patient)),
        "may_correct": found.returned_at is None and may.can_send_off(request.actor, found.patient),
        "may_take_back": found.returned_at is None and may.can_take_back(request.actor, found),
        "opens": demand is not None and (may.in_home(request.actor, demand) or may.answers(request.actor, demand)),
    }
    return render(request, "liaison/transfer.html", context)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def send_off(request: Any, patient_id: UUID) -> HttpResponse:
    """The front, prefilled from the open request and the DLU."""
    patient = patient_of(request, patient_id, "Fiche de transfert")
    if not may.can_send_off(request.actor, patient):
        raise NotFound
    demand = queries.request_behind(request.actor, patient)
    questionnaire = current(actions.FRONT)
    posted = request if request.method == "POST" else None
    given = queries.prefilled(request.actor, patient, demand, timezone.now())
    form = Fill(questionnaire.form, answers=given, request=posted)
    if posted and form.ready:
        try:
            made = actions.send_off(
                actor=request.actor, patient=patient, questionnaire=questionnaire, answers=form.answers,
                times=form.times, request_key=form.request_key,
            )  # fmt: skip
        except Wrong as wrong:
            form.refuse(wrong)
        else:
            messages.success(request, _("Fiche de transfert enregistrée. Imprimez-la avec le DLU."))
            return redirect("liaison:transfer", made.pk)
    away = [one for one in queries.of_patient(patient) if one.returned_at is None]
    context = {"patient": patient, "fill": form, "demand": demand, "away": away[0] if away else None, "side": "front"}
    return render(request, "liaison/transfer_fill.html", context, status=422 if posted else 200)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: Any, transfer_id: UUID) -> HttpResponse:
    """The front, corrected as long as the resident is away."""
    found = transfer_of(request, transfer_id, "Correction d’une fiche de transfert")
    if found.returned_at or not may.can_send_off(request.actor, found.patient):
        raise NotFound
    questionnaire = current(actions.FRONT)
    posted = request if request.method == "POST" else None
    form = Fill(questionnaire.form, answers=found.front.answers, request=posted)
    refusal = ""
    if posted and form.ready:
        base = read_id(request.POST.get("base", ""))
        try:
            actions.correct(
                actor=request.actor, transfer=found, questionnaire=questionnaire, answers=form.answers,
                times=form.times, request_key=form.request_key, base=base,
            )  # fmt: skip
        except Wrong as wrong:
            form.refuse(wrong)
        except Refused as refused:
            refusal = refused.message
        else:
            messages.success(request, _("Fiche de transfert corrigée."))
            return redirect("liaison:transfer", found.pk)
    context = {
        "patient": found.patient,
        "fill": form,
        "transfer": found,
        "base": found.front_id,
        "refusal": refusal,
        "side": "front",
    }
    return render(request, "liaison/transfer_fill.html", context, status=422 if posted else 200)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: Any, transfer_id: UUID) -> HttpResponse:
    """The back: the resident is home again."""
    found = transfer_of(request, transfer_id, "Retour des urgences")
    if not may.can_take_back(request.actor, found):
        raise NotFound
    if found.returned_at:
        return redirect("liaison:transfer", found.pk)
    questionnaire = current(actions.BACK)
    posted = request if request.method == "POST" else None
    local = timezone.now().astimezone(PARIS)
    given = {"rt.jour": [local.date().isoformat()], "rt.heure": [f"{local:%H:%M}"]}
    form = Fill(questionnaire.form, answers=given, request=posted)
    if posted and form.ready:
        try:
            actions.take_back(
                actor=request.actor, transfer=found, questionnaire=questionnaire, answers=form.answers,
                times=form.times, request_key=form.request_key,
            )  # fmt: skip
        except Wrong as wrong:
            form.refuse(wrong)
        else:
            messages.success(request, _("Retour enregistré. Mettez le DLU à jour."))
            return redirect("liaison:transfer", found.pk)
    context = {"patient": found.patient, "fill": form, "transfer": found, "side": "back"}
    return render(request, "liaison/transfer_fill.html", context, status=422 if posted else 200)


@professional(*may.CLINICAL)
@require_safe
def print_out(request: Any, transfer_id: UUID) -> HttpResponse:
    """Front, back and DLU as one PDF."""
    found = transfer_of(request, transfer_id, "Impression d’une fiche de transfert")
    until = may.moved_at(request.actor, found.patient)
    return pdf_of(printing.transfer_pdf(found, at=timezone.now(), until=until), "fiche-de-liaison-d-urgence.pdf")
