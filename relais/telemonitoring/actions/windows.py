"""What the clock does: reminders, missing answers, follow-ups whose days are over (domain.md §1.2, §1.7.f).

Each follow-up keeps how far it was looked at. A run that comes late does what it finds in between, once: an answer
that is missing is noted however late that is, a reminder is sent only while its hours last.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from relais.core.actor import SYSTEM_ACTOR
from relais.core.paris import PARIS
from relais.core.transactions import each
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Event
from relais.telemonitoring import messages
from relais.telemonitoring.actions import alerts
from relais.telemonitoring.actions.states import tell_pages
from relais.telemonitoring.judging import GREEN
from relais.telemonitoring.models import Alert, Call, FollowUp, Judgement, Missed, Pause, Risk
from relais.telemonitoring.programme import HOURS, PEAK, REMINDERS, Slot, Window
from relais.telemonitoring.workflow import AlertState, State

# An answer is awaited in the first window only when the follow-up began so long before its end.
NOTICE = timedelta(hours=2)
# The message that says that an answer is missing is worth sending for so long; answers still count then, late.
STILL_TODAY = timedelta(hours=1)
MANY = 500  # follow-ups looked at together
SILENT = timedelta(hours=12)  # MA03
CALL = timedelta(hours=1)  # longer than any call
LOST = timedelta(days=5)  # MA05
GREENS = 2  # answers at the end of a follow-up whose closing is proposed


def watch(*, now: datetime | None = None) -> int:
    """Look at every active follow-up whose last look was before the latest hour that matters. How many were.

    Those of whom nothing is to be done are marked many at a time, each other one has a transaction of its own. Raises
    ExceptionGroup at the end, all others done, when some could not be looked at.
    """
    now = now or timezone.now()
    rows = FollowUp.objects.filter(state=State.ACTIVE).exclude(watched_until__gte=latest_hour(now))
    ids: list[UUID] = list(rows.order_by("pk").values_list("pk", flat=True))
    failed = []
    for start in range(0, len(ids), MANY):
        for pk in _with_something_due(ids[start : start + MANY], now):
            try:
                _watch_one(pk, now)
            except Exception as error:  # noqa: BLE001  (one that cannot be looked at must not hide those behind it)
                failed.append(error)
    for look in (_silent_after_red, _lost):
        failed += look(now)
    if failed:
        raise ExceptionGroup("Follow-ups that could not be watched", failed)
    return len(ids)


def _with_something_due(ids: list[UUID], now: datetime) -> list[UUID]:
    """Those to look at one by one; the others are marked as looked at."""
    rows = FollowUp.objects.filter(pk__in=ids).select_related("dossier").prefetch_related("pauses").order_by("pk")
    given: dict[UUID, set[tuple[date, str]]] = {}
    for pk, day, slot in Judgement.objects.filter(follow_up__in=ids).values_list("follow_up_id", "day", "slot"):
        given.setdefault(pk, set()).add((day, slot))
    found = [row.pk for row in rows if _due(row, given.get(row.pk, set()), now)]
    quiet = FollowUp.objects.filter(pk__in=set(ids) - set(found), state=State.ACTIVE)
    quiet.update(watched_until=now)
    return found


def latest_hour(now: datetime) -> datetime:
    """The last moment up to now at which a window began or ended or a reminder was due, for anybody."""
    hours = {hour for both in HOURS.values() for hour in both} | {at for times in REMINDERS.values() for at in times}
    today = now.astimezone(PARIS).date()
    moments = [
        datetime.combine(day, hour, tzinfo=PARIS) for day in (today - timedelta(days=1), today) for hour in hours
    ]
    return max(one for one in moments if one <= now)


@transaction.atomic
def _watch_one(pk: UUID, now: datetime) -> None:
    follow_up = (
        FollowUp.objects.select_for_update(of=("self",))
        .select_related("dossier__patient")
        .prefetch_related("pauses")
        .get(pk=pk)
    )
    if follow_up.state != State.ACTIVE or _since(follow_up) >= now:
        return
    given = set(Judgement.objects.filter(follow_up=follow_up).values_list("day", "slot"))
    due = _due(follow_up, given, now)
    for window in due.missing:
        _note(follow_up, window)
    for window in due.openings:
        messages.send_opening(follow_up, window)
    for window, until in due.reminders:
        messages.send_reminder(follow_up, window, until)
    follow_up.watched_until = now
    _propose_closing(follow_up, now)
    follow_up.save(update_fields=["watched_until", "closing_proposed_at"])


class Due(NamedTuple):
    """What is to be done for a follow-up: windows to note, those that began, those to remind of and until when that makes
    sense, its end."""

    missing: list[Window]
    openings: list[Window]
    reminders: list[tuple[Window, datetime]]
    ending: bool

    def __bool__(self) -> bool:
        return bool(self.missing or self.openings or self.reminders or self.ending)


def _due(follow_up: FollowUp, given: set[tuple[date, str]], now: datetime) -> Due:
    """`given`: day and slot of the windows that have an answer."""
    since = _since(follow_up)
    open_ones = [one for one in _awaited(follow_up, now) if (one.day, one.slot) not in given]
    missing = [one for one in open_ones if since < one.closes <= now]
    rung = [one for one in open_ones if now < one.closes and any(since < at <= now for at in one.reminders)]
    still = [(one, one.closes + STILL_TODAY) for one in missing[-1:] if now < one.closes + STILL_TODAY]
    # That it begins is said until the first reminder says it again.
    begun = [one for one in open_ones if since < one.opens <= now < one.reminders[0]]
    over = now.astimezone(PARIS).date() > follow_up.ends_on
    return Due(
        missing, begun, [*still, *((one, one.closes) for one in rung)], over != bool(follow_up.closing_proposed_at)
    )


def _since(follow_up: FollowUp) -> datetime:
    """Up to when it was looked at; at first, since it began."""
    return follow_up.watched_until or follow_up.dossier.created_at


def _awaited(follow_up: FollowUp, now: datetime) -> Iterator[Window]:
    """The windows that have begun, from the first that the follow-up came early enough for."""
    today = now.astimezone(PARIS).date()
    for window in follow_up.plan.windows(follow_up.starts_on, min(today, follow_up.ends_on)):
        if window.opens <= now and window.closes >= follow_up.dossier.created_at + NOTICE:
            yield window


def _note(follow_up: FollowUp, window: Window) -> None:
    """MA01, and MA02 when somebody has to call."""
    _row, fresh = Missed.objects.get_or_create(follow_up=follow_up, day=window.day, slot=window.slot)
    if not fresh:
        return
    dossiers.record(follow_up.dossier, "answer_missed", SYSTEM_ACTOR, day=window.day.isoformat(), slot=window.slot)
    if _missed_before(follow_up, window) or _watched_closely(follow_up, window):
        alerts.raise_alert(follow_up=follow_up, level="orange", fired=["MA01", "MA02"], priority=False)
    else:
        alerts.raise_alert(follow_up=follow_up, level="gris", fired=["MA01"], priority=False)
    tell_pages(follow_up)


def recount(follow_up: FollowUp, on: date) -> None:
    """The answers of this day count for the windows of a plan that has just changed."""
    for one in Judgement.objects.filter(follow_up=follow_up, day=on).select_related("response"):
        window = follow_up.plan.window_of(one.response.ended_at)
        if window and window.day == on and window.slot != one.slot:
            one.slot = window.slot
            one.save(update_fields=["slot"])


def _missed_before(follow_up: FollowUp, window: Window) -> bool:
    """Whether nothing was answered since an earlier window that was missed, in the hours of then: the plan may have
    changed in between."""
    missed = [Window(one.day, Slot(one.slot)) for one in follow_up.missed.all()]
    earlier = [one.opens for one in missed if one.opens < window.opens]
    if not earlier:
        return False
    given = Judgement.objects.filter(follow_up=follow_up, response__ended_at__gte=max(earlier))
    return not given.filter(response__ended_at__lt=window.closes).exists()


def _watched_closely(follow_up: FollowUp, window: Window) -> bool:
    """One missing answer is enough: the second week of a patient at risk, or a last answer that was not green."""
    at_risk = follow_up.risk in (Risk.HIGH, Risk.VERY_HIGH)
    return (at_risk and follow_up.day(window.day) in PEAK) or follow_up.level != GREEN


def _silent_after_red(now: datetime) -> list[Exception]:
    """MA03: a red alert of somebody who was not reached, and no answer for 12 h: it stays red, the doctor is told."""
    rows = (
        Alert.objects.filter(
            state__in=(AlertState.NEW, AlertState.TAKEN, AlertState.CALLING, AlertState.UNREACHED),
            level__startswith="rouge",
            since__lte=now - SILENT,
            follow_up__state=State.ACTIVE,
        )
        .exclude(fired__contains=["MA03"])
        .exclude(follow_up__last_answer_at__gt=now - SILENT)
    )
    return each(
        rows.order_by("since", "pk").values_list("follow_up_id", flat=True), lambda pk: _escalate_silent(pk, now)
    )


def _calling_now(alert: Alert, now: datetime) -> bool:
    """Whether a call is going on: one that nobody has noted for so long was left, and hides the patient no more."""
    called = Event.objects.filter(dossier_id=alert.follow_up_id, verb="alert_call", at__gt=now - CALL)
    return alert.state == AlertState.CALLING and called.exists()


def _escalate_silent(pk: UUID, now: datetime) -> None:
    follow_up = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier").get(pk=pk)
    alert = alerts.open_alert(follow_up)
    if alert is None or "MA03" in alert.fired or _calling_now(alert, now):
        return
    alert.fired = [*alert.fired, "MA03"]
    alert.save(update_fields=["fired"])
    dossiers.record(follow_up.dossier, "alert_silent", SYSTEM_ACTOR, alert=str(alert.pk))
    if alert.state != AlertState.NEW:
        alerts.move(actor=SYSTEM_ACTOR, alert=alert, verb="escalate")
    tell_pages(follow_up)


def _lost(now: datetime) -> list[Exception]:
    """MA05: five days without an answer or a call that reached somebody: a practitioner may close it, nobody else does."""
    since = now - LOST
    rows = FollowUp.objects.filter(state=State.ACTIVE, dossier__created_at__lte=since)
    rows = (
        rows.exclude(last_answer_at__gt=since)
        .exclude(Exists(Pause.objects.filter(follow_up=OuterRef("pk"), last__gte=since.astimezone(PARIS).date())))
        .exclude(Exists(_contacts(since)))
        .exclude(Exists(_told(since)))
    )
    return each(rows.order_by("pk").values_list("pk", flat=True), _propose_lost)


def _contacts(since: datetime) -> QuerySet[Call]:
    return Call.objects.filter(
        alert__follow_up=OuterRef("pk"), created_at__gt=since, outcome__in=alerts.REACHED
    ).order_by()


def _told(since: datetime) -> QuerySet[Alert]:
    """Alerts that say so already, or said so within these five days."""
    said = Alert.objects.filter(follow_up=OuterRef("pk"), fired__contains=["MA05"])
    return said.filter(Q(closed_at=None) | Q(closed_at__gt=since)).order_by()


def _propose_lost(pk: UUID) -> None:
    follow_up = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier").get(pk=pk)
    alerts.raise_alert(follow_up=follow_up, level="orange", fired=["MA05"], priority=False)
    tell_pages(follow_up)


def _propose_closing(follow_up: FollowUp, now: datetime) -> None:
    """Past its last day, two green answers last and no open alert: the cell is told once; a person closes it."""
    if now.astimezone(PARIS).date() <= follow_up.ends_on:
        follow_up.closing_proposed_at = None  # extended since
        return
    if follow_up.closing_proposed_at or alerts.open_alert(follow_up):
        return
    last = Judgement.objects.filter(follow_up=follow_up).order_by("-response__ended_at", "-at")[:GREENS]
    if [one.level for one in last] == [GREEN] * GREENS:
        follow_up.closing_proposed_at = now
        dossiers.record(follow_up.dossier, "closing_proposed", SYSTEM_ACTOR)
        tell_pages(follow_up)
