"""The screen of the doctor on call, and where the entry of the rail leads."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.actor import Actor
from relais.core.navigation import CALL, LIST, PAGE
from relais.directory.models import Establishment
from relais.liaison import permissions as may
from relais.liaison.queries import lists
from relais.liaison.queries.ringing import ringing
from relais.liaison.topics import home_topic, service_topic
from relais.oncall.bells import Bell


@professional(*may.CLINICAL)
@require_safe
def home(request: Any) -> HttpResponse:
    """Whoever answers for a service sees what is asked of it; the others, their residents."""
    return redirect("liaison:on_call" if lists.services(request.actor) else "liaison:residents")


@professional(*may.CLINICAL)
@require_safe
def on_call(request: Any) -> HttpResponse:
    """FG-08, FG-10: today's requests by urgency and remaining time; the fragment alone for htmx."""
    services = lists.services(request.actor)
    rows = lists.on_call_rows(request.actor)
    alone = bool(request.htmx) and request.htmx.target == "liaison-rows"
    ended = [] if alone else lists.ended_rows(request.actor, timezone.now())
    may_ask = not alone and may.can_ask(request.actor)
    drafts = lists.own_drafts(request.actor) if may_ask else []
    shown = [*(row.demand.pk for row in rows), *(one.pk for one in (*ended, *drafts))]
    audit.record_list(actor=request.actor, action="liaison.list", ids=shown, seen=request.session)
    is_home = Establishment.objects.filter(pk=request.actor.here, kind__in=may.HOMES).exists()
    context = {
        "services": services,
        "may_ask": may_ask,
        "drafts": drafts,
        "is_home": is_home,
        "rows": rows,
        "cut": lists.is_cut(rows),
        "waiting": sum(row.demand.responsible_id is None for row in rows),
        "alarms": sum(bool(row.hand_over and row.hand_over.alarmed_at) for row in rows),
        "relief": sum(map(len, lists.relief(request.actor, rows))),
        "topics": " ".join(service_topic(one.pk) for one in services),
    }
    if alone:
        return render(request, "liaison/_rows.html", context)
    request.tray_place = PAGE if is_home else LIST  # what rings for their nursing home is not on this list
    return render(request, "liaison/on_call.html", {**context, "ended": ended})


def bell(actor: Actor, here: Establishment, services: list[UUID], place: str) -> Bell | None:
    """On every page of whoever is on call, and of the clinical staff of a nursing home: one line that leads to the list, which
    does not say twice what it rings for."""
    home = may.can_read(actor) and here.kind in may.HOMES
    if not (services or home) or place == LIST:
        return None
    topics = [*map(service_topic, services), *([home_topic(here.pk)] if home else [])]
    found = ringing(actor, services, home=home)
    context = {"found": found, "more": len(found) - 1, "in_call": place == CALL}
    return Bell(topics, render_to_string("liaison/_bell.html", context))


@professional(*may.CLINICAL)
@require_safe
def hand_overs(request: Any) -> HttpResponse:
    """D10: the list of 08:00 and 19:00 in one place, each with its text: what comes to the reader, what they pass on."""
    coming, going = lists.relief(request.actor, lists.on_call_rows(request.actor))
    shown = [row.demand.pk for row in (*coming, *going)]
    audit.record_list(actor=request.actor, action="liaison.list", ids=shown, seen=request.session)
    context = {
        "coming": coming,
        "going": going,
        "may_take": request.actor.has_role("practitioner"),
        "topics": " ".join(service_topic(one.pk) for one in lists.services(request.actor)),
    }
    alone = request.htmx and request.htmx.target == "liaison-hand-overs"
    return render(request, "liaison/_hand_overs.html" if alone else "liaison/hand_overs.html", context)


@professional(may.MANAGER)
@require_safe
def nobody(request: Any) -> HttpResponse:
    """For whoever keeps a rota or runs a nursing home: the requests that nobody has, without their residents."""
    rows = lists.nobody_rows(request.actor)
    shown = [row.demand.pk for row in rows]
    audit.record_list(actor=request.actor, action="liaison.nobody", ids=shown, seen=request.session)
    topics = [service_topic(pk) for pk in lists.kept_services(request.actor)]
    context = {
        "rows": rows,
        "here": request.actor.here,
        "keeps": any(row.mine for row in rows),
        "topics": " ".join([home_topic(request.actor.here), *topics]),
    }
    if request.htmx and request.htmx.target == "liaison-nobody":
        return render(request, "liaison/_nobody.html", context)
    return render(request, "liaison/nobody.html", context)
