"""The doctor's pages: the decision, and the hand-over."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.liaison import permissions as may
from relais.liaison.actions import deciding, handing
from relais.liaison.forms import DecisionForm
from relais.liaison.models import HandOver
from relais.liaison.queries.sbar import said, signs
from relais.liaison.views.request import request_of

LABELS = {
    "situation": _l("Situation"),
    "background": _l("Contexte"),
    "assessment": _l("Évaluation"),
    "recommendation": _l("Recommandations"),
}


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: Any, dossier_id: UUID) -> HttpResponse:
    """FG-08, FG-09: the opinion, from the vocabulary, with its reasons and the time to look again."""
    found = request_of(request, dossier_id, "Avis sur une demande")
    if not may.can_decide(request.actor, found):
        raise NotFound
    level = next(iter(found.response.answers.get("fg.nts", [])), "") if found.response else ""
    died = found.patient.deceased_on is not None
    form = DecisionForm(request.POST or None, initial={"care_level": level}, died=died)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("code", "care_level", "justification", "family", "plan")}
        advice = deciding.Advice(**given, review_at=form.review_at(timezone.now()))
        try:
            deciding.decide(actor=request.actor, demand=found, advice=advice, read=request.POST.get("read"))
        except Refused as refused:
            form.refuse(refused)
            if refused.field == "review" and advice.review_at is None:
                form.propose_hour()
            found = request_of(request, dossier_id, "Avis sur une demande")  # as it stands now, with what changed
        else:
            messages.success(request, _("Avis rendu : l’EHPAD peut le lire."))
            return redirect("liaison:request", dossier_id)
    context = {
        "found": found,
        "patient": found.patient,
        "form": form,
        "signs": signs(found),
        "question": said(found, "fg.question.txt"),
    }
    return render(request, "liaison/decide.html", context, status=422 if request.method == "POST" else 200)


def _hand_over(request: Any, hand_over_id: UUID) -> HandOver:
    """A hand-over of a request that the actor sees, with the trace."""
    found = HandOver.objects.select_related("leaving", "taking", "service").filter(pk=hand_over_id).first()
    if found is None:
        raise NotFound
    found.demand = request_of(request, found.demand_id, "Relève")
    return found


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: Any, hand_over_id: UUID) -> HttpResponse:
    """D10: the text of a hand-over, which the doctor who leaves corrects."""
    found = _hand_over(request, hand_over_id)
    texts = {name: request.POST.get(name, getattr(found, name)) for name in handing.PARTS}
    error, field, read = "", "", request.POST.get("read")
    if request.method == "POST":
        try:
            handing.rewrite(actor=request.actor, hand_over=found, texts=texts, read=read)
        except Refused as refused:
            error, field = refused.message, refused.field or ""
            found.refresh_from_db(fields=handing.PARTS)
            new = handing.added(found, read) if read is not None else ""
            texts["assessment"] = f"{new}\n{texts['assessment']}" if new else texts["assessment"]
        else:
            messages.success(request, _("Texte de la relève enregistré."))
            return redirect("liaison:request", found.demand_id)
    elif found.leaving_id != request.actor.user_id or found.accepted_at or found.dropped_at:
        raise NotFound
    parts = [(name, LABELS[name], texts[name], error if name == field else "") for name in handing.PARTS]
    context = {
        "hand_over": found,
        "found": found.demand,
        "parts": parts,
        "error": error,
        "target": field and f"h-{field}",
    }
    return render(request, "liaison/hand_over.html", context, status=422 if request.method == "POST" else 200)


@professional(*may.CLINICAL)
@require_POST
def accept(request: Any, hand_over_id: UUID) -> HttpResponse:
    """« Relève acceptée »: from now on the request is the actor's."""
    found = _hand_over(request, hand_over_id)
    handing.accept(actor=request.actor, hand_over=found)
    messages.success(request, _("Relève acceptée : cette demande est à vous."))
    if "liste" in request.GET:
        return redirect("liaison:hand_overs")
    return redirect("liaison:request", found.demand_id)
