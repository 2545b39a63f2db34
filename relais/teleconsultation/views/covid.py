"""The COVID form of the consultation, beside the video: the practitioner writes, the caregiver reads (TE-09)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.models import Questionnaire, Response
from relais.teleconsultation import content, queries
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions import preparation as actions
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.queries import COVID, PREPARATION
from relais.teleconsultation.views.dossier import tele_of

FOLLOW = "domicile-ecovid"  # tk.cat: at home, followed by a cell


@professional(*may.CLINICAL)
@require_http_methods(["GET", "POST"])
def covid(request: Any, dossier_id: UUID) -> HttpResponse:
    """The form to fill in, then what was filled in; `?corriger` opens it again until the dossier is closed."""
    tele = tele_of(request, dossier_id, "Formulaire COVID-19")
    filled = queries.filled(tele)
    if request.method == "POST":
        return _posted(request, tele, filled)
    before = filled.get(COVID)
    writes = may.can_report(request.actor, tele) and tele.state != "planned"
    if before and not (writes and "corriger" in request.GET):
        return _read(request, tele, before)
    if not may.can_write(request.actor, tele):
        raise NotFound  # nothing to read yet
    if not writes:
        return _read(request, tele, None)
    questionnaire = questionnaires.current(COVID)
    known = before.answers if before else content.known_of_covid(filled.get(PREPARATION))
    return _ask(request, tele, questionnaire, Fill(questionnaire.form, answers=known), filled, before)


def _posted(request: Any, tele: Teleconsultation, filled: dict[str, Response]) -> HttpResponse:
    if not may.can_write(request.actor, tele):
        raise NotFound
    version = request.POST.get("version", "")
    questionnaire = questionnaires.version(COVID, version) if version else questionnaires.current(COVID)
    fill = Fill(questionnaire.form, request=request)
    replaces = read_id(request.POST.get("replaces", ""))
    corrected = questionnaires.response(tele.pk, replaces) if replaces else None
    error = ""
    if fill.ready:
        page = actions.Page(questionnaire, fill.answers, fill.request_key, fill.times, fill.uploads, corrected)
        try:
            actions.fill_covid(actor=request.actor, tele=tele, page=page)
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("Formulaire enregistré. Ses lignes sont proposées dans le compte-rendu."))
            return redirect("teleconsultation:covid", tele.pk)
    return _ask(request, tele, questionnaire, fill, filled, corrected, error=error)


def _ask(
    request: Any, tele: Teleconsultation, questionnaire: Questionnaire, fill: Fill, filled: dict[str, Response],
    before: Response | None, *, error: str = "",
) -> HttpResponse:  # fmt: skip
    said = filled.get(PREPARATION)
    page = {
        "tele": tele,
        "fill": fill,
        "version": questionnaire.version,
        "before": before,
        "error": error,
        "said": said,
        "said_sections": queries.read_preparation(tele, said),
        "known": content.words_of_known(said) if not before else "",
    }
    return render(request, "teleconsultation/covid.html", page, status=422 if error or fill.errors else 200)


def _read(request: Any, tele: Teleconsultation, response: Response | None) -> HttpResponse:
    step = _step(tele, response) if response else None
    page = {
        "tele": tele,
        "response": response,
        "by": step.author if step else None,
        "sections": questionnaires.shown(response) if response else [],
        "may_correct": may.can_report(request.actor, tele),
        "to_follow": bool(response and FOLLOW in response.answers.get("tk.cat", [])),
    }
    return render(request, "teleconsultation/covid_read.html", page)


def _step(tele: Teleconsultation, response: Response) -> Any:
    steps = tele.dossier.steps.filter(kind="form", data__response=str(response.pk))
    return steps.select_related("author").first()
