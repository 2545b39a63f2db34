"""The figures of pools: delay to answer, outcome, recourse to hospital (TE-03). No patient stands in them."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _l

from relais.core.actor import Actor
from relais.directory.models import Service, Way
from relais.dossiers.models import Participant
from relais.expertise.models import EXPERT, Expertise, Opinion, Recourse
from relais.expertise.workflow import OPEN, RUNNING, State

PERIODS = (30, 90, 365)  # days
AFTER_ANSWER = (State.ANSWERED, State.ADMISSION, State.CLOSED)
# What became of a request that was answered: codes of tr.orientation in few words, an admission, and an opinion without one.
OUTCOMES = {
    "maintien": _l("Maintien sur place"), "consultation": _l("Consultation"), "teleconsultation": _l("Téléconsultation"),
    "hospitalisation-programmee": _l("Hospitalisation programmée"),
    "hospitalisation-urgente": _l("Hospitalisation urgente"), "samu": _l("SAMU"), "had": _l("HAD"),
    "palliatif": _l("Soins palliatifs"), "admission": _l("Admission proposée"), "": _l("Sans orientation"),
}  # fmt: skip


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
    outcomes: dict[str, int]  # by code of OUTCOMES

    @property
    def median_words(self) -> str:
        return words_of(self.median)

    @property
    def p90_words(self) -> str:
        return words_of(self.p90)

    @property
    def outcome_rows(self) -> list[tuple[str, int]]:
        """(words, how many) of every outcome, in the order of OUTCOMES."""
        return [(str(words), self.outcomes[code]) for code, words in OUTCOMES.items()]

    @property
    def became(self) -> int:
        """How many were answered, whatever became of them."""
        return sum(self.outcomes.values())

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
        return f"{minutes}\u00a0min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}\u00a0h\u00a0{minutes:02d}"
    return f"{hours // 24}\u00a0j {hours % 24}\u00a0h"


def services_of(actor: Actor) -> QuerySet[Service]:
    """Those of the establishment chosen that answer requests for an opinion."""
    return Service.objects.filter(establishment_id=actor.here, ways__contains=[Way.EXPERTISE]).order_by("name", "id")


def figures(actor: Actor, *, days: int, now: datetime) -> list[Figures]:
    """One line a pool of the establishment chosen, over these last days; three queries for any number.

    What was sent and answered is counted where it was: a service that passed a request on, or after which another was
    asked, keeps its own. Its delay begins when the request came to it. The rest follows the service asked now.
    """
    services = list(services_of(actor))
    ids, since = [one.pk for one in services], now - timedelta(days=days)
    nothing = dict.fromkeys((one.name for one in fields(Figures)[1:]), 0) | {"median": None, "p90": None}
    found: dict[UUID, dict[str, Any]] = {pk: nothing | {"outcomes": dict.fromkeys(OUTCOMES, 0)} for pk in ids}
    for rows in (_now(ids, since, now), _came(ids, since), _opinions(ids, since)):
        for one in rows:
            line = found[one.pop("service_id")]
            line["outcomes"] = {code: one.pop(_name(code), count) for code, count in line["outcomes"].items()}
            line.update(one)
    return [Figures(service=service, **found[service.pk]) for service in services]


def _dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [dict(one) for one in rows]


def _name(code: str) -> str:
    """Of the count of an outcome."""
    return f"became_{code.replace('-', '_') or 'nothing'}"


def _now(ids: list[UUID], since: datetime, now: datetime) -> list[dict[str, Any]]:
    rows = Expertise.objects.filter(service__in=ids, sent_at__gte=since).order_by().values("service_id")
    return _dicts(
        rows.annotate(
            refused=Count("pk", filter=Q(state=State.REFUSED) | ~Q(refusal="")),
            cancelled=Count("pk", filter=Q(state=State.CANCELLED)),
            open=Count("pk", filter=Q(state__in=OPEN)),
            late=Count("pk", filter=Q(state__in=RUNNING, due_at__lte=now)),
            avoided=Count("pk", filter=Q(recourse=Recourse.AVOIDED)),
            made=Count("pk", filter=Q(recourse=Recourse.MADE)),
            said=Count("pk", filter=~Q(recourse="")),
            **{
                _name(code): Count("pk", filter=Q(orientation=code, answered_at__isnull=False, state__in=AFTER_ANSWER))
                for code in OUTCOMES
            },
        )
    )


def _came(ids: list[UUID], since: datetime) -> list[dict[str, Any]]:
    rows = Participant.objects.filter(service__in=ids, role=EXPERT, created_at__gte=since).order_by()
    return _dicts(rows.values("service_id").annotate(sent=Count("dossier_id", distinct=True)))


def _opinions(ids: list[UUID], since: datetime) -> list[dict[str, Any]]:
    first = Opinion.objects.filter(service__in=ids, asked_at__gte=since, version=1)  # a correction answers nothing anew
    rows = first.order_by().values("service_id")
    delay = ExpressionWrapper(F("signed_at") - F("asked_at"), output_field=DurationField())
    return _dicts(
        rows.annotate(answered=Count("*"), median=Percentile(delay, fraction=0.5), p90=Percentile(delay, fraction=0.9))
    )
