"""*Préparer la consultation*: the patient answers before the appointment, and both sides read it (TC-25)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.audit import actions as audit
from relais.core.access import patient, professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.files import serving
from relais.files.models import StoredFile
from relais.patients.models import Grant, Holder
from relais.questionnaires import logic
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.models import Questionnaire, Response, Voice
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.actions import call
from relais.teleconsultation.actions import preparation as actions
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.queries import PREPARATION
from relais.teleconsultation.views.dossier import tele_of

SAID_BY = {
    Holder.SELF: "patient",
    Holder.PARENT: "parent",
    Holder.FAMILY: "proche-aidant",
    Holder.CAREGIVER: "professionnel",
}


@patient
@require_http_methods(["GET", "POST"])
def prepare(request: Any) -> HttpResponse:
    """The questions one by one, then what was sent; `?corriger` opens it again, `?voix=proche` speaks to a relative."""
    tele = tele_of(request, request.actor.about, "Préparation de la consultation")
    sent = queries.filled(tele).get(PREPARATION)
    if request.method == "POST":
        return _posted(request, tele, sent)
    over = actions.over(tele, sent)
    if over or (sent and "corriger" not in request.GET):
        return _read(request, tele, sent, over)
    grant = Grant.objects.get(pk=request.actor.grant_id)
    voice = sent.voice if sent else _voice(request.GET.get("voix", ""), grant)
    questionnaire = questionnaires.current(PREPARATION)
    fill = Fill(
        questionnaire.form, voice=voice, answers=sent.answers if sent else _first(grant, voice), upload_url="/upload/p/"
    )
    return _ask(request, tele, questionnaire, fill, sent)


def _voice(asked: str, grant: Grant) -> str:
    if asked:
        return Voice.PROXY if asked == "proche" else Voice.PATIENT
    return Voice.PATIENT if grant.holder == Holder.SELF else Voice.PROXY


def _first(grant: Grant, voice: str) -> dict[str, list[str]]:
    """Who answers, when the key's holder says it already."""
    known = SAID_BY.get(Holder(grant.holder), "")
    return {actions.WHO: [known]} if known and (known == "patient") == (voice == Voice.PATIENT) else {}


def _posted(request: Any, tele: Teleconsultation, sent: Response | None) -> HttpResponse:
    version = request.POST.get("version", "")
    questionnaire = questionnaires.version(PREPARATION, version) if version else questionnaires.current(PREPARATION)
    voice = Voice.PROXY if request.POST.get("voice") == Voice.PROXY else Voice.PATIENT
    switched = "switch" in request.POST
    if switched:
        voice = Voice.PATIENT if voice == Voice.PROXY else Voice.PROXY
    fill = Fill(questionnaire.form, voice=voice, request=request, upload_url="/upload/p/")
    replaces = read_id(request.POST.get("replaces", ""))
    if switched:
        fill.answers.pop(actions.WHO, None)
    elif fill.ready:
        try:
            page = actions.Page(
                questionnaire, fill.answers, fill.request_key, fill.times, fill.uploads,
                questionnaires.response(tele.pk, replaces) if replaces else None, voice,
            )  # fmt: skip
            actions.prepare(actor=request.actor, tele=tele, page=page)
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            return _read(request, tele, sent, refused.message, status=422)
        else:
            messages.success(request, _("Vos réponses sont envoyées. Le professionnel les lira."))
            return redirect("space:preparation")
    return _ask(request, tele, questionnaire, fill, sent if replaces else None, status=422 if fill.errors else 200)


def _page(request: Any, tele: Teleconsultation, **more: Any) -> dict[str, Any]:
    return {"tele": tele, "topic": call.space_topic(tele), "presence_url": reverse("patient_rooms:presence"), **more}


def _ask(
    request: Any, tele: Teleconsultation, questionnaire: Questionnaire, fill: Fill, sent: Response | None,
    *, status: int = 200,
) -> HttpResponse:  # fmt: skip
    page = _page(request, tele, fill=fill, version=questionnaire.version, sent=sent, proxy=fill.voice == Voice.PROXY)
    return render(request, "teleconsultation/space/preparation.html", page, status=status)


def _read(request: Any, tele: Teleconsultation, sent: Response | None, over: str, *, status: int = 200) -> HttpResponse:
    door = lambda pk: reverse("space:preparation_file", args=[pk]) + "?voir"  # noqa: E731
    page = _page(
        request, tele, sent=sent, over=over, sections=questionnaires.shown(sent, door) if sent else [],
        may_correct=bool(sent) and not actions.over(tele, sent),
    )  # fmt: skip
    return render(request, "teleconsultation/space/prepared.html", page, status=status)


@patient
def own_file(request: Any, file_id: UUID) -> HttpResponseBase:
    """The photograph that one sent."""
    return _serve(request, tele_of(request, request.actor.about, "Photo de la préparation"), file_id)


@professional(*may.CLINICAL)
def file(request: Any, dossier_id: UUID, file_id: UUID) -> HttpResponseBase:
    """The photograph that the patient sent, for those who read clinical content."""
    return _serve(request, tele_of(request, dossier_id, "Photo de la préparation"), file_id)


def _serve(request: Any, tele: Teleconsultation, file_id: UUID) -> HttpResponseBase:
    response = queries.filled(tele).get(PREPARATION)
    if not response or str(file_id) not in _attached(response):
        raise NotFound
    stored = StoredFile.objects.filter(pk=file_id).first()
    if not stored:
        raise NotFound
    audit.record(
        actor=request.actor, action="document.read", about=tele.pk, patient_id=tele.dossier.patient_id,
        why="Photo de la préparation",
    )  # fmt: skip
    return serving.serve(stored, inline="voir" in request.GET)


def _attached(response: Response) -> set[str]:
    found = logic.placed(response.questionnaire.form.items, response.answers)
    return {value for _key, item, values in found if item.type == "attachment" for value in values}
