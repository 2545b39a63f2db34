"""A doctor's own slots and what colleagues ask; the rotas that one reads."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.oncall import calendars, queries
from relais.oncall import permissions as may
from relais.oncall.actions import replacements as actions
from relais.oncall.models import Replacement

AHEAD, SEEN = timedelta(days=60), timedelta(days=28)
ROLES = (may.MANAGER, *may.CLINICAL)


@professional(*ROLES)
@require_safe
def mine(request: Any) -> HttpResponse:
    """My slots of the next two months, those that I stand behind, the requests that wait for me, and the rotas that I read
    with who answers now."""
    actor, now = request.actor, timezone.now()
    services = list(queries.rotas_of(actor))
    named, holes = queries.answering(services, now), queries.holes(services, now, now + SEEN)
    rotas = [(one, named[one.pk], holes[one.pk], may.can_manage(actor, one)) for one in services]
    slots = list(queries.slots_of(actor, now, now + AHEAD))
    context = {
        "slots": slots,
        "twice": {one.slot.pk for one in queries.twice(slots)},
        "backing": queries.backing(actor, now, now + AHEAD),
        "asked": queries.asked_of(actor),
        "rotas": rotas,
        "clinical": actor.has_role(*may.CLINICAL),
        "now": now,
    }
    return render(request, "oncall/mine.html", context)


@professional(*ROLES)
@require_safe
def calendar(request: Any) -> HttpResponse:
    """My slots as a calendar file: hours and « Astreinte », nothing else."""
    now = timezone.now()
    slots = queries.slots_of(request.actor, now - timedelta(days=7), now + timedelta(days=400))
    return HttpResponse(
        calendars.of_slots(list(slots)),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="mes-astreintes.ics"'},
    )


@professional(*ROLES)
@require_POST
def answer(request: Any, replacement_id: UUID, verb: str) -> HttpResponse:
    """Accept or refuse what a colleague asks, or take one's own request back."""
    found = Replacement.objects.select_related("slot__service").filter(pk=replacement_id).first()
    if found is None or verb not in ("accept", "refuse", "cancel"):
        raise NotFound
    if not (may.can_cancel(request.actor, found) if verb == "cancel" else may.is_asked(request.actor, found)):
        raise NotFound
    try:
        if verb == "accept":
            actions.accept(actor=request.actor, replacement=found)
            messages.success(request, _("L’astreinte est à vous. Votre collègue et le référent sont prévenus."))
        elif verb == "refuse":
            actions.refuse(actor=request.actor, replacement=found)
            messages.success(request, _("Vous avez refusé. L’astreinte reste à votre collègue, qui est prévenu."))
        else:
            actions.cancel(actor=request.actor, replacement=found)
            messages.success(request, _("La demande de remplacement est annulée."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("oncall:mine")
