"""Including many people from a CSV file: the model, what the file would do, then the good lines written."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.errors import Refused
from relais.core.reading import MOST_BYTES, read_id, read_number
from relais.files import spool
from relais.questionnaires.queries import current
from relais.telemonitoring import bulk
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import bulk as actions
from relais.telemonitoring.queries.bulk import plan
from relais.telemonitoring.queries.cells import cells_open_to
from relais.telemonitoring.views.enrol import chosen_cell, id_of

SHOWN = 50  # lines of each part of the preview
CHOICE = "ligne-"


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def enrol_many(request: Any) -> HttpResponse:
    """EC-02, EC-15, EC-18: a file is looked at, then its good lines are included."""
    cells = cells_open_to(request.actor)
    context: dict[str, Any] = {
        "cells": cells,
        "cell": chosen_cell(request, cells),
        "may_create": may.can_create_cell(request.actor),
        "columns": [(one, bulk.words(current(actions.FORM).form, one)) for one in bulk.COLUMNS],
        "most": bulk.MOST_LINES,
    }
    if request.method != "POST":
        return render(request, "telemonitoring/bulk.html", context)
    try:
        if "garder" in request.POST:
            return _write(request, context)
        return _preview(request, context)
    except Refused as refused:
        return render(request, "telemonitoring/bulk.html", {**context, "error": refused.message}, status=422)


def _preview(request: Any, context: dict[str, Any]) -> HttpResponse:
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused(_("Choisissez un fichier CSV."), field="file")
    data = upload.read(MOST_BYTES + 1)
    lines = plan(request.actor, bulk.read(data), current(actions.FORM).form, propose=True)
    shown = [one.known.pk for one in lines if one.known] + [each.patient.pk for one in lines for each in one.proposals]
    if shown:
        audit.record_list(actor=request.actor, action="patient.duplicates", ids=dict.fromkeys(shown))
    upload.seek(0)
    parts = {name: [one for one in lines if one.state == name] for name in ("ready", "choose", "followed")}
    faults = [(one, fault) for one in lines for fault in one.line.faults]
    context |= {
        "handle": spool.put(upload, actor=request.actor, name="inclusions.csv")["handle"],
        "lines": len(lines),
        "ready": len(parts["ready"]),
        "known": [one for one in parts["ready"] if one.known][:SHOWN],
        "choose": parts["choose"],
        "followed": parts["followed"][:SHOWN],
        "followed_count": len(parts["followed"]),
        "faults": faults[:SHOWN],
        "more_faults": max(len(faults) - SHOWN, 0),
        "wrong": len({one.number for one, _fault in faults}),
        "repeated": [one for one in lines if one.state == "repeated"][:SHOWN],
        "another": actions.ANOTHER,
        "possible": bool(parts["ready"] or parts["choose"]),
    }
    return render(request, "telemonitoring/bulk.html", context)


def _write(request: Any, context: dict[str, Any]) -> HttpResponse:
    cell_id = id_of(context["cell"])
    upload: Any = spool.take(request.POST.get("file_handle", ""), request.actor)
    choices = {
        number: value
        for name, value in request.POST.items()
        if name.startswith(CHOICE) and (number := read_number(name.removeprefix(CHOICE), most=10**6)) is not None
    }
    done = actions.enrol_many(actor=request.actor, cell_id=cell_id, data=upload.read(), choices=_readable(choices))
    upload.consumed()
    said = [ngettext("%(n)d patient inclus.", "%(n)d patients inclus.", done.made) % {"n": done.made}]
    if done.made:
        said.append(_("Les liens et les codes partent dans les minutes qui viennent."))
    if done.already:
        said.append(
            ngettext("%(n)d était déjà suivi.", "%(n)d étaient déjà suivis.", done.already) % {"n": done.already}
        )
    if done.left:
        said.append(
            ngettext(
                "%(n)d ligne laissée de côté : pour l’inclure, corrigez-la dans le fichier et renvoyez-le entier.",
                "%(n)d lignes laissées de côté : pour les inclure, corrigez-les dans le fichier et renvoyez-le entier.",
                done.left,
            )
            % {"n": done.left}
        )
    (messages.success if done.made else messages.info)(request, " ".join(said))
    ours = context["cell"].mine or context["cell"].establishment_id == request.actor.here
    return redirect(reverse("telemonitoring:cells") + (f"?cellule={cell_id}" if ours else ""))


def _readable(choices: dict[int, str]) -> dict[int, str]:
    """What is no id, nor another person, is no decision: the line is left."""
    return {number: value if value == actions.ANOTHER or read_id(value) else "" for number, value in choices.items()}


@professional(*may.CLINICAL)
@require_safe
def enrol_model(request: Any) -> HttpResponse:
    """The file to start from."""
    return HttpResponse(
        bulk.model(current(actions.FORM).form),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="modele-inclusions.csv"'},
    )
