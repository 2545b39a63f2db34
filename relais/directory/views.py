"""The directory of services: found by need and place, described by their own managers (TE-02)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.paging import by_key
from relais.directory import actions, duties, queries
from relais.directory import permissions as may
from relais.directory.forms import ServiceForm
from relais.directory.models import Department, Establishment, Need, Service

MANAGER = "manager"
FIELDS = ("name", "need", "specialty", "departments", "days", "opens", "closes", "phone", "ways", "note")


@professional()
def services(request: Any) -> HttpResponse:
    """Services by need and place, those that answer now first; one's own department unless another is asked for."""
    asked = request.GET
    here = Establishment.objects.filter(pk=request.actor.establishment_id).first()
    department = asked.get("departement", here.department if here else "")
    filters = {
        "text": asked.get("q", "").strip()[:100],
        "need": asked.get("besoin", "") if asked.get("besoin", "") in Need.values else "",
        "department": department if department in Department.values else "",
        "only_open": asked.get("ouvert") == "1",
    }
    now = timezone.now()
    page = by_key(request, queries.find_services(request.actor, now=now, **filters), field="rank")
    named = duties.on_duty(page.rows, now)
    for row in page.rows:
        row.on_duty = named.get(row.pk, [])
    return render(
        request,
        "directory/services.html",
        {
            "page_of_rows": page,
            "filters": filters,
            "filtered": any(asked.get(name) for name in ("besoin", "departement", "ouvert")),
            "needs": Need.choices,
            "departments": Department.choices,
            "may_describe": may.can_describe(request.actor),
        },
    )


@professional()
def service(request: Any, service_id: UUID) -> HttpResponse:
    """One service, with its line."""
    found = _service(request, service_id)
    now = timezone.now()
    context = {
        "service": found,
        "is_open": Service.objects.open_at(now).filter(pk=found.pk).exists(),
        "on_duty": duties.on_duty([found], now).get(found.pk, []),
        "may_change": may.can_change(request.actor, found),
    }
    return render(request, "directory/service.html", context)


@professional(MANAGER)
def add(request: Any) -> HttpResponse:
    here = Establishment.objects.get(pk=request.actor.here)
    form = ServiceForm(request.POST or None, initial={"departments": [here.department], "phone": here.phone})
    return _described(request, form, None)


@professional(MANAGER)
def change(request: Any, service_id: UUID) -> HttpResponse:
    found = _service(request, service_id)
    if not may.can_change(request.actor, found):
        raise NotFound
    form = ServiceForm(request.POST or None, initial={name: getattr(found, name) for name in FIELDS})
    return _described(request, form, found)


def _described(request: Any, form: ServiceForm, found: Service | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        said = actions.Described(**form.cleaned_data)
        try:
            if found is None:
                kept = actions.describe_service(actor=request.actor, said=said)
            else:
                kept = actions.change_service(actor=request.actor, service=found, said=said)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("L’annuaire est à jour : les autres établissements voient ce service."))
            return redirect("directory:service", kept.pk)
    status = 422 if form.errors else 200
    return render(request, "directory/describe.html", {"form": form, "service": found}, status=status)


@professional(MANAGER)
@require_POST
def close(request: Any, service_id: UUID) -> HttpResponse:
    actions.close_service(actor=request.actor, service=_service(request, service_id))
    messages.success(request, _("Ce service n’est plus proposé. Vous pouvez le rouvrir."))
    return redirect("directory:service", service_id)


@professional(MANAGER)
@require_POST
def reopen(request: Any, service_id: UUID) -> HttpResponse:
    try:
        actions.open_service(actor=request.actor, service=_service(request, service_id))
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Ce service est de nouveau proposé."))
    return redirect("directory:service", service_id)


def _service(request: Any, service_id: UUID) -> Service:
    found: Service = get_visible(Service.objects.select_related("establishment"), request.actor, pk=service_id)
    return found
