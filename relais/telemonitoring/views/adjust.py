"""The rhythm of a follow-up and the patient's own thresholds, changed on the way."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import settings
from relais.telemonitoring.forms import AdjustForm
from relais.telemonitoring.views.follow_up import follow_up_of
from relais.telemonitoring.workflow import State


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def adjust(request: Any, dossier_id: UUID) -> HttpResponse:
    """EC-08: more answers for who is at risk; the saturation below which it is red, for who has a low one always."""
    found = follow_up_of(request, dossier_id, "Rythme et seuils du suivi")
    if not may.can_follow(request.actor, found) or found.state == State.CLOSED:
        raise NotFound
    doctor = may.can_set_thresholds(request.actor, found)
    known = {name: int(found.facts[name]) if name in found.facts else None for name in settings.THRESHOLDS}
    form = AdjustForm(
        request.POST if request.method == "POST" else None,
        initial={"rhythm": found.rhythm, **known},
        rhythms=settings.choices(found),
        doctor=doctor,
    )
    if request.method == "POST" and form.is_valid():
        wanted = {**known, **form.cleaned_data}
        try:
            settings.adjust(actor=request.actor, follow_up=found, **wanted)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Suivi modifié : cela vaut dès la prochaine réponse."))
            return redirect("telemonitoring:follow_up", dossier_id)
    context = {"follow_up": found, "patient": found.dossier.patient, "form": form, "doctor": doctor}
    return render(request, "telemonitoring/adjust.html", context, status=422 if form.errors else 200)
