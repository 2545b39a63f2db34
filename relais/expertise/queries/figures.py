"""The figures of pools: delay to answer, outcome, recourse to hospital (TE-03). No patient stands in them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from relais.core.actor import Actor
from relais.directory.models import Service, Way
from relais.expertise.models import Expertise, Recourse
from relais.expertise.workflow import OPEN, RUNNING, State

PERIODS = (30, 90, 365)  # days


class Percentile(Aggregate):
    """percentile_cont of PostgreSQL: the value under which that fraction lies."""

    template = "percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    function = "percentile_cont"
    output_field = DurationField()
    allow_distinct = False


@dataclass(frozen=True)
class Figures:
    """Of one pool over a period."""

    service: Service
    sent: int
    answered: int
    refused: int
    cancelled: int
    open: int
    late: int
    median: timedelta | None
    p90: timedelta | None
    avoided: int
    made: int
    said: int  # closed with a word about the recourse to hospital

    @property
    def median_words(self) -> str:
        return words_of(self.median)

    @property
    def p90_words(self) -> str:
        return words_of(self.p90)

    @property
    def avoided_share(self) -> int | None:
        """Of those sent to hospital or not that could have been, how many in a hundred were not."""
        asked = self.avoided + self.made
        return round(100 * self.avoided / asked) if asked else None


def words_of(length: timedelta | None) -> str:
    """3 h 12, 45 min, 2 j 4 h; "—" without."""
    if length is None:
        return "—"
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d}"
    return f"{hours // 24} j {hours % 24} h"


def services_of(actor: Actor) -> QuerySet[Service]:
    """Those of the establishment chosen that answer requests for an opinion."""
    return Service.objects.filter(establishment_id=actor.here, ways__contains=[Way.EXPERTISE]).order_by("name", "id")


def figures(actor: Actor, *, days: int, now: datetime) -> list[Figures]:
    """One line a pool of the establishment chosen, requests sent in these last days; two queries for any number."""
    services = list(services_of(actor))
    rows = Expertise.objects.filter(
        service__in=[one.pk for one in services], sent_at__gte=now - timedelta(days=days)
    ).order_by()
    delay = ExpressionWrapper(F("answered_at") - F("sent_at"), output_field=DurationField())
    found: dict[UUID, dict[str, Any]] = {
        one["service_id"]: dict(one)
        for one in rows.values("service_id").annotate(
            sent=Count("pk"),
            answered=Count("answered_at"),
            refused=Count("pk", filter=Q(state=State.REFUSED) | ~Q(refusal="")),
            cancelled=Count("pk", filter=Q(state=State.CANCELLED)),
            open=Count("pk", filter=Q(state__in=OPEN)),
            late=Count("pk", filter=Q(state__in=RUNNING, due_at__lte=now)),
            median=Percentile(delay, fraction=0.5),
            p90=Percentile(delay, fraction=0.9),
            avoided=Count("pk", filter=Q(recourse=Recourse.AVOIDED)),
            made=Count("pk", filter=Q(recourse=Recourse.MADE)),
            said=Count("pk", filter=~Q(recourse="")),
        )
    }
    names = (
        "sent", "answered", "refused", "cancelled", "open", "late", "median", "p90", "avoided", "made", "said",
    )  # fmt: skip
    nothing = dict.fromkeys(names, 0) | {"median": None, "p90": None}
    lines = []
    for service in services:
        line = found.get(service.pk, nothing)
        lines.append(Figures(service=service, **{name: line[name] for name in names}))
    return lines
