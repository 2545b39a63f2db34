"""The agents' list."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from relais.accounts.models import HELP_DESK
from relais.core.access import professional, without_establishment
from relais.portal import actions, queries
from relais.portal.forms import DeskFilter


@without_establishment
@professional(HELP_DESK)
@require_GET
def desk(request: Any) -> HttpResponse:
    """Requests to answer from the one that waits longest; others on demand. Live: the rows alone when htmx asks."""
    form = DeskFilter({"state": "open", **request.GET.dict()})
    asked = form.cleaned_data if form.is_valid() else {"state": "open", "service": "", "q": ""}
    state = asked["state"] or "open"
    shown = queries.desk(
        request.actor,
        state="" if state == "all" else state,
        service=asked["service"],
        words=asked["q"],
        after=request.GET.get("apres", ""),
    )
    kept = {"state": state, "service": asked["service"], "q": asked["q"]}
    context = {
        "form": form,
        "desk": shown,
        "state": state,
        "filtered": bool(asked["service"] or asked["q"]),
        "topic": actions.DESK,
        "paging": {
            "next_url": f"?{urlencode({**kept, 'apres': shown.next_key})}" if shown.next_key else None,
            "first_url": f"?{urlencode(kept)}" if "apres" in request.GET else None,
        },
    }
    rows_alone = request.htmx and request.htmx.target == "desk-rows"
    return render(request, "portal/parts/desk_now.html" if rows_alone else "portal/desk.html", context)
