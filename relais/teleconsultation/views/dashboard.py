"""The dashboard: every appointment still to be held, in order of time, live."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.paging import Page, by_key
from relais.core.reading import read_day
from relais.rooms import queries as rooms
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.models import Reason, Teleconsultation
from relais.teleconsultation.topics import dashboard_topic


@professional(*may.STAFF)
def dashboard(request: Any) -> HttpResponse:
    """TC-05 … TC-10: one row each, chronological; the fragment alone when htmx asks for it."""
    context = _rows(request)
    if request.htmx and request.htmx.target == "dashboard-rows":
        return render(request, "teleconsultation/_dashboard_rows.html", context)
    return render(
        request,
        "teleconsultation/dashboard.html",
        {
            **context,
            "practitioners": queries.practitioners(request.actor.establishment_id),
            "reasons": Reason.choices,
            "topic": dashboard_topic(request.actor.establishment_id),
        },
    )


def _rows(request: Any) -> dict[str, Any]:
    filters = _filters(request)
    awaited = queries.awaited(request.actor, **filters)
    page = by_key(request, awaited, field="starts_at")
    rows = queries.rows_of(request.actor, _with_those_who_wait(awaited, page))
    audit.record_list(
        actor=request.actor,
        action="teleconsultation.list",
        ids=[row.pk for row in rows],
        seen=request.session,
    )
    return {"rows": rows, "page_of_rows": page, "filters": filters, "filtered": any(filters.values())}


def _with_those_who_wait(awaited: "QuerySet[Teleconsultation]", page: Page) -> list[Teleconsultation]:
    """The page's rows in order, and those of other pages whose patient waits now: nobody waits out of sight."""
    if not (page.next_url or page.first_url):
        return page.rows
    waiting = awaited.filter(pk__in=rooms.waited_for()).exclude(pk__in=[tele.pk for tele in page.rows])
    return sorted([*page.rows, *waiting], key=lambda tele: (tele.starts_at, tele.pk))


def _filters(request: HttpRequest) -> dict[str, Any]:
    return {
        "practitioner_id": practitioner_asked_for(request),
        "day": read_day(request.GET.get("jour", "")),
        "reason": request.GET.get("motif", "") if request.GET.get("motif") in Reason.values else "",
    }


def practitioner_asked_for(request: Any) -> UUID | None:
    """The practitioner of ?praticien=, if they exercise here."""
    asked = request.GET.get("praticien", "")
    known = queries.practitioners(request.actor.establishment_id) if asked else []
    return next((user.pk for user in known if str(user.pk) == asked), None)
