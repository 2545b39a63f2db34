"""A cell: its hours and who works in it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relais.accounts.models import Membership, Role
from relais.accounts.queries import members as members_here
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import cells as actions
from relais.telemonitoring.forms import CellForm
from relais.telemonitoring.models import CELL_ROLES, Cell
from relais.telemonitoring.queries.cells import cells_of

FIELDS = ("name", "kind", "opens", "closes", "minutes_per_call", "accepts_others")


@professional(Role.MANAGER, Role.PRACTITIONER)
@require_safe
def cell_list(request: Any) -> HttpResponse:
    """The cells of one's establishment: a manager says who works in them and reads no patient."""
    cells = [one for one in cells_of(request.actor) if may.can_manage(request.actor, one)]
    return render(request, "telemonitoring/cell_list.html", {"cells": cells})


@professional(Role.MANAGER, Role.PRACTITIONER)
@require_http_methods(["GET", "HEAD", "POST"])
def new_cell(request: Any) -> HttpResponse:
    """EC-13: open a cell in one's establishment."""
    form = CellForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            cell = actions.create(actor=request.actor, settings=actions.Settings(**form.cleaned_data))
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("La cellule est ouverte. Ajoutez maintenant ses membres."))
            return redirect("telemonitoring:cell", cell.pk)
    return render(request, "telemonitoring/new_cell.html", {"form": form}, status=422 if form.errors else 200)


@professional(Role.MANAGER, Role.PRACTITIONER)
@require_http_methods(["GET", "HEAD", "POST"])
def cell(request: Any, cell_id: UUID) -> HttpResponse:
    """Members, added from here (?membership=) or by the RPPS number of somebody elsewhere; name and hours."""
    found = _cell(request, cell_id)
    form = CellForm(initial={name: getattr(found, name) for name in FIELDS})
    error, rpps = "", request.POST.get("rpps", "").strip()[:20]
    if request.method == "POST" and "name" in request.POST:
        form = CellForm(request.POST)
        if form.is_valid() and _changed(request, found, form):
            return redirect("telemonitoring:cell", cell_id)
    elif request.method == "POST":
        try:
            actions.add_member(actor=request.actor, cell=found, membership=_wanted(request, rpps))
        except Refused as refused:
            error = refused.message
        else:
            messages.success(request, _("Membre ajouté à la cellule."))
            return redirect("telemonitoring:cell", cell_id)
    now = found.members.filter(until=None).select_related("user", "establishment")
    there = {(one.user_id, one.establishment_id) for one in now}
    context = {
        "cell": found,
        "form": form,
        "at_work": set(found.members.at_work().values_list("pk", flat=True)),
        "members": sorted(now, key=lambda one: (one.user.family_name.lower(), one.user.given_name.lower())),
        "clinical": request.actor.has_role(*may.CLINICAL),
        "others": [
            one
            for one in members_here(found.establishment_id, CELL_ROLES)
            if (one.user_id, one.establishment_id) not in there
        ],
        "error": error,
        "rpps": rpps,
    }
    return render(request, "telemonitoring/cell.html", context, status=422 if error or form.errors else 200)


def _cell(request: Any, cell_id: UUID) -> Cell:
    found: Cell = get_visible(Cell.objects.select_related("establishment"), request.actor, pk=cell_id)
    if not may.can_manage(request.actor, found):
        raise NotFound
    return found


def _changed(request: Any, found: Cell, form: CellForm) -> bool:
    try:
        actions.change(actor=request.actor, cell=found, settings=actions.Settings(**form.cleaned_data))
    except Refused as refused:
        form.refuse(refused)
        return False
    messages.success(request, _("Modifications enregistrées."))
    return True


def _wanted(request: Any, rpps: str) -> Membership:
    """The membership chosen in the list, or the one of the professional of that RPPS number."""
    live = Membership.objects.filter(
        ended_at=None, user__is_active=True, establishment__active=True, role__in=CELL_ROLES
    )
    found = None
    if rpps:
        found = live.filter(user__rpps=rpps).order_by("created_at", "pk").first()
    elif (wanted := read_id(request.POST.get("membership", ""))) and request.actor.establishment_id:
        found = live.filter(pk=wanted, establishment_id=request.actor.establishment_id).first()
    if found is None:
        raise Refused(_("Aucun praticien ni soignant ne correspond : choisissez-en un, ou vérifiez le numéro RPPS."))
    return found


@professional(Role.MANAGER, Role.PRACTITIONER)
@require_POST
def remove(request: Any, cell_id: UUID, member_id: UUID) -> HttpResponse:
    """End somebody's work in the cell."""
    found = _cell(request, cell_id)
    member = found.members.filter(pk=member_id).first()
    if member is None:
        raise NotFound
    actions.remove_member(actor=request.actor, cell=found, member=member)
    messages.success(request, _("Membre retiré de la cellule."))
    return redirect("telemonitoring:cell", cell_id)
