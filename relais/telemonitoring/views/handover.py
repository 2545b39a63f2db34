"""The team of a cell: who is there, and the list that one shift hands to the next."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import cells as actions
from relais.telemonitoring.queries import capacity
from relais.telemonitoring.queries.handover import MOST, hand_over
from relais.telemonitoring.views.transfer import cell_of


@professional(*may.CLINICAL)
@require_safe
def handover(request: Any, cell_id: UUID) -> HttpResponse:
    """The list to print at the change of teams, with space for notes."""
    cell = cell_of(request, cell_id)
    found = hand_over(request.actor, cell)
    rows = [row for part in found.parts for row in part.rows]
    audit.record_list(
        actor=request.actor, action="telemonitoring.handover", ids=[row.pk for row in rows], seen=request.session
    )
    context = {
        "cell": cell,
        "parts": found.parts,
        "cut": found.cut,
        "most": MOST,
        "count": len(rows),
        "capacity": capacity.capacity(request.actor, cell, capacity.load_of(cell)),
        "now": timezone.now(),
    }
    return render(request, "telemonitoring/handover.html", context)


@professional(*may.CLINICAL)
@require_POST
def presence(request: Any, cell_id: UUID) -> HttpResponse:
    """A member says that they are there, or that they leave."""
    cell = cell_of(request, cell_id)
    here = request.POST.get("here") == "1"
    actions.say_here(actor=request.actor, cell=cell, here=here)
    messages.success(
        request,
        _("Vous êtes compté présent pendant quatre heures.") if here else _("Vous n’êtes plus compté présent."),
    )
    return redirect(reverse("telemonitoring:cells") + f"?cellule={cell.pk}")
