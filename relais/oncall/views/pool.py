"""Who answers for a service: of its own establishment and of others."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.accounts.models import Membership
from relais.accounts.queries import find_professionals
from relais.accounts.queries import members as members_here
from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.oncall import permissions as may
from relais.oncall.actions import pool as actions
from relais.oncall.models import POOL_ROLES, PoolMember
from relais.oncall.views import kept_by, rota_of
from relais.oncall.views.mine import ROLES


@professional(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def pool(request: Any, service_id: UUID) -> HttpResponse:
    """Read by its members; its referent adds somebody from here (?membership=), or found by name (?q=) elsewhere."""
    service = rota_of(request, service_id)
    manages, error, wrong = may.can_manage(request.actor, service), "", ""
    if request.method == "POST":
        try:
            _added(request, kept_by(request, service_id))
        except Refused as refused:
            error, wrong = refused.message, "elsewhere" if "elsewhere" in request.POST else "here"
        else:
            messages.success(request, _("Cette personne répond maintenant pour le service."))
            return redirect("oncall:pool", service_id)
    now = service.pool.filter(until=None).select_related("user", "establishment")
    there = {one.user_id for one in now}
    typed = request.GET.get("q", "").strip()[:100]
    context = {
        "service": service,
        "members": sorted(now, key=lambda one: (one.user.family_name.lower(), one.user.given_name.lower())),
        "at_work": set(service.pool.at_work().values_list("pk", flat=True)),
        "manages": manages,
        "others": [one for one in members_here(service.establishment_id, POOL_ROLES) if one.user_id not in there]
        if manages
        else [],
        "typed": typed,
        "found": _found(typed, there) if manages and typed else [],
        "error": error,
        "wrong": wrong,
    }
    return render(request, "oncall/pool.html", context, status=422 if error else 200)


def _found(typed: str, there: set[UUID]) -> list[Membership]:
    """Where the professionals of that name work, those who answer already left out."""
    people = [one.pk for one in find_professionals(typed, POOL_ROLES) if one.pk not in there]
    return list(
        _live().filter(user__in=people).order_by("user__family_name", "user__given_name", "establishment__name")
    )


def _live() -> Any:
    return Membership.objects.at_work(POOL_ROLES).select_related("user", "establishment")


def _added(request: Any, service: Any) -> PoolMember:
    wanted = read_id(request.POST.get("membership", ""))
    membership = _live().filter(pk=wanted).first() if wanted else None
    if membership is None:
        raise Refused(_("Aucun praticien ni soignant ne correspond : choisissez-en un dans la liste."))
    return actions.add_member(actor=request.actor, service=service, membership=membership)


@professional(may.MANAGER)
@require_POST
def remove(request: Any, service_id: UUID, pool_member_id: UUID) -> HttpResponse:
    """They answer for the service no more."""
    service = kept_by(request, service_id)
    member = service.pool.filter(pk=pool_member_id).first()
    if member is None:
        raise NotFound
    try:
        actions.remove_member(actor=request.actor, service=service, member=member)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Cette personne ne répond plus pour le service. Vérifiez ses créneaux à venir."))
    return redirect("oncall:pool", service_id)
