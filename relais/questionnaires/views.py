"""Every loaded questionnaire as professionals and patients see it, for developers. Nothing is kept. Demo mode alone."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from relais.core.access import public
from relais.questionnaires import logic, queries
from relais.questionnaires.actions import Wrong
from relais.questionnaires.form import Form, Item
from relais.questionnaires.forms import Fill
from relais.questionnaires.models import Voice


@public
def kit(request: HttpRequest) -> HttpResponse:
    """`?name=` a questionnaire, `&voice=proxy`, `&stepper=1` on the patient's page. A POST shows what would be kept."""
    names = queries.names()
    name = request.GET.get("name") or next(iter(names), "")
    return show(request, queries.current(name).form, names)


def show(request: HttpRequest, form: Form, names: list[str]) -> HttpResponse:
    """The page of one form, answered as a patient with everything at home (context)."""
    stepper = bool(request.GET.get("stepper"))
    voice = Voice.PROXY if request.GET.get("voice") == "proxy" else Voice.PATIENT
    context = {item.link_id: [_plausible(item)] for item in form.context}
    fill = Fill(form, voice=voice, context=context, request=request if request.method == "POST" else None)
    kept: logic.Answers | None = None
    if fill.ready:
        checked = logic.check(form, fill.answers | context, timezone.localdate())
        if checked.errors:
            fill.refuse(Wrong(checked.errors))
        else:
            kept = checked.answers
    return render(
        request,
        "questionnaires/kit.html",
        {
            "shell_template": "core/patient.html" if stepper else "core/base.html",
            "names": names,
            "form_title": form.title,
            "stepper": stepper,
            "fill": fill,
            "accepted": kept is not None,
            "sections": queries.shown_answers(form, kept, voice) if kept is not None else [],
        },
    )


def _plausible(item: Item) -> Any:
    """An answer of the site to a read-only question: yes, an adult, the first of a list."""
    return {"boolean": True, "integer": 40, "decimal": 40}.get(item.type) or (
        item.options[0].code if item.options else "2026-11-21"
    )
