"""The expert's pages: writing the opinion, passing a request on, the recommended texts of a service."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.directory.models import Service, Way
from relais.dossiers import queries as dossier_queries
from relais.expertise import permissions as may
from relais.expertise.actions import answering, correcting, wording
from relais.expertise.actions.drafting import askable
from relais.expertise.forms import CorrectionForm, WordingForm
from relais.expertise.models import Expertise, Opinion, Wording
from relais.expertise.queries import request as queries
from relais.expertise.views.ask import services_for
from relais.expertise.views.request import asked_of
from relais.expertise.workflow import HELD
from relais.files import spool
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.models import Questionnaire
from relais.questionnaires.queries import current, shown, shown_answers, version

FORM = "tle-reponse"
PRESCRIPTION = "prescription"  # the field of its file


@professional("practitioner")
@require_http_methods(["GET", "HEAD", "POST"])
def opinion(request: Any, dossier_id: UUID) -> HttpResponse:
    """The form of the opinion beside the question, and signing it; typed too late, the text comes back with a sentence."""
    posted = request.method == "POST"
    number = request.POST.get("version", "")
    questionnaire = version(FORM, number) if number else current(FORM)
    fill = Fill(questionnaire.form, request=request if posted else None)
    try:
        asked = asked_of(request, dossier_id, "Rédaction de l’avis")
        if not may.can_answer(request.actor, asked):
            raise NotFound
    except NotFound:
        if not posted or not queries.had(request.actor, dossier_id):
            raise
        typed = {"sections": shown_answers(questionnaire.form, fill.answers, fill.voice)}
        return render(request, "expertise/opinion_late.html", typed, status=409)
    if not posted and asked.state not in HELD:
        return redirect("expertise:request", asked.pk)
    error = ""
    if posted and fill.ready:
        try:
            answering.answer(actor=request.actor, asked=asked, page=_page(request, fill, questionnaire))
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("Avis signé. Un message part au requérant."))
            return redirect("expertise:request", asked.pk)
    context = _writing(request, asked, fill, asked.service, error) | {"version": questionnaire.version}
    return render(request, "expertise/opinion.html", context, status=422 if posted else 200)


@professional("practitioner")
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: Any, opinion_id: UUID) -> HttpResponse:
    """The form of an opinion that was signed, filled in with what it says; signing it anew with a reason."""
    former = Opinion.objects.select_related("service", "response").filter(pk=opinion_id).first()
    if former is None:
        raise NotFound
    asked = asked_of(request, former.expertise_id, "Correction de l’avis")
    if not may.has_signed(request.actor, former):
        raise NotFound
    posted = request.method == "POST"
    if not posted and (hasattr(former, "replaced_by") or not may.can_correct(request.actor, asked, former)):
        return redirect("expertise:request", asked.pk)
    number = request.POST.get("version", "")
    questionnaire = version(FORM, number) if number else current(FORM)
    fill = Fill(questionnaire.form, request=request if posted else None, answers=former.response.answers)
    form, error = CorrectionForm(request.POST or None), ""
    if form.is_valid() and fill.ready:
        why = form.cleaned_data["why"]
        try:
            page = _page(request, fill, questionnaire)
            correcting.correct(actor=request.actor, asked=asked, opinion=former, page=page, why=why)
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("Avis corrigé et signé. Un message part à ceux qui l’ont lu."))
            return redirect("expertise:request", asked.pk)
    context = _writing(request, asked, fill, former.service, error) | {
        "version": questionnaire.version, "former": former, "why_form": form,
    }  # fmt: skip
    return render(request, "expertise/opinion.html", context, status=422 if posted else 200)


def _page(request: Any, fill: Fill, questionnaire: Questionnaire) -> answering.Page:
    """What was sent, with the prescription. Raises Refused for a file that has expired."""
    files = spool.received(request, PRESCRIPTION)
    return answering.Page(questionnaire, fill.answers, fill.request_key, fill.times, files[0] if files else None)


def _writing(request: Any, asked: Expertise, fill: Fill, service: Service | None, error: str) -> dict[str, Any]:
    """What the form of an opinion draws beside its questions."""
    documents = dossier_queries.documents(request.actor, asked.dossier)
    given = queries.opinions(request.actor, asked, documents)
    return {
        "asked": asked,
        "fill": fill,
        "error": error,
        "former": None,
        "unsigned": not error and not may.can_sign(request.actor),
        "sections": shown(asked.response) if asked.response else [],
        "documents": documents,
        "ahead": spool.kept(request, PRESCRIPTION) if request.method == "POST" else [],
        "replaced": {one.opinion.document_id for each in given for one in each.former},
        "wordings": {str(place): one for place, one in enumerate(queries.wordings(service))} if service else {},
    }


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def pass_on(request: Any, dossier_id: UUID, verb: str) -> HttpResponse:
    """Choosing another service: to give the request to it, to ask it for a second opinion, or to admit the patient."""
    asked = asked_of(request, dossier_id, "Choix d’un service")
    doing = _passing(request, asked)
    if verb not in doing:
        raise NotFound
    name, words, act = doing[verb]
    if name not in queries.verbs(request.actor, asked):
        if request.method == "POST":
            act()  # says why: the state moved on, or it is not theirs
        return redirect("expertise:request", asked.pk)
    way = Way.ADMISSION if name == "to_admission" else Way.EXPERTISE
    error = ""
    if request.method == "POST":
        try:
            act()
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("C’est fait : un message part à ce service, qui voit tout le dossier."))
            return redirect(
                "expertise:worklist" if name == "redirect" else "expertise:request",
                *([] if name == "redirect" else [asked.pk]),
            )
    context = {
        "asked": asked,
        "words": words,
        "admits": name == "to_admission",
        "text": request.POST.get("text", ""),
        "error": error,
        "chosen": askable(request.actor, read_id(request.POST.get("service", "")), way=way),
        **services_for(request, way=way),
    }
    return render(request, "expertise/pass_on.html", context, status=422 if error else 200)


def _passing(request: Any, asked: Expertise) -> dict[str, tuple[str, dict[str, str], Callable[[], Any]]]:
    given = {"actor": request.actor, "asked": asked, "service_id": read_id(request.POST.get("service", ""))}
    text = request.POST.get("text", "")
    return {
        "reorienter": (
            "redirect",
            {
                "title": _("Réorienter la demande"),
                "lead": _("Les échanges sont gardés : le nouveau service lit tout, l’ancien n’y a plus accès."),
                "button": _("Réorienter vers ce service"),
            },
            lambda: answering.redirect(**given),
        ),
        "second-avis": (
            "second_opinion",
            {
                "title": _("Demander un second avis"),
                "lead": _("Un autre service répond dans la même demande ; le premier expert continue de le lire."),
                "button": _("Demander à ce service"),
            },
            lambda: answering.second_opinion(**given),
        ),
        "admission": (
            "to_admission",
            {
                "title": _("Proposer une admission"),
                "lead": _("Le service qui accueille le patient rejoint le dossier et lit tout."),
                "button": _("Proposer cette admission"),
            },
            lambda: answering.to_admission(**given, text=text),
        ),
    }


@professional("practitioner")
@require_http_methods(["GET", "HEAD", "POST"])
def wordings(request: Any, service_id: UUID) -> HttpResponse:
    """The recommended texts of a service, written by its own experts."""
    service = get_visible(Service.objects.select_related("establishment"), request.actor, pk=service_id)
    if not may.can_word(request.actor, service):
        raise NotFound
    form = WordingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            wording.add(actor=request.actor, service=service, **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Texte ajouté : les experts du service le trouvent en écrivant un avis."))
            return redirect("expertise:wordings", service.pk)
    context = {"service": service, "form": form, "own": list(Wording.objects.filter(service=service))}
    return render(request, "expertise/wordings.html", context, status=422 if form.errors else 200)


@professional("practitioner")
@require_POST
def remove_wording(request: Any, wording_id: UUID) -> HttpResponse:
    """A text that is recommended no more."""
    service_id = wording.remove(actor=request.actor, wording_id=wording_id)
    messages.success(request, _("Texte retiré."))
    return redirect("expertise:wordings", service_id)
