"""Looking ahead: a hole in a rota is told to its referents some days before, once."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from relais.core import times
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.oncall import messages, queries
from relais.oncall.actions.pool import lock
from relais.oncall.hours import Span
from relais.oncall.models import OnCallSlot, ToldGap

AHEAD = timedelta(days=7)
KEPT = timedelta(days=31)  # a service without a slot for that long keeps no rota


def with_rota(now: datetime) -> list[Service]:
    """The services that keep a rota, by id."""
    slots = OnCallSlot.objects.filter(service=OuterRef("pk"), ends_at__gt=now - KEPT)
    found = Service.objects.filter(Exists(slots), active=True, establishment__active=True)
    return list(found.select_related("establishment").order_by("pk"))


def alert_gaps(now: datetime | None = None) -> int:
    """Tell of the holes of the next seven days that nobody was told of; idempotent. Returns how many were new."""
    moment = now or timezone.now()
    return sum(_alert(service, moment) for service in with_rota(moment))


@whole
def _alert(service: Service, now: datetime) -> int:
    """One service, in a transaction of its own. A hole that touches one that was told is the same one; one that was filled
    and opens again is another."""
    lock(service)
    found = queries.gaps(service, now, now + AHEAD)
    rows = list(ToldGap.objects.filter(service=service, ends_at__gt=now))
    filled = [one.pk for one in rows if not any(_meet(gap, Span(one.starts_at, one.ends_at)) for gap in found)]
    if filled:
        ToldGap.objects.filter(pk__in=filled).delete()
    told = [Span(one.starts_at, one.ends_at) for one in rows if one.pk not in filled]
    new = [gap for gap in found if not any(_meet(gap, one) for one in told)]
    if new:
        rows = [ToldGap(service=service, starts_at=gap.starts_at, ends_at=gap.ends_at) for gap in new]
        ToldGap.objects.bulk_create(rows)
        first = {"day": times.full(new[0].starts_at), "count": len(new)}
        messages.tell_referents(messages.GAP, service, first)
    return len(new)


def _meet(one: Span, other: Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
