"""Asking for an opinion: the patient, the form, then the draft saved as one types, and sending it."""

import uuid
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.directory.models import Department, Establishment, Way
from relais.dossiers import facts
from relais.dossiers import queries as dossiers
from relais.expertise import permissions as may
from relais.expertise.actions import drafting
from relais.expertise.forms import StartForm
from relais.expertise.models import AskedAs, Expertise
from relais.expertise.queries import choosing
from relais.expertise.views.request import asked_of, document_of, one_file
from relais.expertise.workflow import State
from relais.patients.models import Patient
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current, version


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Any) -> HttpResponse:
    """Who it is about and which form (TE-04, TE-06); from another dossier with ?depuis=."""
    given = request.POST if request.method == "POST" else request.GET
    patient = _patient(request, given.get("patient", ""))
    origin = dossiers.origin_for(request.actor, patient.pk, given.get("depuis", "")) if patient else None
    form = StartForm(
        request.POST if request.method == "POST" else None,
        initial={"request_key": uuid.uuid4(), "form": "tle-covid" if given.get("covid") else "tle-general"},
    )
    if patient and request.method == "POST" and form.is_valid():
        try:
            asked = drafting.start(
                actor=request.actor, patient=patient, form=form.cleaned_data["form"],
                request_key=form.cleaned_data["request_key"], origin_id=origin.pk if origin else None,
            )  # fmt: skip
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("expertise:draft", asked.pk)
    context = {"patient": patient, "origin": origin, "form": form, "pick": _again(given.get("depuis", ""))}
    return render(request, "expertise/start.html", context, status=422 if form.errors else 200)


def _again(origin: str) -> str:
    return reverse("expertise:start") + (f"?depuis={origin}" if read_id(origin) else "")


def _patient(request: Any, patient_id: str) -> Patient | None:
    """The patient of the address, with the trace; None for one that the actor does not see."""
    if not patient_id:
        return None
    try:
        found: Patient = get_visible(Patient, request.actor, pk=patient_id)
    except NotFound:
        return None
    audit.record(actor=request.actor, action="patient.read", patient_id=found.pk, why="demande d’avis")
    return found


@professional(*may.CLINICAL)
@require_POST
def follow_up(request: Any, dossier_id: UUID) -> HttpResponse:
    """A follow-up of a request whose date to look again has come, with what does not change (TE-10)."""
    asked = asked_of(request, dossier_id, "Réévaluation")
    made = drafting.follow_up(actor=request.actor, asked=asked)
    messages.success(request, _("Demande de suivi préparée : complétez-la, puis envoyez-la."))
    return redirect("expertise:draft", made.pk)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: Any, dossier_id: UUID) -> HttpResponse:
    """The form of a request, and sending it."""
    asked = asked_of(request, dossier_id, "Demande d’avis")
    if not may.can_write(request.actor, asked):
        raise NotFound
    if request.method == "POST":
        return _sent(request, asked)
    if asked.state != State.DRAFT:
        return redirect("expertise:request", asked.pk)
    fill = Fill(current(asked.form).form, answers=asked.draft)
    return _page(request, asked, fill, asked.service, asked.asked_as)


def _sent(request: Any, asked: Expertise) -> HttpResponse:
    number = request.POST.get("version", "")
    questionnaire = version(asked.form, number) if number else current(asked.form)
    fill = Fill(questionnaire.form, request=request)
    service_id, asked_as = read_id(request.POST.get("service", "")), request.POST.get("asked_as", "")
    error = ""
    if fill.ready:
        page = drafting.Page(questionnaire, fill.answers, fill.request_key, fill.times, service_id, asked_as)
        try:
            sent = drafting.send(actor=request.actor, asked=asked, page=page)
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            error = refused.message
        else:
            messages.success(
                request, _("Demande envoyée à %s. Un message vous préviendra de la réponse.") % sent.service
            )
            return redirect("expertise:request", asked.pk)
    service = drafting.askable(request.actor, service_id)
    return _page(request, asked, fill, service, asked_as, error=error, status=422)


def _page(
    request: Any, asked: Expertise, fill: Fill, service: Any, asked_as: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "asked": asked,
        "fill": fill,
        "version": fill.form.version,
        "chosen": service,
        "asked_as": asked_as,
        "roles": AskedAs.choices,
        "documents": dossiers.documents(request.actor, asked.dossier),
        "links": dossiers.links(request.actor, asked.dossier),
        "known": facts.of(request.actor, asked.dossier.origin, "Demande d’avis"),
        "error": error,
        **services_for(request, way=Way.EXPERTISE),
    }
    return render(request, "expertise/draft.html", context, status=status)


@professional(*may.CLINICAL)
@require_POST
def save(request: Any, dossier_id: UUID) -> JsonResponse:
    """Autosave: what is typed so far; 409 with a sentence once it cannot be saved any more."""
    asked = asked_of(request, dossier_id, "Demande d’avis")
    fill = Fill(current(asked.form).form, request=request)
    try:
        drafting.save(
            actor=request.actor, asked=asked, answers=fill.answers, service_id=read_id(request.POST.get("service", "")),
            asked_as=request.POST.get("asked_as", ""),
        )  # fmt: skip
    except Refused as refused:
        return JsonResponse({"error": refused.message}, status=409)
    return JsonResponse({"saved": timezone.localtime().strftime("%H:%M")})


@professional(*may.CLINICAL)
@require_POST
def attach(request: Any, dossier_id: UUID) -> HttpResponse:
    """A document, of a draft or of a request that goes on."""
    asked = asked_of(request, dossier_id, "Ajout d’un document")
    back = "expertise:draft" if asked.state == State.DRAFT else "expertise:request"
    try:
        drafting.attach(actor=request.actor, asked=asked, upload=one_file(request), title=request.POST.get("title", ""))
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Document ajouté."))
    return redirect(reverse(back, args=[asked.pk]) + "#documents")


@professional(*may.CLINICAL)
@require_POST
def detach(request: Any, document_id: UUID) -> HttpResponse:
    """Take a document out of a draft."""
    document = document_of(request, document_id)
    asked = asked_of(request, document.dossier_id, "Retrait d’un document")
    drafting.detach(actor=request.actor, asked=asked, document=document)
    return redirect(reverse("expertise:draft", args=[asked.pk]) + "#documents")


@professional(*may.CLINICAL)
def services(request: Any) -> HttpResponse:
    """The services that match what is typed, as radios: a fragment of the pages that choose one."""
    way = Way.ADMISSION if request.GET.get("pour") == Way.ADMISSION else Way.EXPERTISE
    chosen = drafting.askable(request.actor, read_id(request.GET.get("service", "")), way=way)
    return render(request, "expertise/_services_found.html", {"chosen": chosen, **services_for(request, way=way)})


def services_for(request: Any, *, way: str) -> dict[str, Any]:
    """What expertise/_services.html draws: the services found by what is typed, one's own department first."""
    here = Establishment.objects.filter(pk=request.actor.here).first()
    given = request.GET
    department = given.get("departement", here.department if here else "")
    department = department if department in Department.values else ""
    found = choosing.services(
        request.actor, given.get("quoi", "").strip()[:100], department=department,
        only_open=given.get("ouverts") == "1", now=timezone.now(), way=way,
    )  # fmt: skip
    return {
        "services": list(found),
        "most": choosing.MOST,
        "looked_for": {
            "text": given.get("quoi", ""),
            "department": department,
            "only_open": given.get("ouverts") == "1",
        },
        "departments": Department.choices,
        "way": way,
    }
