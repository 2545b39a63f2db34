"""A call to the patient: the number, then how it went, on the form of the call."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.errors import Refused
from relais.core.reading import read_number
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import calls
from relais.telemonitoring.actions.alerts import CHECKS
from relais.telemonitoring.queries import follow_up as queries
from relais.telemonitoring.queries import reaching
from relais.telemonitoring.reaching import Called
from relais.telemonitoring.views.follow_up import alert_of, booking_url, follow_up_of
from relais.telemonitoring.workflow import AlertState


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def call(request: Any, dossier_id: UUID) -> HttpResponse:
    """EC-06: whom to call, and the form of the call once it is over."""
    found = follow_up_of(request, dossier_id, "Appel du patient")
    questionnaire = current(calls.FORM)
    posted = request if request.method == "POST" else None
    now = timezone.localtime().strftime("%H:%M:%S")
    turns = reaching.sequence(found, queries.open_alert(found))
    chosen = _chosen(turns, request.GET.get("personne", ""))
    known = {"ap.heure": [now], "ap.appele": [chosen.person.called]}
    if chosen.person.called != Called.PATIENT:
        known["ap.personne"] = [chosen.person.name]
    fill = Fill(questionnaire.form, answers=known, request=posted)
    error = ""
    if fill.ready:
        try:
            noted = calls.note(
                actor=request.actor, alert=alert_of(found), questionnaire=questionnaire, answers=fill.answers,
                times=fill.times, request_key=fill.request_key,
            )  # fmt: skip
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            if queries.is_noted(found, fill.request_key):
                return redirect("telemonitoring:follow_up", dossier_id)  # sent twice, and it ended the alert
            error = refused.message
        else:
            messages.success(request, _("Appel noté. L’alerte est « %s ».") % noted.get_state_display())
            decided = set(fill.answers.get("ap.orientation", []))
            if calls.BOOK in decided:
                return redirect(booking_url(found))
            if decided & calls.ADJUSTING:
                return redirect("telemonitoring:adjust", dossier_id)
            return redirect("telemonitoring:follow_up", dossier_id)
    context = {
        "follow_up": found,
        "patient": found.dossier.patient,
        "turns": turns,
        "chosen": chosen,
        "checks": CHECKS,
        **queries.alert_context(request.actor, found),
        "calling": AlertState.CALLING,
        "calls": queries.calls(found),
        "fill": fill,
        "error": error,
    }
    return render(request, "telemonitoring/call.html", context, status=422 if posted else 200)


def _chosen(turns: list[reaching.Turn], asked: str) -> reaching.Turn:
    """Whom the form is about: the one that the address names, else whose turn it is, else the patient."""
    wanted = read_number(asked, most=len(turns))
    return next((one for one in turns if one.number == wanted), next((one for one in turns if one.now), turns[0]))


@professional(*may.CLINICAL)
@require_POST
def check(request: Any, dossier_id: UUID) -> HttpResponse:
    """MA04: a physician decides whether somebody goes and looks."""
    found = follow_up_of(request, dossier_id, "Décision de vérification sur place")
    calls.decide_check(actor=request.actor, alert=alert_of(found), decision=request.POST.get("decision", ""))
    messages.success(request, _("Décision notée. L’alerte reste ouverte : le patient est à rappeler."))
    return redirect("telemonitoring:follow_up", dossier_id)
