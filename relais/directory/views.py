"""The directory: establishments by name and place, services by need and place, described by their own managers (TE-02)."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.core.access import professional
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.paging import by_key
from relais.directory import actions, duties, queries
from relais.directory import permissions as may
from relais.directory.forms import ServiceForm
from relais.directory.models import NURSING_HOMES, Department, Establishment, Kind, Need, Service

MANAGER = "manager"
PLACES = "etablissements"  # of `voir`
FEW = 5  # establishments beside the services that the same words find
SHOWN = 4  # services of an establishment in its row
FIELDS = ("name", "need", "specialty", "departments", "days", "opens", "closes", "phone", "ways", "note")


@professional()
def services(request: Any) -> HttpResponse:
    """Services and establishments by the same words and department, one's own unless another is asked for: services, those
    that answer now first, with the first establishments of these words; all of them by `voir`."""
    asked, now = request.GET, timezone.now()
    here = Establishment.objects.filter(pk=request.actor.establishment_id).first()
    department = asked.get("departement", here.department if here else "")
    words: dict[str, Any] = {
        "text": asked.get("q", "").strip()[:100],
        "department": department if department in Department.values else "",
    }
    places = asked.get("voir") == PLACES
    kept = urlencode({"q": words["text"], "departement": words["department"]})
    context = {
        "voir": PLACES if places else "",
        "tabs": {"services": f"?{kept}", "places": f"?{kept}&voir={PLACES}"},
        "needs": Need.choices,
        "kinds": Kind.choices,
        "departments": Department.choices,
        "may_describe": may.can_describe(request.actor),
    }
    found = _places if places else _services
    return render(request, "directory/services.html", {**context, **found(request, words, now)})


def _services(request: Any, words: dict[str, Any], now: datetime) -> dict[str, Any]:
    asked = request.GET
    filters: dict[str, Any] = {
        "need": asked.get("besoin", "") if asked.get("besoin", "") in Need.values else "",
        "only_open": asked.get("ouvert") == "1",
    }
    page = by_key(request, queries.find_services(request.actor, now=now, **words, **filters), field="rank")
    named = duties.on_duty(page.rows, now)
    for row in page.rows:
        row.on_duty = named.get(row.pk, [])
    beside: list[Establishment] = []
    if words["text"] and not any(filters.values()):
        beside = list(_named(request.actor, words)[: FEW + 1])
    return {
        "page_of_rows": page,
        "filters": {**words, **filters},
        "filtered": any(asked.get(name) for name in ("besoin", "departement", "ouvert")),
        "places": _told(request.actor, beside[:FEW], now),
        "more_places": len(beside) > FEW,
    }


def _places(request: Any, words: dict[str, Any], now: datetime) -> dict[str, Any]:
    kind = request.GET.get("type", "") if request.GET.get("type", "") in Kind.values else ""
    found = _named(request.actor, words, kind).annotate(rank=queries.PLACE_RANK)
    page = by_key(request, found, field="rank")
    return {
        "page_of_rows": page,
        "filters": {**words, "kind": kind},
        "filtered": any(request.GET.get(name) for name in ("type", "departement")),
        "places": _told(request.actor, page.rows, now),
    }


def _named(actor: Actor, words: dict[str, Any], kind: str = "") -> QuerySet[Establishment]:
    department = words["department"]
    return queries.search(
        actor, words["text"], departments=[department] if department else None, kinds=[kind] if kind else None
    )


def _told(actor: Actor, places: list[Any], now: datetime) -> list[Any]:
    """These establishments with `offer` and `others` (services shown, and how many are left out), and `asked` of a nursing
    home: who answers for it."""
    offer = queries.offered(actor, places, now)
    shown: list[Any] = [service for each in offer.values() for service in each[:SHOWN]]
    named = duties.on_duty(shown, now)
    asked = duties.asked_for(actor, [one for one in places if one.kind in NURSING_HOMES], now)
    for service in shown:
        service.on_duty = named.get(service.pk, [])
    for one in places:
        one.offer, one.others = offer[one.pk][:SHOWN], len(offer[one.pk][SHOWN:])
        one.asked = asked.get(one.pk, [])
    return places


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
