"""The clocks of an alert: until when somebody takes it, until when the patient is called (domain.md §1.8).

Computed when read, from when the alert was opened or raised: a late scheduler changes no clock. Red runs day and night;
orange and missing answers wait while the cell is closed. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from relais.core.paris import PARIS

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Delay:
    """Minutes from the opening of an alert: to take it, to call; between two calls; until a doctor is told."""

    take: int
    call: int
    again: int
    doctor: int
    by_night: bool  # runs while the cell is closed too


DELAYS = {
    "rouge": Delay(take=5, call=15, again=10, doctor=20, by_night=True),
    "rouge-psy": Delay(take=10, call=15, again=15, doctor=15, by_night=True),
    "orange prioritaire": Delay(take=30, call=60, again=60, doctor=120, by_night=False),
    "orange": Delay(take=60, call=240, again=120, doctor=480, by_night=False),
    "orange-psy": Delay(take=240, call=1440, again=240, doctor=1440, by_night=True),
    "gris": Delay(take=240, call=480, again=480, doctor=1440, by_night=False),
}
NO_DELAY = Delay(take=1440, call=1440, again=1440, doctor=2880, by_night=True)


def delay_of(level: str, *, priority: bool) -> Delay:
    """The delay of a level; an orange of the second week or of a patient at risk is called sooner (AC08)."""
    return DELAYS.get(f"{level} prioritaire" if priority and level == "orange" else level, NO_DELAY)


@dataclass(frozen=True)
class Clock:
    """The moments that were promised."""

    take_by: datetime
    call_by: datetime
    doctor_by: datetime


def clock(level: str, since: datetime, *, priority: bool, opens: time, closes: time) -> Clock:
    """The promises of an alert opened or raised at `since`, in a cell that answers every day from `opens` to `closes`."""
    delay = delay_of(level, priority=priority)
    take, call, doctor = (_later(since, delay, one, opens, closes) for one in (delay.take, delay.call, delay.doctor))
    return Clock(take, call, doctor)


def call_by(level: str, since: datetime, *, priority: bool, opens: time, closes: time) -> datetime:
    """`clock(…).call_by` alone, for lists of hundreds of alerts."""
    delay = delay_of(level, priority=priority)
    return _later(since, delay, delay.call, opens, closes)


def _later(since: datetime, delay: Delay, minutes: int, opens: time, closes: time) -> datetime:
    length = timedelta(minutes=minutes)
    return since + length if delay.by_night else open_after(since, length, opens, closes)


def call_within(level: str, since: datetime, minutes: int, opens: time, closes: time) -> datetime:
    """When a call is due that a rule asks for within these minutes, in the hours in which its level runs."""
    return _later(since, delay_of(level, priority=False), minutes, opens, closes)


def next_call(level: str, at: datetime, *, priority: bool, opens: time, closes: time) -> datetime:
    """When a patient who was not reached at this moment is called again (*2e/3e tentative* of domain.md §1.8)."""
    delay = delay_of(level, priority=priority)
    again = timedelta(minutes=delay.again)
    return at + again if delay.by_night else open_after(at, again, opens, closes)


def spaced(attempts: Iterable[datetime], gap: timedelta) -> int:
    """How many of these calls count as attempts: each at least `gap` after the one counted before (MA04)."""
    counted: list[datetime] = []
    for at in sorted(attempts):
        if not counted or at - counted[-1] >= gap:
            counted.append(at)
    return len(counted)


def open_after(since: datetime, length: timedelta, opens: time, closes: time) -> datetime:
    """The moment at which the cell has been open for `length` since then; Paris hours, on both clock changes too."""
    if closes <= opens:
        return since + length
    day = since.astimezone(PARIS).date()
    left = length
    while True:
        begins, ends = _hours(day, opens, closes)
        begin = max(begins, since.timestamp())
        if ends - begin >= left.total_seconds():
            return datetime.fromtimestamp(begin + left.total_seconds(), tz=since.tzinfo)
        left -= timedelta(seconds=max(ends - begin, 0))
        day += DAY


@lru_cache(maxsize=256)
def _hours(day: date, opens: time, closes: time) -> tuple[float, float]:
    """Opening and closing as timestamps: differences of moments in one zone ignore the clock change."""
    return tuple(datetime.combine(day, hour, tzinfo=PARIS).timestamp() for hour in (opens, closes))  # type: ignore[return-value]
