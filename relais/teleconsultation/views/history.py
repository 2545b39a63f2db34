"""Historique: what was held, missed or cancelled (TC-44)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.paging import by_key
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.views.dashboard import practitioner_asked_for
from relais.teleconsultation.workflow import AFTER, State


@professional(*may.STAFF)
def history(request: Any) -> HttpResponse:
    """Searched by name or reference, newest first, paged by key."""
    known = queries.practitioners(request.actor.establishment_id)
    filters: dict[str, Any] = {
        "text": request.GET.get("q", "")[:100],
        "practitioner_id": practitioner_asked_for(request),
        "state": request.GET.get("etat", ""),
    }
    page = by_key(request, queries.history(request.actor, **filters), field="starts_at", newest_first=True)
    audit.record_list(
        actor=request.actor, action="teleconsultation.list", ids=[tele.pk for tele in page.rows], seen=request.session
    )
    return render(
        request,
        "teleconsultation/history.html",
        {
            "page_of_rows": page,
            "filters": filters,
            "filtered": bool(filters["practitioner_id"] or filters["state"]),
            "practitioners": known,
            "states": [(state.value, state.label) for state in (*AFTER, State.CLOSED, State.CANCELLED)],
        },
    )
