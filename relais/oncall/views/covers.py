"""The nursing homes for which an on-call answers first."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.paging import by_key
from relais.core.reading import read_id
from relais.directory.models import Establishment, Kind, Need, Service
from relais.directory.queries import search
from relais.oncall import permissions as may
from relais.oncall.actions import covers as actions
from relais.oncall.models import Cover
from relais.oncall.views import kept_by, rota_of
from relais.oncall.views.mine import ROLES

SIZE, FOUND = 50, 10


@professional(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def covers(request: Any, service_id: UUID) -> HttpResponse:
    """Read by its pool; its referent adds nursing homes, found by name (?q=)."""
    service = rota_of(request, service_id)
    if service.need != Need.GERIATRIC:
        raise NotFound
    error, wrong = "", ""
    if request.method == "POST":
        try:
            _attached(request, kept_by(request, service_id))
        except Refused as refused:
            error, wrong = refused.message, refused.field or "home"
        else:
            messages.success(request, _("L’EHPAD est rattaché à cette astreinte."))
            return redirect("oncall:covers", service_id)
    rows = Cover.objects.filter(primary=service).select_related("establishment", "backup")
    manages, typed = may.can_attach(request.actor, service), request.GET.get("q", "").strip()[:100]
    found = _found(request, service, typed) if manages and typed else []
    context = {
        "service": service,
        "page_of_rows": by_key(request, rows.annotate(name=F("establishment__name")), field="name", size=SIZE),
        "manages": manages,
        "typed": typed,
        "found": found[:FOUND],
        "more": len(found) > FOUND,
        "others": _others(service) if manages else [],
        "error": error,
        "wrong": wrong,
        "home": read_id(request.POST.get("home", "")),
        "backup": read_id(request.POST.get("backup", "")),
    }
    return render(request, "oncall/covers.html", context, status=422 if error else 200)


def _found(request: Any, service: Service, typed: str) -> list[Establishment]:
    """The nursing homes that may be attached; one too many where they are more than one chooses from."""
    homes = search(request.actor, typed, kinds=[Kind.EHPAD], departments=service.departments)
    return list(homes.exclude(pk__in=Cover.objects.filter(primary=service).values("establishment"))[: FOUND + 1])


def _others(service: Service) -> list[Service]:
    """The on-calls that may stand in: of the same departments first."""
    near = Service.objects.filter(need=Need.GERIATRIC, active=True, establishment__active=True).exclude(pk=service.pk)
    return sorted(near, key=lambda one: (not set(one.departments) & set(service.departments), one.name, one.pk))


def _attached(request: Any, service: Service) -> Cover:
    wanted, second = read_id(request.POST.get("home", "")), read_id(request.POST.get("backup", ""))
    home = Establishment.objects.visible_to(request.actor).filter(pk=wanted).first() if wanted else None
    if home is None:
        raise Refused(_("Aucun EHPAD ne correspond : choisissez-en un dans la liste."))
    backup = next((one for one in _others(service) if one.pk == second), None)
    return actions.attach(actor=request.actor, service=service, home=home, backup=backup)


@professional(may.MANAGER)
@require_POST
def detach(request: Any, service_id: UUID, home_id: UUID) -> HttpResponse:
    """The on-call answers first for the nursing home no more."""
    service = kept_by(request, service_id)
    row = Cover.objects.select_related("establishment").filter(primary=service, establishment=home_id).first()
    if row is None:
        raise NotFound
    actions.detach(actor=request.actor, service=service, home=row.establishment)
    messages.success(request, _("L’EHPAD n’est plus rattaché : les astreintes de son département répondent pour lui."))
    return redirect("oncall:covers", service_id)
