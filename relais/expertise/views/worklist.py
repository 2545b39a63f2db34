"""The lists: for me, for my pool, overdue, and what my establishment asked."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from relais.audit import actions as audit
from relais.core import live
from relais.core.access import professional
from relais.core.paging import Page, by_key, is_later, page_of
from relais.core.reading import read_id
from relais.expertise import permissions as may
from relais.expertise.models import Urgency
from relais.expertise.queries import worklist as queries
from relais.expertise.topics import place_topic, service_topic
from relais.expertise.workflow import AFTER, OPEN, State

SIZE, LONGEST = 20, 100
TYPED_KEY = "expertise.typed"
LISTS = (queries.MINE, queries.POOL, queries.LATE, queries.ASKED)
PAST = (*AFTER, State.CLOSED, State.CANCELLED)


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def worklist(request: Any) -> HttpResponse:
    """One list (?liste=) with its filters; the rows alone for htmx. Who answers for no service sees what they asked."""
    if request.method == "POST":
        return _filtered(request, "expertise:worklist", ("liste", "urgence", "service", "libres"))
    if "tout" in request.GET:
        request.session.pop(TYPED_KEY, None)
    actor, now = request.actor, timezone.now()
    services = queries.services_of(actor)
    which = request.GET.get("liste", "")
    if which not in LISTS or (which != queries.ASKED and not services):
        which = queries.POOL if services else queries.ASKED
    filters = _filters(request, services, which)
    page = _page(request, which, now, filters)
    rows = queries.rows_of(actor, page.rows, of_pool=which != queries.ASKED, now=now)
    reviews = queries.due_reviews(actor, timezone.localdate()) if which == queries.ASKED else []
    answers = which != queries.ASKED  # what else awaits those who answer for a service
    ids = [one.pk for one in services]
    admissions, declined = (queries.admissions(ids), queries.declined(actor, ids)) if answers else ([], [])
    shown = [row.pk for row in rows] + [one.pk for one in (*reviews, *admissions, *declined)]
    audit.record_list(actor=actor, action="expertise.list", ids=shown, seen=request.session)
    context = {
        "rows": rows,
        "page_of_rows": page,
        "which": which,
        "reviews": reviews,
        "admissions": admissions,
        "declined": declined,
        "counts": queries.counts(actor, now),
        "services": services,
        "filters": filters,
        "filtered": any(value for name, value in filters.items()),
        "all_url": f"?liste={which}&tout=1",
        "urgencies": Urgency.choices,
    }
    if request.htmx and request.htmx.target == "expertise-rows":
        return render(request, "expertise/_rows.html", context)
    topics = [place_topic(actor.here), *(service_topic(one.pk) for one in services)]
    return render(request, "expertise/worklist.html", {**context, "topics": live.sign(" ".join(topics))})


def _page(request: Any, which: str, now: datetime, filters: dict[str, Any]) -> Page:
    """The first page is that of every visit: its question is written once; not that of words, which are always others."""
    if is_later(request) or filters["text"]:
        return by_key(request, queries.listed(request.actor, which, now=now, **filters), field="rank", size=SIZE)
    chosen = {name: value for name, value in filters.items() if name != "text"}
    return page_of(request, queries.first(request.actor, which, SIZE + 1, now=now, **chosen), field="rank", size=SIZE)


def _filters(request: Any, services: list[Any], which: str) -> dict[str, Any]:
    urgency, service = request.GET.get("urgence", ""), read_id(request.GET.get("service", ""))
    return {
        "urgency": urgency if urgency in Urgency.values else "",
        "service_id": service if service in {one.pk for one in services} else None,
        "free": request.GET.get("libres") == "1" and which == queries.POOL,
        "text": request.session.get(TYPED_KEY, ""),
    }


def _filtered(request: Any, url_name: str, names: tuple[str, ...]) -> HttpResponse:
    """The list with the filters that were posted: the name that was typed stays out of addresses and logs (TC-16)."""
    request.session[TYPED_KEY] = request.POST.get("q", "").strip()[:LONGEST]
    kept = {name: request.POST.get(name, "") for name in names}
    asked = urlencode({name: value for name, value in kept.items() if value})
    return redirect(reverse(url_name) + (f"?{asked}" if asked else ""))


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def history(request: Any) -> HttpResponse:
    """All that was sent, newest first, by name, reference or state: what one's establishment asked, or one's service got."""
    if request.method == "POST":
        return _filtered(request, "expertise:history", ("service", "etat"))
    if "tout" in request.GET:
        request.session.pop(TYPED_KEY, None)
    services = queries.services_of(request.actor)
    asked, state = read_id(request.GET.get("service", "")), request.GET.get("etat", "")
    filters: dict[str, Any] = {
        "service_id": asked if asked in {one.pk for one in services} else None,
        "text": request.session.get(TYPED_KEY, ""),
        "state": state if state in State.values else "",
    }
    rows, beside = queries.history(request.actor, **filters)
    page = by_key(request, rows, field="sent_at", newest_first=True, beside=beside)
    audit.record_list(
        actor=request.actor, action="expertise.list", ids=[one.pk for one in page.rows], seen=request.session
    )
    context = {
        "page_of_rows": page,
        "filters": filters,
        "filtered": bool(filters["service_id"] or filters["state"] or filters["text"]),
        "services": services,
        "states": [(one.value, one.label) for one in (*OPEN, *PAST)],
        "counts": queries.counts(request.actor, timezone.now()),
    }
    return render(request, "expertise/history.html", context)
