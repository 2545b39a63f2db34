"""The exchange of notes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.liaison import permissions as may
from relais.liaison.actions import notes as actions
from relais.liaison.models import Note
from relais.liaison.queries.unread import moment_of
from relais.liaison.views.request import context_of, request_of, unsent
from relais.liaison.workflow import OVER


@professional(*may.CLINICAL)
@require_POST
def add(request: Any, dossier_id: UUID) -> HttpResponse:
    """A note, perhaps urgent, perhaps for some."""
    found = request_of(request, dossier_id, "Note dans une demande")
    said = request.POST
    wanted = [one for one in map(read_id, said.getlist("mentions")) if one]
    try:
        actions.write(
            actor=request.actor, demand=found, text=said.get("text", ""), urgent="urgent" in said, mentions=wanted
        )
    except Refused as refused:
        if found.state in OVER or not may.can_exchange(request.actor, found):  # no form to put it back in
            return unsent(request, found, refused)
        typed = {
            "text": said.get("text", ""),
            "urgent": "urgent" in said,
            "mentions": wanted,
            "error": refused.message,
            "field": "n-mentions" if refused.field == "mentions" else "n-text",
        }
        return render(request, "liaison/request.html", context_of(request, found, noting=typed), status=422)
    messages.success(request, _("Note ajoutée."))
    return redirect("liaison:request", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def mark_read(request: Any, dossier_id: UUID) -> HttpResponse:
    """The page is open: its notes, opinions and documents are read, up to the last that it shows."""
    found = request_of(request, dossier_id, "Lecture des notes")
    until = moment_of(found, read_id(request.GET.get("vu", "")))
    if until:
        actions.mark_read(actor=request.actor, demand=found, until=until)
    return HttpResponse(status=204)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: Any, note_id: UUID) -> HttpResponse:
    """One's own note, corrected; the earlier words stay below it."""
    note = Note.objects.filter(pk=note_id).first()
    if note is None:
        raise NotFound
    found = request_of(request, note.demand_id, "Correction d’une note")
    text, error = request.POST.get("text", note.text), ""
    if request.method == "POST":
        try:
            actions.amend(actor=request.actor, note=note, text=text)
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("Note corrigée. Les mots d’avant restent lisibles."))
            return redirect("liaison:request", found.pk)
    elif note.author_id != request.actor.user_id:
        raise NotFound
    context = {"found": found, "note": note, "text": text, "error": error}
    return render(request, "liaison/amend.html", context, status=422 if error else 200)
