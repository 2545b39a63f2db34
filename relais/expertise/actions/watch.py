"""Overdue requests climb: told again, then the next expert of the pool, then the managers; each once (B2.6).

A complement that does not come is asked again, then its expert hears that nothing came (TE-05). Those whose expert leaves the
pool are told to the others at once.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from relais.core.actor import SYSTEM_ACTOR
from relais.core.transactions import each, whole
from relais.dossiers import actions as dossiers
from relais.expertise import delays, messages
from relais.expertise.actions.states import tell_lists
from relais.expertise.models import Expertise
from relais.expertise.queries import pool
from relais.expertise.workflow import HELD, State
from relais.oncall.models import PoolMember


def watch(*, now: datetime | None = None) -> int:
    """Climb every request that is overdue, or awaits a complement, to where it should be by now, the most urgent first;
    returns how many moved.

    One transaction each. Raises ExceptionGroup at the end, all others done, for those that could not be watched.
    """
    moment = now or timezone.now()
    moved: list[bool] = []
    failed = each(_in_turn(_due(moment)), lambda pk: moved.append(climb(pk, moment)))
    failed += each(_in_turn(_silent(moment)), lambda pk: moved.append(urge(pk, moment)))
    if failed:
        raise ExceptionGroup("Requests that could not be watched", failed)
    return sum(moved)


def _in_turn(rows: QuerySet[Expertise]) -> QuerySet[Expertise, UUID]:
    return rows.order_by("rank", "pk").values_list("pk", flat=True)


def follow_pool(service_id: UUID) -> None:
    """The pool of a service has changed: what an expert has who left it is told to the others, once.

    The change stands whatever becomes of these: of one that fails what it had written is undone, and nothing more.
    """
    there = PoolMember.objects.on_call().filter(service_id=service_id, user_id=OuterRef("expert_id"))
    held = Expertise.objects.filter(~Exists(there), service_id=service_id, state__in=HELD)
    each(held.order_by("rank", "pk").values_list("pk", flat=True), tell_gone)


@whole
def tell_gone(pk: UUID) -> bool:
    """Whoever may take over the request of an expert who left is told; False when they were since it was taken."""
    asked = (
        Expertise.objects.select_for_update(of=("self",), no_key=True).select_related("dossier", "service").get(pk=pk)
    )
    told = asked.dossier.events.filter(verb="expert_gone", at__gte=asked.taken_at)
    if asked.state not in HELD or asked.expert_is_there or told.exists():
        return False
    dossiers.record(asked.dossier, "expert_gone", SYSTEM_ACTOR, expert=str(asked.expert_id))
    messages.tell_pool(asked, messages.GONE)
    tell_lists(asked)
    return True


def _due(now: datetime) -> QuerySet[Expertise]:
    """Those that have reached a level of which nobody was told: `delays.level_at`, asked of the database."""
    due = Q()
    for urgency in delays.ORDER:
        for level in range(delays.SUPERVISOR):
            due |= Q(urgency=urgency, level=level, due_at__lte=now - level * delays.step(urgency))
    return Expertise.objects.overdue(now).filter(due)


@whole
def climb(pk: UUID, now: datetime) -> bool:
    """Every level that this request has reached since it was told last, in their order; False when there is none."""
    rows = Expertise.objects.select_for_update(of=("self",), no_key=True).select_related("dossier", "service")
    asked = rows.overdue(now).filter(pk=pk).first()
    if asked is None or asked.due_at is None:
        return False
    reached = delays.level_at(asked.urgency, asked.due_at, now)
    if reached <= asked.level:
        return False
    for level in range(asked.level + 1, reached + 1):
        _tell(asked, level, now)
    asked.level = reached
    asked.save(update_fields=["level", "called"])
    tell_lists(asked)
    return True


def _tell(asked: Expertise, level: int, now: datetime) -> None:
    if level == delays.AGAIN:
        messages.tell_expert(asked, messages.OVERDUE)
    elif level == delays.NEXT:
        asked.called = pool.next_expert(asked.service, asked.expert_id, now)
        messages.tell(asked, messages.OVERDUE, asked.called_id)
    else:
        messages.tell_managers(asked)
    called = str(asked.called_id) if level == delays.NEXT and asked.called_id else ""
    dossiers.record(asked.dossier, "overdue", SYSTEM_ACTOR, level=level, called=called)


def _silent(now: datetime) -> QuerySet[Expertise]:
    """Those whose complement has not come in a delay of which nobody was told: `delays.silence_at`, asked of the database."""
    due = Q()
    for urgency in delays.ORDER:
        for level in range(delays.SILENT):
            due |= Q(urgency=urgency, level=level, due_at__lte=now - (level + 1) * delays.DELAYS[urgency] + F("left"))
    return Expertise.objects.filter(due, state=State.COMPLEMENT_ASKED)


@whole
def urge(pk: UUID, now: datetime) -> bool:
    """Remind the side that asks of a complement that it has not given, then tell the expert, who may answer without it; once
    each. False when nobody is to be told."""
    rows = Expertise.objects.select_for_update(of=("self",), no_key=True).select_related("dossier", "service")
    asked = rows.filter(pk=pk, state=State.COMPLEMENT_ASKED).first()
    if asked is None or asked.complement_asked_at is None:
        return False
    reached = delays.silence_at(asked.urgency, asked.complement_asked_at, now)
    if reached <= asked.level:
        return False
    if asked.level < delays.REMINDED:
        messages.tell_asking(asked, messages.REMINDED, SYSTEM_ACTOR)
        dossiers.record(asked.dossier, "complement_late", SYSTEM_ACTOR)
    if reached == delays.SILENT:
        messages.tell_expert(asked, messages.SILENT)
        dossiers.record(asked.dossier, "complement_silent", SYSTEM_ACTOR)
    asked.level = reached
    asked.save(update_fields=["level"])
    tell_lists(asked)
    return True
