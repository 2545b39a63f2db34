"""Looking ahead: a hole in a rota is told to its referents some days before, and once more, by SMS, a day before."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from relais.core import times
from relais.core.transactions import each, whole
from relais.directory.models import Service
from relais.oncall import messages, queries
from relais.oncall.actions.pool import lock
from relais.oncall.hours import Span, meet
from relais.oncall.models import OnCallSlot, ToldGap

AHEAD = timedelta(days=7)
SOON = timedelta(hours=24)
KEPT = timedelta(days=31)  # a service without a slot for that long keeps no rota


def alert_gaps(now: datetime | None = None) -> int:
    """Tell of the holes of the next seven days that nobody was told of, and again of those of the next 24 hours; idempotent.

    Of the services that keep a rota, and of those that keep none although nursing homes count on them (`_alert_empty`).
    Returns how many were told; raises ExceptionGroup at the end, all others done, for services that could not be looked at.
    """
    moment = now or timezone.now()
    slots = OnCallSlot.objects.filter(service=OuterRef("pk"), ends_at__gt=moment - KEPT)
    services = Service.objects.filter(active=True, establishment__active=True).order_by("pk")
    told: list[int] = []
    failed = each(services.filter(Exists(slots)), lambda one: told.append(_alert(one, moment)))
    empty = services.filter(queries.counted_on(), ~Exists(slots))
    failed += each(empty, lambda one: told.append(_alert_empty(one, moment)))
    if failed:
        raise ExceptionGroup("Rotas that could not be looked at", failed)
    return sum(told)


@whole
def _alert_empty(service: Service, now: datetime) -> int:
    """One service whose rota is empty: a single hole that has begun, told at once as what presses, and again after a week."""
    lock(service)
    soon = [gap for gap in queries.gaps(service, now, now + AHEAD) if gap.starts_at <= now + SOON]
    if not soon or ToldGap.objects.filter(service=service, ends_at__gt=now).exists():
        return 0
    ToldGap.objects.create(service=service, starts_at=now, ends_at=now + AHEAD, pressed_at=now)
    _tell(messages.GAP_SOON, service, soon)
    return 1


@whole
def _alert(service: Service, now: datetime) -> int:
    """One service, in a transaction of its own. A hole that touches one that was told is the same one; one that was filled
    and opens again is another."""
    lock(service)
    found = queries.gaps(service, now, now + AHEAD)
    rows = list(ToldGap.objects.filter(service=service, ends_at__gt=now))
    filled = [one.pk for one in rows if not any(meet(gap, one) for gap in found)]
    if filled:
        ToldGap.objects.filter(pk__in=filled).delete()
    told = {gap: [one for one in rows if meet(gap, one)] for gap in found}
    new = [gap for gap in found if not told[gap]]
    soon = [
        gap for gap in found if gap.starts_at <= now + SOON and not any(_pressed(gap, one, now) for one in told[gap])
    ]
    ToldGap.objects.filter(pk__in=[one.pk for gap in soon for one in told[gap]]).update(pressed_at=now)
    ToldGap.objects.bulk_create(
        ToldGap(service=service, starts_at=gap.starts_at, ends_at=gap.ends_at, pressed_at=now if gap in soon else None)
        for gap in new
    )
    for key, gaps in ((messages.GAP_SOON, soon), (messages.GAP, [gap for gap in new if gap not in soon])):
        if gaps:
            _tell(key, service, gaps)
    return len({*new, *soon})


def _tell(key: str, service: Service, gaps: list[Span]) -> None:
    messages.tell_referents(key, service, {"day": times.full(gaps[0].starts_at), "count": len(gaps)})


def _pressed(gap: Span, told: ToldGap, now: datetime) -> bool:
    """Whether this beginning was among those told as about to begin; what is left of a hole may begin days later."""
    return told.pressed_at is not None and gap.starts_at <= max(now, told.pressed_at + SOON)
