"""Including a patient: who, in which cell, whom the link reaches, then the form of the inclusion, on one page."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.dossiers import facts
from relais.dossiers import queries as dossiers
from relais.dossiers.facts import Facts
from relais.dossiers.models import Dossier
from relais.patients.contact import shown
from relais.patients.models import Grant, Holder, Patient
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import enrol as actions
from relais.telemonitoring.forms import ContactForm
from relais.telemonitoring.inclusion import known_of, proposed_rhythm
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.queries.cells import cells_open_to
from relais.telemonitoring.workflow import State

FORM = "ecovid-inclusion"


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: Any) -> HttpResponse:
    """EC-02, EC-15, EC-18: a professional includes a patient, from town, from hospital or at discharge."""
    cells = cells_open_to(request.actor)
    asked = request.POST if request.method == "POST" else request.GET
    patient = _chosen(request, asked.get("patient", ""))
    cell = chosen_cell(request, cells)
    context: dict[str, Any] = {
        "patient": patient,
        "cells": cells,
        "cell": cell,
        "may_create": may.can_create_cell(request.actor),
        "pick": reverse("telemonitoring:enrol") + (f"?cellule={cell.pk}" if cell else ""),
    }
    if not patient or not cells:
        return render(request, "telemonitoring/enrol.html", context)
    context["already"] = _followed(request, patient)
    posted = request if request.method == "POST" else None
    questionnaire = current(FORM)
    origin = dossiers.origin_for(request.actor, patient.pk, asked.get("depuis", ""))
    known = Known() if posted else _known(request, patient, origin)
    reached = {"email": patient.email, "phone": patient.phone, **known.contact}
    reached["phone"] = shown(reached["phone"])
    form = ContactForm(request.POST if posted else None, initial=reached)
    fill = Fill(questionnaire.form, context=actions.context_of(patient), answers=known.answers, request=posted)
    context |= {"told": known.told, "origin": origin}
    if posted and form.is_valid() and fill.ready:
        try:
            done = actions.enrol(
                actor=request.actor, patient=patient, cell_id=id_of(cell), questionnaire=questionnaire,
                answers=fill.answers, contact=actions.Contact(**form.cleaned_data), times=fill.times,
                request_key=fill.request_key, origin_id=origin.pk if origin else None,
            )  # fmt: skip
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("%s est suivi à domicile. Le lien et les codes sont partis.") % patient.full_name
            )
            return redirect("telemonitoring:follow_up", done.pk)
    return render(
        request, "telemonitoring/enrol.html", {**context, "form": form, "fill": fill}, status=422 if posted else 200
    )


def chosen_cell(request: Any, cells: list[Any]) -> Any:
    """The cell of the address, else one's own; of a form the one that was chosen and no other, None once it takes nobody."""
    asked = (request.POST if request.method == "POST" else request.GET).get("cellule", "")
    wanted = read_id(asked)
    found = next((one for one in cells if one.pk == wanted), None)
    if found or (asked and request.method == "POST"):
        return found
    return next((one for one in cells if one.mine), None)


def id_of(cell: Any) -> UUID:
    """Of the cell to which a form entrusts patients. Refused when there is none."""
    if cell is None:
        raise Refused(_("Cette cellule ne prend plus de patients ici : choisissez-en une autre."), field="cell")
    found: UUID = cell.pk
    return found


def _chosen(request: Any, patient_id: str) -> Patient | None:
    """The patient of the address, with the trace; None for one that the actor does not see."""
    if not patient_id:
        return None
    try:
        patient: Patient = get_visible(Patient, request.actor, pk=patient_id)
    except NotFound:
        return None
    audit.record(actor=request.actor, action="patient.read", patient_id=patient.pk, why="inclusion")
    return patient


@dataclass(frozen=True)
class Known:
    """What another dossier of the patient says already: answers of the inclusion, whom its links reach, from what it says."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    contact: dict[str, str] = field(default_factory=dict)
    told: Facts | None = None


def _known(request: Any, patient: Patient, origin: Dossier | None) -> Known:
    """From the dossier that one comes from and sees, with the trace."""
    seen = Dossier.objects.visible_to(request.actor)
    dossier = seen.filter(pk=origin.pk).first() if origin else None
    if dossier is None:
        return Known()
    grants = Grant.objects.live().filter(about=dossier.pk).exclude(holder=Holder.GUEST).order_by("-created_at", "-pk")
    grant = grants.first()
    contact = {name: getattr(grant, name) for name in ("email", "phone", "holder", "holder_name")} if grant else {}
    told = facts.of(request.actor, dossier, "Inclusion au suivi")
    if told is None:
        return Known(contact=contact)
    today = timezone.localdate()
    found = known_of(told, today=today)
    rhythm = proposed_rhythm(found, born=patient.birth_date, today=today)
    return Known({**found, "inc.rythme": [rhythm]}, contact, told)


def _followed(request: Any, patient: Patient) -> FollowUp | None:
    """The follow-up that goes on already, when the actor sees it."""
    live = FollowUp.objects.visible_to(request.actor).filter(dossier__patient=patient).exclude(state=State.CLOSED)
    return live.select_related("cell").first()
