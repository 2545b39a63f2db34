"""The list of a cell: one row a patient, the most urgent first (domain.md §1.10)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Window as Over
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.patients.models import Patient
from relais.patients.queries import homonyms
from relais.telemonitoring import wording
from relais.telemonitoring.models import Alert, Cell, CellMember, FollowUp, Judgement
from relais.telemonitoring.programme import ADULT_YEARS, PEAK, Slot, Window
from relais.telemonitoring.workflow import ALERT_TRANSITIONS, OPEN, AlertState, State

# Urgency of a row; within one, who waits longest stands first.
RED_NEW, RED, PRIORITY, ORANGE, GREY, CALM, AWAY = range(7)
DAY = timedelta(days=1)
MOST_ENTRUSTED = 50
REASONS = 3  # shown of a line
ASIDE = 10**11  # more seconds than any date counts
LEVELS = {"rouge": (RED_NEW, RED), "orange": (PRIORITY, ORANGE), "gris": (GREY,), "vert": (CALM,)}
ALARMED, OF_ALERTS = ("rouge", "orange", "gris"), ("libres", "miennes")  # filters that only open alerts pass


def cells_of(actor: Actor) -> list[Any]:
    """The cells that the actor sees, with `people` (members now) and `mine` (the actor is one of them)."""
    return _listed(Cell.objects.visible_to(actor), actor)


def cells_open_to(actor: Actor) -> list[Any]:
    """The cells to which the actor may entrust a patient, as `cells_of`: those of the region stand last."""
    return sorted(_listed(Cell.objects.open_to(actor), actor), key=lambda one: one.establishment_id != actor.here)


def entrusted(actor: Actor) -> list[FollowUp]:
    """The patients of one's establishment whom a cell of another follows, the newest first (EC-14)."""
    rows = FollowUp.objects.filter(dossier__establishment_id=actor.here).exclude(state=State.CLOSED)
    elsewhere = rows.exclude(cell__establishment_id=actor.here)
    known = elsewhere.select_related("dossier__patient", "cell__establishment")
    return list(known.order_by("-dossier__created_at", "pk")[:MOST_ENTRUSTED])


def _listed(cells: Any, actor: Actor) -> list[Any]:
    mine = CellMember.objects.of(actor).filter(cell=OuterRef("pk"))
    there = CellMember.objects.at_work().filter(cell=OuterRef("pk")).order_by().values("cell")
    people = Subquery(there.annotate(n=Count("user", distinct=True)).values("n"))
    return list(
        cells.select_related("establishment")
        .annotate(people=Coalesce(people, 0), mine=Exists(mine))
        .order_by("name", "pk")
    )


def followed(
    cell: Cell, *, actor: Actor, level: str = "", show: str = "", who: str = "", text: str = "", today: date
) -> list[QuerySet[FollowUp]]:
    """The follow-ups of a cell that are not closed, by their ids with `rank` (order of the list): those with an open
    alert, then, behind all of them, the others. What a line prints is read by `rows_of`, for a page alone.

    `level`: of LEVELS; `show`: libres (not taken), miennes or j6; `who`: contact or enfant; `text`: words of a name.
    """
    rows: QuerySet[Any] = FollowUp.objects.filter(cell=cell).exclude(state=State.CLOSED).only("pk")
    shown = {
        "j6": Q(onset__range=(today - timedelta(days=PEAK[-1]), today - timedelta(days=PEAK[0]))),
        "contact": Q(status="contact"),
        "enfant": Q(dossier__patient__birth_date__gt=_years_before(today, ADULT_YEARS)),
    }
    for wanted in (show, who):
        if wanted in shown:
            rows = rows.filter(shown[wanted])
    for word in text.split():
        folded = Func(Value(word), function="relais_fold", output_field=TextField())
        rows = rows.filter(dossier__patient__search_name__contains=folded)
    alarmed, calm = _alarmed(rows), _calm(rows)
    if show == "libres":
        alarmed = alarmed.filter(open_alert__state=AlertState.NEW)
    if show == "miennes":
        alarmed = alarmed.filter(open_alert__taken_by_id=actor.user_id)
    if level in LEVELS:
        alarmed, calm = (one.filter(urgency__in=LEVELS[level]) for one in (alarmed, calm))
    if level in ALARMED or show in OF_ALERTS:
        return [alarmed]
    return [calm] if level in LEVELS else [alarmed, calm]


def _alarmed(rows: QuerySet[Any]) -> QuerySet[Any]:
    rows = rows.annotate(open_alert=_open_alert()).filter(open_alert__isnull=False).annotate(urgency=_urgency())
    return rows.annotate(rank=_rank(_epoch("open_alert__since")))


def _calm(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Without an open alert: no join, so that thousands of them cost little."""
    away = When(state=State.PAUSED, then=Value(AWAY))
    rows = rows.exclude(Exists(Alert.objects.filter(follow_up=OuterRef("pk"), state__in=OPEN)))
    rows = rows.annotate(urgency=Case(away, default=Value(CALM), output_field=BigIntegerField()))
    return rows.annotate(rank=_rank(Coalesce(_epoch("last_answer_at"), Value(0, BigIntegerField()))))


def _rank(since: Func) -> ExpressionWrapper:
    """The urgency, then the moment. Said to be large: as a plain integer no key of a second page would be below it."""
    return ExpressionWrapper(F("urgency") * Value(ASIDE, BigIntegerField()) + since, output_field=BigIntegerField())


def _open_alert() -> FilteredRelation:
    return FilteredRelation("alerts", condition=Q(alerts__state__in=OPEN))


def _urgency() -> Case:
    red = Q(open_alert__level__startswith="rouge")
    orange = Q(open_alert__level__startswith="orange")
    return Case(
        When(red & Q(open_alert__state=AlertState.NEW), then=Value(RED_NEW)),
        When(red, then=Value(RED)),
        When(orange & Q(open_alert__priority=True), then=Value(PRIORITY)),
        When(orange, then=Value(ORANGE)),
        default=Value(GREY),
        output_field=BigIntegerField(),
    )


def _epoch(moment: str) -> Func:
    return Func(F(moment), template="EXTRACT(EPOCH FROM %(expressions)s)::bigint", output_field=BigIntegerField())


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=28 if (day.month, day.day) == (2, 29) else day.day)


@dataclass(frozen=True)
class Row:
    """What a line prints."""

    follow_up: FollowUp
    patient: Patient
    day: int
    peak: bool
    level: wording.Level
    alert: Alert | None
    reasons: list[str]
    deadline: datetime | None
    deadline_words: str
    last: Judgement | None
    values: list[wording.Value]
    factors: list[Any]
    missing: Window | None
    next: Window | None
    may: dict[str, bool]
    twin: bool = False

    @property
    def pk(self) -> UUID:
        return self.follow_up.pk

    @property
    def day_words(self) -> str:
        return f"J{self.day}"

    @property
    def first_reasons(self) -> list[str]:
        """What fits in a line; the others stand in the follow-up."""
        return self.reasons[:REASONS]

    @property
    def more(self) -> int:
        return max(len(self.reasons) - REASONS, 0)

    @property
    def rings(self) -> bool:
        """A red alert that nobody has taken."""
        return bool(self.alert and self.alert.state == AlertState.NEW and self.alert.level.startswith("rouge"))

    @property
    def mark(self) -> str:
        if self.alert and self.alert.level.startswith("rouge"):
            return "is-urgent"
        return "is-late" if self.alert and self.alert.level.startswith("orange") else ""


def rows_of(cell: Any, ids: list[UUID]) -> list[Row]:
    """The lines of these follow-ups in this order, three queries for any number of them."""
    rows: QuerySet[Any] = FollowUp.objects.annotate(open_alert=_open_alert())
    known = rows.select_related("dossier__patient", "open_alert__taken_by").prefetch_related("pauses")
    found = known.in_bulk(ids)
    follow_ups = [found[pk] for pk in ids if pk in found]
    answers = last_answers(ids)
    alike = homonyms(one.dossier.patient for one in follow_ups)
    words = wording.rule_words(cell.rules_id)
    now = timezone.now()
    return [
        _row(cell, one, answers.get(one.pk, []), words, now, twin=one.dossier.patient_id in alike) for one in follow_ups
    ]


def last_answers(ids: list[UUID]) -> dict[UUID, list[Judgement]]:
    """The last two answer sets of each follow-up with what the rules said, the newest first, whenever they came."""
    newest = [F("response__ended_at").desc(), F("at").desc(), F("pk").desc()]
    numbered = (
        Judgement.objects.filter(follow_up__in=ids)
        .annotate(number=Over(RowNumber(), partition_by=[F("follow_up")], order_by=newest))
        .filter(number__lte=2)
        .select_related("response")
        .order_by("follow_up", "number")
    )
    found: dict[UUID, list[Judgement]] = {}
    for one in numbered:
        found.setdefault(one.follow_up_id, []).append(one)
    return found


def _row(cell: Any, one: Any, answers: list[Judgement], words: dict[str, str], now: datetime, *, twin: bool) -> Row:
    alert: Alert | None = getattr(one, "open_alert", None)  # absent when none is open
    last = answers[0] if answers else None
    fired = alert.fired if alert else last.fired if last else []
    deadline, deadline_words = promise(alert, cell)
    missing, after = windows(one, answers, now)
    today = timezone.localdate(now)
    return Row(
        follow_up=one,
        patient=one.dossier.patient,
        day=one.day(today),
        peak=one.day(today) in PEAK,
        level=_level(one, alert),
        alert=alert,
        reasons=wording.reasons(fired, words, alert.next_called if alert else ""),
        deadline=deadline,
        deadline_words=deadline_words,
        last=last,
        values=wording.measures(last.response.answers, answers[1].response.answers if len(answers) > 1 else None)
        if last
        else [],
        factors=[wording.FACTORS.get(factor, factor) for factor in one.factors],
        missing=missing,
        next=after,
        may=verbs_of_row(cell, alert),
        twin=twin,
    )


def _level(follow_up: Any, alert: Alert | None) -> wording.Level:
    """Of the open alert, else of the last answers."""
    if alert:
        return wording.level_of(alert.level, priority=alert.priority)
    return wording.level_of(follow_up.level) if follow_up.last_answer_at else wording.UNKNOWN


def promise(alert: Alert | None, cell: Cell) -> tuple[datetime | None, str]:
    """The moment that was promised next for an alert, and for what; None once the patient was reached, and no call planned."""
    if alert is None or (alert.state == AlertState.REACHED and not alert.call_at):
        return None, ""
    clock = alert.clock(cell)
    if alert.state == AlertState.NEW:
        return clock.take_by, _("À prendre en charge")
    if alert.state == AlertState.ESCALATED:
        return clock.doctor_by, _("Médecin attendu")
    return clock.call_by, _("À rappeler") if alert.call_at else _("À appeler")


def windows(follow_up: FollowUp, answers: list[Judgement], now: datetime) -> tuple[Window | None, Window | None]:
    """The last window that closed if no answer came for it or since, and the next one that awaits an answer."""
    if follow_up.state != State.ACTIVE:
        return None, None
    today = timezone.localdate(now)
    near = list(
        follow_up.plan.windows(max(follow_up.starts_on, today - 2 * DAY), min(follow_up.ends_on, today + 2 * DAY))
    )
    answered = {(one.day, one.slot) for one in answers}
    closed = [one for one in near if one.closes <= now]
    silent = bool(closed) and not any(key >= _order(closed[-1]) for key in map(_order, answered))
    ahead = (one for one in near if one.closes > now and (one.day, one.slot) not in answered)
    return (closed[-1] if silent else None), next(ahead, None)


def _order(window: tuple[date, str]) -> tuple[date, bool]:
    """Windows of one day in their order: the evening comes last."""
    return window[0], window[1] == Slot.EVENING


def verbs_of_row(cell: Any, alert: Alert | None) -> dict[str, bool]:
    """What the buttons of a line are drawn from, by the alert's own table; who works in the cell was asked once.

    `call` and `note` are for who holds the alert.
    """
    if alert is None or not cell.mine:
        return {}
    possible = {verb for verb, step in ALERT_TRANSITIONS.items() if alert.state in step.sources}
    return {
        "take": "take" in possible,
        "call": "call" in possible and _awaits_call(alert),
        "note": alert.state == AlertState.CALLING,
    }


def _awaits_call(alert: Alert) -> bool:
    """Who was reached is called again only when that was planned."""
    return alert.state != AlertState.REACHED or alert.call_at is not None
