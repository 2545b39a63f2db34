"""The dashboard: every appointment still to be held, in order of time, live."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.paging import Page, by_key
from relais.core.reading import read_day
from relais.core.sharing import TOKEN, Sharing, for_reader
from relais.rooms import queries as rooms
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.models import Reason, Teleconsultation
from relais.teleconsultation.topics import dashboard_topic

shared = Sharing()


@dataclass(frozen=True)
class Lines:
    """The dashboard's lines for `for_reader`, and whose they are."""

    html: str
    ids: list[UUID]


@professional(*may.STAFF)
def dashboard(request: Any) -> HttpResponse:
    """TC-05 … TC-10: one row each, chronological; the fragment alone when htmx asks for it."""
    actor, filters = request.actor, _filters(request)
    # All that the lines depend on: forty dashboards of a place ask for the same at each event.
    question = (actor.here, actor.roles, request.GET.urlencode())
    lines = shared.ask(question, lambda: _lines(request, filters))
    audit.record_list(actor=actor, action="teleconsultation.list", ids=lines.ids, seen=request.session)
    drawn = for_reader(lines.html, reader=actor.user_id, token=get_token(request))
    if request.htmx and request.htmx.target == "dashboard-rows":
        return HttpResponse(drawn)
    return render(
        request,
        "teleconsultation/dashboard.html",
        {
            "lines": drawn,
            "filters": filters,
            "filtered": any(filters.values()),
            "practitioners": queries.practitioners(actor.establishment_id),
            "reasons": Reason.choices,
            "topic": dashboard_topic(actor.establishment_id),
        },
    )


def _lines(request: Any, filters: dict[str, Any]) -> Lines:
    awaited = queries.awaited(request.actor, **filters)
    page = by_key(request, awaited, field="starts_at")
    rows = queries.rows_of(request.actor, _with_those_who_wait(awaited, page))
    context = {"rows": rows, "page_of_rows": page, "filtered": any(filters.values()), "csrf_token": TOKEN}
    html = render_to_string("teleconsultation/_dashboard_rows.html", context)
    return Lines(html, [row.pk for row in rows])


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
