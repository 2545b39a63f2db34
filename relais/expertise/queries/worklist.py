"""The lists of both sides: by urgency, then by the time that is left (B2.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Func, OuterRef, Q, QuerySet, Subquery, TextField, UUIDField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from relais.core.actor import Actor
from relais.core.doors import among, any_of
from relais.core.written import written
from relais.directory.models import Service
from relais.dossiers.models import Participant, Step
from relais.expertise.models import ADMISSION_STEPS, Expertise, Opinion, Seen, Urgency
from relais.expertise.workflow import AFTER, FREE, OPEN, RUNNING, State
from relais.oncall.models import PoolMember
from relais.patients.models import Patient
from relais.patients.queries import homonyms

PRINTED = ("dossier__patient", "establishment", "service__establishment", "expert", "requester")
MINE, POOL, LATE, ASKED = "moi", "pool", "retard", "demandes"  # which list
MOST_COUNTED, MOST_DUE = 99, 50
TO_DO = (State.COMPLEMENT_ASKED, *AFTER)  # the side that asks has something to do


@written
def services_of(actor: Actor) -> QuerySet[Service]:
    """Those for which the actor answers, by name."""
    mine = PoolMember.objects.of(actor).order_by().values("service_id")
    return Service.objects.filter(pk__in=mine).select_related("establishment").order_by("name", "id")


def listed(
    actor: Actor,
    which: str,
    *,
    now: datetime,
    urgency: str = "",
    service_id: UUID | None = None,
    free: bool = False,
    text: str = "",
) -> QuerySet[Expertise]:
    """The rows of one list; page them by `rank`. `free`: those that nobody has taken; `text`: words of a name."""
    rows = _ASKED[which](actor, now)
    if urgency in Urgency.values:
        rows = rows.filter(urgency=urgency)
    if service_id:
        rows = rows.filter(service_id=service_id)
    if free:
        rows = rows.filter(state__in=FREE)
    return _named(rows.select_related(*PRINTED).defer("draft"), text)


@written
def first(
    actor: Actor, which: str, most: int, *, now: datetime, urgency: str, service_id: UUID | None, free: bool
) -> QuerySet[Expertise]:
    """The first `most` rows of `listed`, without words: a name would be kept with the question."""
    rows = listed(actor, which, now=now, urgency=urgency, service_id=service_id, free=free)
    return rows.order_by("rank", "pk")[:most]


def _mine(actor: Actor, now: datetime) -> QuerySet[Expertise]:
    return Expertise.objects.asked_of(actor).filter(Q(expert_id=actor.me) | Q(called_id=actor.me))


def _pool(actor: Actor, now: datetime) -> QuerySet[Expertise]:
    return Expertise.objects.asked_of(actor)


def _late(actor: Actor, now: datetime) -> QuerySet[Expertise]:
    return Expertise.objects.asked_of(actor).overdue(now)


def _requests(actor: Actor, now: datetime) -> QuerySet[Expertise]:
    here = Expertise.objects.filter(establishment_id=actor.here, state__in=[State.DRAFT, *OPEN, *AFTER])
    return here.exclude(~Q(requester_id=actor.me), state=State.DRAFT)


_ASKED = {MINE: _mine, POOL: _pool, LATE: _late, ASKED: _requests}


def history(
    actor: Actor, *, service_id: UUID | None, text: str = "", state: str = ""
) -> tuple[QuerySet[Expertise], QuerySet[Expertise]]:
    """All that was sent, newest first: to a service for which the actor answers, else by the establishment chosen.

    Beside it, what such a service answered before another one was asked.
    """
    rows = Expertise.objects.filter(establishment_id=actor.here)
    beside = Expertise.objects.none()
    if service_id and PoolMember.objects.of(actor).filter(service_id=service_id).exists():
        gave = Opinion.objects.filter(service_id=service_id, passed_on=True).values("expertise_id")
        rows = Expertise.objects.filter(service_id=service_id)
        beside = Expertise.objects.filter(among("dossier_id", gave))
    return _sent(rows, text, state), _sent(beside, text, state)


def _sent(rows: QuerySet[Expertise], text: str, state: str) -> QuerySet[Expertise]:
    rows = rows.filter(sent_at__isnull=False)
    if state in State.values:
        rows = rows.filter(state=state)
    return _named(rows.select_related(*PRINTED).defer("draft"), text)


def _named(rows: QuerySet[Expertise], text: str) -> QuerySet[Expertise]:
    for word in text.split():
        folded = Func(Value(word), function="relais_fold", output_field=TextField())
        rows = rows.filter(Q(dossier__patient__search_name__contains=folded) | Q(dossier__reference__iexact=word))
    return rows


def counts(actor: Actor, now: datetime) -> dict[str, int]:
    """How many stand in each list that asks for something, 99 at most: two queries."""
    (of_pool,) = _counted(actor, now) or [dict.fromkeys((MINE, POOL, LATE), 0)]
    return {name: min(count, MOST_COUNTED) for name, count in of_pool.items()} | {ASKED: len(_to_do(actor, now))}


@written
def _counted(actor: Actor, now: datetime) -> QuerySet[Expertise, dict[str, int]]:
    """One row; none for whom nobody can ask anything."""
    rows = Expertise.objects.asked_of(actor).order_by().values(all=Value(1))
    return rows.annotate(
        **{
            MINE: Count("pk", filter=Q(expert_id=actor.me) | Q(called_id=actor.me)),
            POOL: Count("pk", filter=Q(state__in=FREE)),
            LATE: Count("pk", filter=Q(state__in=RUNNING, due_at__lte=now)),
        }
    ).values(MINE, POOL, LATE)


@written
def _to_do(actor: Actor, now: datetime) -> QuerySet[Expertise, Any]:
    return _requests(actor, now).filter(state__in=TO_DO).order_by().values_list("pk")[:MOST_COUNTED]


def due_reviews(actor: Actor, today: date) -> list[Expertise]:
    """Patients to look at again today or before, by the date that an expert gave (TE-10); those who died come back no more."""
    rows = Expertise.objects.filter(establishment_id=actor.here, review_on__lte=today, reviewed_at=None)
    shown = (
        rows.filter(dossier__patient__deceased_on=None)
        .exclude(state=State.CANCELLED)
        .select_related("dossier__patient", "service")
    )
    return list(shown.defer("draft").order_by("review_on", "pk")[:MOST_DUE])


LAST = Step.objects.filter(dossier=OuterRef("pk"), kind__in=ADMISSION_STEPS).order_by("-created_at", "-id")


@written
def admissions(services: list[UUID]) -> QuerySet[Expertise]:
    """Those proposed to these services that they have neither accepted nor refused, the oldest first."""
    here = Participant.objects.filter(any_of("service_id", services), until=None)  # one that advised too
    rows = Expertise.objects.filter(state=State.ADMISSION, pk__in=here.values("dossier_id"))
    asked = Step.objects.annotate(to=Cast(KeyTextTransform("service", "data"), UUIDField()))
    last = asked.filter(any_of("to", services), pk=OuterRef("last"), kind="admission")
    return _of_admissions(rows.annotate(last=Subquery(LAST.values("pk")[:1])).filter(Exists(last)))


@written
def declined(actor: Actor, services: list[UUID]) -> QuerySet[Expertise]:
    """What the actor has of these services whose admission was refused: another service is to be found."""
    return _of_admissions(_refused(Expertise.objects.filter(any_of("service_id", services), expert_id=actor.me)))


def _refused(rows: QuerySet[Expertise]) -> QuerySet[Expertise]:
    """Of these, those that nobody admits since the service asked last has refused."""
    last = rows.filter(state=State.ADMISSION).annotate(last=Subquery(LAST.values("pk")[:1]))
    return last.filter(Exists(Step.objects.filter(pk=OuterRef("last"), data__accepted=False)))


def _of_admissions(rows: QuerySet[Expertise]) -> QuerySet[Expertise]:
    # Mostly there is none: joining what a line prints would take longer to plan than the question.
    shown = rows.prefetch_related("dossier__patient", "establishment", "requester").defer("draft")
    return shown.order_by("answered_at", "pk")[:MOST_DUE]


@dataclass(frozen=True)
class Row:
    """What a line prints."""

    asked: Expertise
    patient: Patient
    late: bool
    unread: bool
    twin: bool
    may_take: bool
    refused: bool  # its admission: nobody expects the patient

    @property
    def pk(self) -> UUID:
        return UUID(str(self.asked.pk))

    @property
    def running(self) -> bool:
        return self.asked.state in OPEN and self.asked.state != State.COMPLEMENT_ASKED

    @property
    def rings(self) -> bool:
        """An immediate one that nobody has."""
        return self.may_take and self.asked.urgency == Urgency.IMMEDIATE

    @property
    def mark(self) -> str:
        if self.late or self.rings:
            return "is-urgent"
        return "is-late" if self.asked.urgency == Urgency.URGENT and self.running else ""


def rows_of(actor: Actor, rows: list[Expertise], *, of_pool: bool, now: datetime) -> list[Row]:
    """The facts around these requests: one query for any number of them, and one more when there are admissions."""
    seen = seen_at(actor, rows)
    alike = homonyms(one.dossier.patient for one in rows)
    admitted = [one.pk for one in rows if one.state == State.ADMISSION]
    refused = (
        set(_refused(Expertise.objects.filter(pk__in=admitted)).values_list("pk", flat=True)) if admitted else set()
    )
    takes = of_pool and actor.has_role("practitioner")
    return [
        Row(
            asked=one,
            patient=one.dossier.patient,
            late=one.is_overdue(now),
            unread=is_unread(actor, one, seen.get(one.pk)),
            twin=one.dossier.patient_id in alike,
            may_take=takes and one.state in FREE,
            refused=one.pk in refused,
        )
        for one in rows
    ]


def seen_at(actor: Actor, rows: Iterable[Expertise]) -> dict[Any, datetime]:
    """When the actor last looked at the thread of each."""
    found = Seen.objects.filter(user_id=actor.me, expertise__in=[one.pk for one in rows])
    return dict(found.order_by().values_list("expertise_id", "at"))


def is_unread(actor: Actor, asked: Expertise, seen: datetime | None) -> bool:
    """Somebody else wrote in the thread since the actor looked."""
    if asked.noted_at is None or asked.noted_by == actor.user_id:
        return False
    return seen is None or seen < asked.noted_at
