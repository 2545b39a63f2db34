"""The rota of a service, week by week."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from relais.core.access import professional
from relais.core.reading import read_day
from relais.oncall import permissions as may
from relais.oncall import queries
from relais.oncall.views import rota_of
from relais.oncall.views.mine import ROLES, SEEN


@professional(*ROLES)
@require_safe
def rota(request: Any, service_id: UUID) -> HttpResponse:
    """One week (?semaine=), with the holes of the next four weeks on top."""
    service = rota_of(request, service_id)
    now, today = timezone.now(), timezone.localdate()
    monday = monday_of(read_day(request.GET.get("semaine", "")) or today)
    days = queries.week(service, monday)
    context = {
        "service": service,
        "days": days,
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "today": today,
        "answers": queries.answering([service], now)[service.pk],
        "twice": queries.twice(slot for day in days for slot in day.slots),
        "gaps": queries.gaps(service, now, now + SEEN),
        "doubled": any(day.doubled for day in days),
        "gone": [slot for day in days for slot in day.slots if not slot.doctor_here and slot.ends_at > now],
        "manages": may.can_manage(request.actor, service),
        "me": request.actor.user_id,
        "now": now,
    }
    return render(request, "oncall/rota.html", context)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
