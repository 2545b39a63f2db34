"""Counting tries by place: a network address, a number. The table holds keyed hashes, and forgets after a day."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from relais.patients.entry import throttle_key
from relais.patients.models import Throttle

FORGET = timedelta(days=1)


def tries(kind: str, place: str, window: timedelta) -> int:
    """How often `note` was called for this place since its window began; 0 once the window is over."""
    row = Throttle.objects.filter(key=throttle_key(kind, place), since__gt=timezone.now() - window).first()
    return row.count if row else 0


@transaction.atomic
def note(kind: str, place: str, window: timedelta) -> int:
    """Count one more try; returns how many in this window, this one included."""
    now = timezone.now()
    row, new = Throttle.objects.select_for_update(of=("self",)).get_or_create(
        key=throttle_key(kind, place), defaults={"count": 1, "since": now}
    )
    if new:
        Throttle.objects.filter(since__lt=now - FORGET).delete()
        return 1
    if row.since <= now - window:
        Throttle.objects.filter(pk=row.pk).update(count=1, since=now)
        return 1
    Throttle.objects.filter(pk=row.pk).update(count=F("count") + 1)
    return row.count + 1
