"""Answers by a professional in the patient's place, and answers to read."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from relais.core.access import professional
from relais.core.errors import NotFound
from relais.files import serving
from relais.files.models import StoredFile
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Who, Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.models import Voice
from relais.telemonitoring import permissions as may
from relais.telemonitoring import wording
from relais.telemonitoring.actions import answers
from relais.telemonitoring.forms import InPlaceForm
from relais.telemonitoring.queries import follow_up as queries
from relais.telemonitoring.views.follow_up import follow_up_of
from relais.telemonitoring.workflow import State

TYPED_BY = {"ad.saisie": ["professionnel"]}


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: Any, dossier_id: UUID) -> HttpResponse:
    """EC-10: the form of today as a whole page, with who answers and why; judged at once as the patient's own.

    The questions are those put to the patient: one reads them aloud on the telephone.
    """
    found = follow_up_of(request, dossier_id, "Réponses à la place du patient")
    if not may.can_answer(request.actor, found) or found.state == State.CLOSED:
        raise NotFound
    posted = request if request.method == "POST" else None
    questionnaire = queries.daily_form(found)
    form = InPlaceForm(request.POST if posted else None)
    fill = Fill(
        questionnaire.form,
        voice=Voice.PATIENT,
        context=answers.context_of(found),
        answers=TYPED_BY,
        request=posted,
        upload_url="/upload/",
    )
    if posted and form.is_valid() and fill.ready:
        try:
            judged = answers.answer(
                actor=request.actor, follow_up=found, questionnaire=questionnaire, answers=fill.answers, uploads=fill.uploads,
                times=fill.times, request_key=fill.request_key, who=Who(voice=Voice.PATIENT, **form.cleaned_data),
            )  # fmt: skip
        except Wrong as wrong:
            fill.refuse(wrong)
        else:
            level = wording.level_of(judged.level).word
            messages.success(request, _("Réponses enregistrées. Niveau : %s.") % level)
            return redirect("telemonitoring:follow_up", dossier_id)
    context = {"follow_up": found, "patient": found.dossier.patient, "form": form, "fill": fill}
    return render(request, "telemonitoring/answer.html", context, status=422 if posted else 200)


@professional(*may.CLINICAL)
@require_safe
def response(request: Any, dossier_id: UUID, response_id: UUID) -> HttpResponse:
    """Everything that was answered at once: inside the follow-up for htmx, else as a page."""
    found = follow_up_of(request, dossier_id, "Lecture des réponses")
    kept = questionnaires.response(found.pk, response_id)
    context = {
        "follow_up": found,
        "patient": found.dossier.patient,
        "response": kept,
        "sections": questionnaires.shown(kept, lambda pk: reverse("telemonitoring:file", args=[found.pk, kept.pk, pk])),
    }
    template = "questionnaires/response.html" if request.htmx else "telemonitoring/response.html"
    return render(request, template, context)


@professional(*may.CLINICAL)
@require_safe
def file(request: Any, dossier_id: UUID, response_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A photograph that came with an answer set, to those who read it."""
    found = follow_up_of(request, dossier_id, "Photo jointe à une réponse")
    kept = questionnaires.response(found.pk, response_id)
    attached = [
        value
        for link_id, values in kept.answers.items()
        if kept.questionnaire.form.by_id[link_id].type == "attachment"
        for value in values
    ]
    if str(file_id) not in attached:
        raise NotFound
    return serving.serve(StoredFile.objects.get(pk=file_id), inline=True)
