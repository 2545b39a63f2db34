"""The vital signs of a request, taken again by the nursing home."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.liaison import permissions as may
from relais.liaison.actions import measuring as actions
from relais.liaison.queries import measures as queries
from relais.liaison.views.request import request_of
from relais.liaison.workflow import OPEN
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: Any, dossier_id: UUID) -> HttpResponse:
    """Only the vital signs are asked, none is filled in: they are taken now."""
    found = request_of(request, dossier_id, "Constantes d’une demande")
    if not may.can_complete(request.actor, found) or found.response is None:
        raise NotFound
    if found.state not in OPEN and request.method != "POST":
        return redirect("liaison:request", dossier_id)
    posted = request if request.method == "POST" else None
    form, error = Fill(queries.form_of(found), request=posted), ""
    if posted:
        try:
            kept = actions.measure(
                actor=request.actor, demand=found, answers=form.answers, times=form.times, request_key=form.request_key
            )
        except Wrong as wrong:
            form.refuse(wrong)
        except Refused as refused:
            error = refused.message
        else:
            said = _("Constantes enregistrées : le médecin peut les lire.")
            if kept.red:
                messages.warning(request, said + " " + _("Appelez le 15."))
            else:
                messages.success(request, said)
            return redirect("liaison:request", dossier_id)
    last = next(iter(queries.measures(found)), None)
    context = {"found": found, "patient": found.patient, "fill": form, "error": error, "last": last}
    return render(request, "liaison/measure.html", context, status=422 if posted else 200)
