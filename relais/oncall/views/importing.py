"""A rota from a file: what it would do, line by line, then its good lines written."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from relais.core.access import professional
from relais.core.errors import Refused
from relais.core.reading import MOST_BYTES
from relais.files import spool
from relais.oncall import lines
from relais.oncall import permissions as may
from relais.oncall.actions import importing
from relais.oncall.views import kept_by

SHOWN = 200  # lines of each part of the preview


@professional(may.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: Any, service_id: UUID) -> HttpResponse:
    """Choose a file, read what it would do, confirm."""
    service = kept_by(request, service_id)
    context: dict[str, Any] = {"service": service, "columns": lines.COLUMNS}
    if request.method != "POST":
        return render(request, "oncall/import.html", context)
    try:
        if "garder" in request.POST:
            return _written(request, service)
        return render(request, "oncall/import.html", {**context, **_preview(request, service)})
    except Refused as refused:
        return render(request, "oncall/import.html", {**context, "error": refused.message}, status=422)


def _preview(request: Any, service: Any) -> dict[str, Any]:
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused(_("Choisissez un fichier."), field="file")
    planned = importing.plan(actor=request.actor, service=service, data=upload.read(MOST_BYTES + 1))
    upload.seek(0)
    counts = {state: [one for one in planned if one.state == state] for state in ("new", "known", "past", "wrong")}
    return {
        "handle": spool.put(upload, actor=request.actor, name="planning")["handle"],
        "new": counts["new"][:SHOWN],
        "wrong": counts["wrong"][:SHOWN],
        **{f"{state}_count": len(found) for state, found in counts.items()},
    }


def _written(request: Any, service: Any) -> HttpResponse:
    upload: Any = spool.take(request.POST.get("file_handle", ""), request.actor)
    done = importing.bring_in(actor=request.actor, service=service, data=upload.read(MOST_BYTES + 1))
    upload.consumed()
    said = [ngettext("%(n)d créneau ajouté.", "%(n)d créneaux ajoutés.", done.made) % {"n": done.made}]
    if done.known:
        said.append(ngettext("%(n)d y était déjà.", "%(n)d y étaient déjà.", done.known) % {"n": done.known})
    if done.left:
        said.append(ngettext("%(n)d laissé de côté.", "%(n)d laissés de côté.", done.left) % {"n": done.left})
    (messages.success if done.made else messages.info)(request, " ".join(said))
    return redirect("oncall:rota", service.pk)


@professional(may.MANAGER)
@require_safe
def model(request: Any) -> HttpResponse:
    """The CSV file to start from."""
    return HttpResponse(
        lines.model(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="modele-planning.csv"'},
    )
