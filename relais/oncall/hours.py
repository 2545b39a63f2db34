"""Day and night of the on-calls: pure rules, in Paris time, right on the two nights when the clocks change."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from relais.core.paris import PARIS, to_utc

DAY_BEGINS, NIGHT_BEGINS = time(8), time(19)  # domain.md §3.4
LONGEST_GAP = timedelta(minutes=15)


def is_day(moment: datetime) -> bool:
    """08:00 is day, 19:00 is night."""
    return DAY_BEGINS <= moment.astimezone(PARIS).time() < NIGHT_BEGINS


def next_boundary(moment: datetime) -> datetime:
    """The first 08:00 or 19:00 of Paris after this moment, in UTC: when the other half of the day takes over."""
    day = moment.astimezone(PARIS).date()
    for later in (day, day + timedelta(days=1)):
        for clock in (DAY_BEGINS, NIGHT_BEGINS):
            if (boundary := to_utc(later, clock)) > moment:
                return boundary
    raise AssertionError("there is a boundary tomorrow")


@dataclass(frozen=True, order=True)
class Span:
    """From an instant to another, in UTC."""

    starts_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at


class Hours(Protocol):
    """What lasts from an instant to another: a span, a slot."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


def meet(one: Hours, other: Hours) -> bool:
    """Whether they have a moment in common; side by side they have none."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def opening_spans(
    opens: time, closes: time, start: datetime, end: datetime, days: Collection[int] = range(7)
) -> list[Span]:
    """When a service with these Paris hours answers between two instants; equal hours: day and night; they may go over
    midnight, and the night is that of the day on which it began."""
    if opens == closes:
        opens = closes = time.min
    return _joined(
        Span(max(span.starts_at, start.astimezone(UTC)), min(span.ends_at, end.astimezone(UTC)))
        for span in _daily(opens, closes, start, end)
        if span.starts_at.astimezone(PARIS).weekday() in days and span.ends_at > start and span.starts_at < end
    )


def _daily(opens: time, closes: time, start: datetime, end: datetime) -> Iterator[Span]:
    day = start.astimezone(PARIS).date() - timedelta(days=1)
    while day <= end.astimezone(PARIS).date():
        until = day if closes > opens else day + timedelta(days=1)
        yield Span(_instant(day, opens), _instant(until, closes))
        day += timedelta(days=1)


def _instant(day: date, clock: time) -> datetime:
    """As `to_utc`; an hour that does not exist is the one that begins in its place (02:30 → 03:30 summer time)."""
    return datetime.combine(day, clock, tzinfo=PARIS).astimezone(UTC)


def uncovered(wanted: Iterable[Span], covered: Iterable[Span]) -> list[Span]:
    """What of `wanted` no span of `covered` holds, where it is longer than 15 minutes."""
    holes, taken = [], sorted(covered)
    for want in sorted(wanted):
        at = want.starts_at
        for span in taken:
            if span.ends_at <= at or span.starts_at >= want.ends_at:
                continue
            if span.starts_at > at:
                holes.append(Span(at, span.starts_at))
            at = max(at, span.ends_at)
        if at < want.ends_at:
            holes.append(Span(at, want.ends_at))
    return [hole for hole in _joined(holes) if hole.length > LONGEST_GAP]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch are one: a hole from Friday evening to Monday is said once by a service that never closes."""
    done: list[Span] = []
    for span in sorted(spans):
        if done and span.starts_at <= done[-1].ends_at:
            done[-1] = Span(done[-1].starts_at, max(span.ends_at, done[-1].ends_at))
        else:
            done.append(span)
    return done


def doubled(covered: Iterable[Span]) -> list[Span]:
    """What two spans or more hold at once."""
    found: list[Span] = []
    latest: datetime | None = None
    for span in sorted(covered):
        if latest and span.starts_at < latest:
            found.append(Span(span.starts_at, min(span.ends_at, latest)))
        latest = max(latest, span.ends_at) if latest else span.ends_at
    return _joined(found)
