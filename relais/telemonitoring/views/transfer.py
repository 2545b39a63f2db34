"""Passing patients from one cell to another: what is proposed, to whom, and what becomes of it (EC-14)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import transfer as actions
from relais.telemonitoring.models import Transfer
from relais.telemonitoring.queries import cells as lists
from relais.telemonitoring.queries import transfer as queries
from relais.telemonitoring.topics import cell_topic

DONE = {
    "accept": _l("Le patient est suivi par votre cellule, avec son alerte et ses délais."),
    "refuse": _l("Le patient reste à la cellule qui l’a proposé ; elle voit votre refus."),
    "cancel": _l("La proposition est annulée : votre cellule garde le patient."),
}


def cell_of(request: Any, cell_id: UUID) -> Any:
    """The cell, for its members alone; NotFound for anybody else."""
    found = next((one for one in lists.cells_of(request.actor) if one.pk == cell_id and one.mine), None)
    if found is None:
        raise NotFound
    return found


@professional(*may.CLINICAL)
@require_safe
def transfers(request: Any, cell_id: UUID) -> HttpResponse:
    """What other cells propose to this one, and what it has proposed."""
    cell = cell_of(request, cell_id)
    arriving, leaving = queries.arriving(cell), queries.leaving(cell)
    audit.record_list(
        actor=request.actor,
        action="telemonitoring.transfers",
        ids=[one.transfer.follow_up_id for one in (*arriving, *leaving)],
        seen=request.session,
    )
    context = {"cell": cell, "arriving": arriving, "leaving": leaving, "topic": cell_topic(cell.pk)}
    return render(request, "telemonitoring/transfers.html", context)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: Any, cell_id: UUID) -> HttpResponse:
    """Choose patients and a cell; ?patient= one, ?surplus=1 ticks those whose call cannot be made in time (D7)."""
    cell = cell_of(request, cell_id)
    asked = request.POST if request.method == "POST" else request.GET
    ticked = {one for one in map(read_id, asked.getlist("patient")) if one}
    error = None
    if request.method == "POST":
        try:
            made = actions.ask(
                actor=request.actor, cell=cell, follow_ups=sorted(ticked), why=asked.get("why", ""),
                target_id=read_id(asked.get("cellule", "")) or cell.pk,
            )  # fmt: skip
        except Refused as refused:
            error = refused
        else:
            messages.success(
                request,
                ngettext("%(n)d patient proposé.", "%(n)d patients proposés.", len(made)) % {"n": len(made)}
                + " " + _("Votre cellule les garde jusqu’à la réponse."),
            )  # fmt: skip
            return redirect("telemonitoring:transfers", cell.pk)
    alone = bool(ticked) and request.method != "POST"
    rows = queries.to_propose(request.actor, cell, sorted(ticked), alone=alone)
    if "surplus" in request.GET:
        ticked = queries.surplus_of(request.actor, cell, rows)
    audit.record_list(
        actor=request.actor, action="telemonitoring.list", ids=[row.pk for row in rows], seen=request.session
    )
    targets = sorted(actions.possible_targets(cell), key=lambda one: (not one.accepts_others, one.name))
    context = {
        "cell": cell, "rows": rows, "ticked": ticked, "targets": targets, "wanted": asked.get("cellule", ""),
        "why": asked.get("why", ""), "error": error,
    }  # fmt: skip
    return render(request, "telemonitoring/propose.html", context, status=422 if error else 200)


@professional(*may.CLINICAL)
@require_POST
def accept_many(request: Any, cell_id: UUID) -> HttpResponse:
    """Take the patients that were ticked; each on its own, so that one that cannot be taken holds back no other."""
    cell = cell_of(request, cell_id)
    wanted = [one for one in map(read_id, request.POST.getlist("transfer")) if one]
    taken, refusal = 0, None
    for one in Transfer.objects.filter(pk__in=wanted, target=cell).order_by("created_at", "pk"):
        try:
            actions.accept(actor=request.actor, transfer=one)
        except Refused as refused:
            refusal = refused
        else:
            taken += 1
    if taken:
        said = ngettext("%(n)d patient accepté.", "%(n)d patients acceptés.", taken) % {"n": taken}
        messages.success(request, said)
    if refusal:
        messages.warning(request, refusal.message)
    if not wanted:
        messages.warning(request, _("Cochez au moins un patient."))
    return redirect("telemonitoring:transfers", cell.pk)


@professional(*may.CLINICAL)
@require_POST
def decide(request: Any, cell_id: UUID, transfer_id: UUID, verb: str) -> HttpResponse:
    """Accept, refuse with a reason, or take one's own demand back."""
    cell = cell_of(request, cell_id)
    rows = cell.leaving if verb == "cancel" else cell.arriving
    found = rows.filter(pk=transfer_id).first()
    doing: dict[str, Any] = {
        "accept": lambda: actions.accept(actor=request.actor, transfer=found),
        "refuse": lambda: actions.refuse(actor=request.actor, transfer=found, why=request.POST.get("why", "")),
        "cancel": lambda: actions.cancel(actor=request.actor, transfer=found),
    }
    if found is None or verb not in doing:
        raise NotFound
    doing[verb]()
    messages.success(request, str(DONE[verb]))
    if verb == "accept":
        return redirect("telemonitoring:follow_up", found.follow_up_id)
    return redirect("telemonitoring:transfers", cell.pk)
