"""The DLU of a resident: read by whoever sees their sheet, written by their nursing home, printed (FG-05)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound
from relais.core.reading import read_id
from relais.directory.models import Establishment
from relais.files import serving
from relais.files.models import StoredFile
from relais.liaison import permissions as may
from relais.liaison import printing
from relais.liaison.actions import dlu as actions
from relais.liaison.queries import dlu as queries
from relais.liaison.queries import transfers
from relais.patients.models import Patient
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current


def patient_of(request: Any, patient_id: UUID, why: str) -> Patient:
    """The resident, through the door that leaves the trace."""
    found: Patient = get_visible(Patient, request.actor, pk=patient_id)
    audit.record(actor=request.actor, action="dlu.read", patient_id=found.pk, why=why)
    return found


@professional(*may.CLINICAL)
@require_safe
def page(request: Any, patient_id: UUID) -> HttpResponse:
    """The version in force, the versions before, and the ways to the hospital."""
    patient = patient_of(request, patient_id, "Lecture du DLU")
    until = may.moved_at(request.actor, patient)
    found = queries.brief(patient, until=until)
    context = {
        "patient": patient,
        "brief": found,
        "sections": queries.sections(found.dlu.response, _door(patient)) if found else [],
        "versions": queries.versions(found.dlu) if found else [],
        "may_keep": may.can_keep_dlu(request.actor, patient) and not patient.deceased_on,
        "may_send_off": may.can_send_off(request.actor, patient) and not patient.deceased_on,
        "transfers": transfers.of_patient(patient, until),
    }
    return render(request, "liaison/dlu.html", context)


@professional(*may.CLINICAL)
@require_safe
def version(request: Any, patient_id: UUID, response_id: UUID) -> HttpResponse:
    """An earlier version, as it was."""
    patient = patient_of(request, patient_id, "Version antérieure du DLU")
    found = queries.require(patient, may.moved_at(request.actor, patient))
    kept = queries.version(found, response_id)
    known = next(one for one in queries.versions(found) if one.response.pk == kept.pk)
    context = {
        "patient": patient,
        "version": known,
        "in_force": found.response_id == kept.pk,
        "sections": queries.sections(kept, _door(patient)),
    }
    return render(request, "liaison/dlu_version.html", context)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Any, patient_id: UUID) -> HttpResponse:
    """A new version, prefilled from the last; somebody who was quicker is named, and nothing that was typed is lost."""
    patient = patient_of(request, patient_id, "Mise à jour du DLU")
    if not may.can_keep_dlu(request.actor, patient):
        raise NotFound
    found = queries.dlu_of(patient)
    questionnaire = current(actions.FORM)
    posted = request if request.method == "POST" else None
    given = found.response.answers if found else queries.first_answers(patient, _here(request))
    form = Fill(questionnaire.form, answers=given, request=posted)
    base = read_id(request.POST.get("base", "")) if posted else (found.response_id if found else None)
    overtaken = None
    if posted and form.ready:
        try:
            actions.save(
                actor=request.actor, patient=patient, questionnaire=questionnaire, answers=form.answers,
                uploads=form.uploads, times=form.times, request_key=form.request_key, base=base,
            )  # fmt: skip
        except Wrong as wrong:
            form.refuse(wrong)
        except actions.Overtaken as refused:
            overtaken, base = _overtaken(refused, base), refused.dlu.response_id
        else:
            messages.success(request, _("DLU enregistré. La version d’avant reste lisible."))
            return redirect("liaison:dlu", patient.pk)
    context = {"patient": patient, "fill": form, "base": base, "overtaken": overtaken, "found": found}
    return render(request, "liaison/dlu_edit.html", context, status=422 if posted else 200)


def _overtaken(refused: actions.Overtaken, base: UUID | None) -> dict[str, Any]:
    """What the other version says otherwise than the one that the page was filled from."""
    before = queries.version(refused.dlu, base) if base else None
    after = queries.version(refused.dlu, refused.dlu.response_id)
    return {"message": refused.message, "changes": queries.changes(before, after) if before else []}


@professional(*may.CLINICAL)
@require_safe
def file(request: Any, patient_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A copy that is joined to the DLU: directives, prescription, results."""
    patient: Patient = get_visible(Patient, request.actor, pk=patient_id)
    found = queries.require(patient, may.moved_at(request.actor, patient))
    if not queries.holds(found, file_id):
        raise NotFound
    audit.record(
        actor=request.actor, action="document.read", about=found.pk, patient_id=patient.pk, why="Copie jointe au DLU"
    )
    return serving.serve(StoredFile.objects.get(pk=file_id), inline="voir" in request.GET)


@professional(*may.CLINICAL)
@require_safe
def print_out(request: Any, patient_id: UUID) -> HttpResponse:
    """The DLU as PDF."""
    patient = patient_of(request, patient_id, "Impression du DLU")
    found = queries.brief(patient, until=may.moved_at(request.actor, patient))
    if found is None:
        raise NotFound
    return pdf_of(printing.dlu_pdf(found, at=timezone.now()), "dlu.pdf")


def pdf_of(made: bytes, name: str) -> HttpResponse:
    """A PDF to keep, never a page."""
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _door(patient: Patient) -> Any:
    return lambda file_id: reverse("liaison:dlu_file", args=[patient.pk, file_id]) + "?voir=1"


def _here(request: Any) -> Establishment:
    return Establishment.objects.get(pk=request.actor.here)
