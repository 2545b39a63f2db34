"""The cell's screen: one row a patient, the most urgent first, live."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.errors import NotFound
from relais.core.paging import by_key
from relais.core.reading import read_id
from relais.core.sharing import TOKEN, Sharing, for_reader
from relais.telemonitoring import permissions as may
from relais.telemonitoring.queries import capacity
from relais.telemonitoring.queries import cells as queries
from relais.telemonitoring.topics import cell_topic

SIZE = 20
LEVELS = tuple(queries.LEVELS)
SHOWN = ("libres", "miennes", "j6")
PEOPLE = ("contact", "enfant")
TYPED_KEY = "telemonitoring.typed"
LONGEST = 100
shared = Sharing()


@dataclass(frozen=True)
class Lines:
    """The lines of a cell for `for_reader`, whose they are, and what its people have to do."""

    html: str
    ids: list[UUID]
    load: capacity.Load


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def cells(request: Any) -> HttpResponse:
    """EC-05, EC-13: the list of one cell (?cellule=), or what to do when there is none; the fragment alone for htmx."""
    if request.method == "POST":
        return _filtered(request)
    if "tout" in request.GET:
        request.session.pop(TYPED_KEY, None)
    known = queries.cells_of(request.actor)
    cell = _chosen(request, known)
    context: dict[str, Any] = {"cells": known, "cell": cell, "may_create": may.can_create_cell(request.actor)}
    if cell is None:
        context |= _without_cell(request)
        return render(request, "telemonitoring/cells.html", context)
    context |= _live(request, cell)
    if request.htmx and request.htmx.target == "cell-rows":
        return render(request, "telemonitoring/_cell_live.html", context)
    return render(
        request,
        "telemonitoring/cells.html",
        {
            **context,
            "topic": cell_topic(cell.pk),
            "may_read_rules": any(one.mine for one in known) and request.actor.has_role("practitioner"),
        },
    )


def _without_cell(request: Any) -> dict[str, Any]:
    """An establishment that has no cell entrusts its patients to others, and keeps them in sight (EC-14)."""
    rows = queries.entrusted(request.actor)
    audit.record_list(
        actor=request.actor, action="telemonitoring.list", ids=[row.pk for row in rows], seen=request.session
    )
    return {"entrusted": rows, "open_cells": queries.cells_open_to(request.actor)}


def _filtered(request: Any) -> HttpResponse:
    """The list with the filters that were posted: the name that was typed stays out of addresses and logs (TC-16)."""
    request.session[TYPED_KEY] = request.POST.get("q", "").strip()[:LONGEST]
    kept = {name: request.POST.get(name, "") for name in ("cellule", "niveau", "voir", "qui")}
    asked = urlencode({name: value for name, value in kept.items() if value})
    return redirect(reverse("telemonitoring:cells") + (f"?{asked}" if asked else ""))


def _chosen(request: Any, known: list[Any]) -> Any:
    """The cell of the address, else the first one in which the actor works. NotFound for one that they do not see."""
    asked = request.GET.get("cellule", "")
    if asked:
        wanted = read_id(asked)
        if found := next((cell for cell in known if cell.pk == wanted), None):
            return found
        raise NotFound
    return next((cell for cell in known if cell.mine), known[0] if known else None)


def _live(request: Any, cell: Any) -> dict[str, Any]:
    """What is drawn again at each ping: the lines once for all members who ask for them, the top for each."""
    actor, filters = request.actor, _filters(request)
    holder = actor.user_id if filters["show"] == "miennes" else None
    question = (cell.pk, cell.mine, request.GET.urlencode(), filters["text"], holder)
    lines = shared.ask(question, lambda: _lines(request, cell, filters))
    audit.record_list(actor=actor, action="telemonitoring.list", ids=lines.ids, seen=request.session)
    return {
        "lines": for_reader(lines.html, reader=actor.user_id, token=get_token(request)),
        "filters": filters,
        "filtered": any(filters.values()),
        "capacity": capacity.capacity(actor, cell, lines.load),
        "all_url": _all_url(cell),
    }


def _lines(request: Any, cell: Any, filters: dict[str, str]) -> Lines:
    found = queries.followed(cell, actor=request.actor, today=timezone.localdate(), **filters)
    page = by_key(request, *found, field="rank", size=SIZE)
    rows = queries.rows_of(cell, [one.pk for one in page.rows])
    context = {"cell": cell, "rows": rows, "page_of_rows": page, "filtered": any(filters.values())}
    context |= {"all_url": _all_url(cell), "csrf_token": TOKEN}
    html = render_to_string("telemonitoring/_cell_rows.html", context)
    return Lines(html, [row.pk for row in rows], capacity.load_of(cell))


def _all_url(cell: Any) -> str:
    return f"?cellule={cell.pk}&tout=1"


def _filters(request: Any) -> dict[str, str]:
    def one_of(name: str, known: tuple[str, ...]) -> str:
        given = request.GET.get(name, "")
        return given if given in known else ""

    return {
        "level": one_of("niveau", LEVELS),
        "show": one_of("voir", SHOWN),
        "who": one_of("qui", PEOPLE),
        "text": request.session.get(TYPED_KEY, ""),
    }
