"""The nursing home's screen, and the one sheet of a resident (FG-03)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.reading import read_id
from relais.directory.models import Establishment
from relais.dossiers import queries as dossiers
from relais.liaison import permissions as may
from relais.liaison.queries import dlu, lists, shelf, transfers
from relais.liaison.queries import sheet as queries
from relais.liaison.topics import home_topic
from relais.liaison.workflow import OPEN
from relais.patients.models import Patient
from relais.patients.queries import homonyms


@professional(*may.CLINICAL)
@require_safe
def residents(request: Any) -> HttpResponse:
    """The residents of the nursing home, their open requests, what is expected of whom; the fragment alone for htmx."""
    actor = request.actor
    establishment = Establishment.objects.get(pk=actor.here)
    rows = lists.home_rows(actor)
    everybody = lists.residents(actor) if establishment.kind in may.HOMES else []
    people = everybody[: lists.RESIDENTS]
    may_start = may.can_start(actor, establishment)
    card = shelf.card(actor, establishment, everybody) if may_start else ""
    named = everybody if card else people
    drafts, closed = lists.drafts(actor) if may_start else [], lists.closed_rows(actor)
    shown = [*(row.demand.pk for row in rows), *(one.pk for one, _said in (*drafts, *closed))]
    audit.record_list(actor=actor, action="liaison.list", ids=shown, seen=request.session)
    audit.record_list(actor=actor, action="patient.list", ids=[one.pk for one in named], seen=request.session)
    asked = {row.demand.patient_id: row.demand for row in rows}
    stale = dlu.to_update([one.pk for one in people])
    alike = homonyms(people, given=True)
    context = {
        "establishment": establishment,
        "answers": bool(lists.services(actor)),
        "is_home": establishment.kind in may.HOMES,
        "may_start": may_start,
        "rows": rows,
        "cut": lists.is_cut(rows),
        "drafts": drafts,
        "closed": closed,
        "people": [(one, one.pk in alike, asked.get(one.pk), stale.get(one.pk, "")) for one in people],
        "most": lists.RESIDENTS,
        "pick": reverse("liaison:pick"),
        "topic": home_topic(actor.here),
        "card": card,
    }
    if request.htmx and request.htmx.target == "liaison-home":
        return render(request, "liaison/_home.html", context)
    return render(request, "liaison/residents.html", context)


@professional(*may.CLINICAL)
@require_safe
def pick(request: Any) -> HttpResponse:
    """A search leads here with *?patient=*: to the resident's sheet."""
    wanted = read_id(request.GET.get("patient", ""))
    return redirect("liaison:sheet", wanted) if wanted else redirect("liaison:residents")


@professional(*may.CLINICAL)
@require_safe
def sheet(request: Any, patient_id: UUID) -> HttpResponse:
    """FG-03: one sheet for a resident, over all their requests."""
    actor = request.actor
    patient = get_visible(Patient, actor, pk=patient_id)
    audit.record(actor=actor, action="patient.read", patient_id=patient.pk, why="Fiche de liaison")
    establishment = Establishment.objects.get(pk=actor.here)
    rows = queries.record_of(actor, patient)
    until = may.moved_at(actor, patient)
    origin = dossiers.origin_for(actor, patient.pk, request.GET.get("depuis", ""))
    context = {
        "patient": patient,
        "rows": rows,
        "open_one": next((one.demand for one in rows if one.opens and one.demand.state in OPEN), None),
        "may_start": may.can_start(actor, establishment) and not patient.deceased_on,
        "dlu": dlu.brief(patient, until=until),
        "may_keep": may.can_keep_dlu(actor, patient) and not patient.deceased_on,
        "transfers": transfers.of_patient(patient, until),
        "origin": origin,
    }
    return render(request, "liaison/sheet.html", context)
