"""The clocks of alerts, while the cell is open and while it is closed, on both clock changes."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.core.paris import PARIS
from relais.telemonitoring.delays import DELAYS, clock, open_after

OPENS, CLOSES = time(8), time(20)


def paris(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def promised(level: str, since: datetime, *, priority: bool = False) -> tuple[datetime, datetime]:
    found = clock(level, since, priority=priority, opens=OPENS, closes=CLOSES)
    return found.take_by, found.call_by


@pytest.mark.parametrize(
    ("level", "priority", "take", "call"),
    [
        ("rouge", False, paris(3, 9, 5), paris(3, 9, 15)),
        ("rouge-psy", False, paris(3, 9, 10), paris(3, 9, 15)),
        ("orange", True, paris(3, 9, 30), paris(3, 10)),
        ("orange", False, paris(3, 10), paris(3, 13)),
        ("orange-psy", False, paris(3, 13), paris(4, 9)),
        ("gris", False, paris(3, 13), paris(3, 17)),
    ],
)
def test_promises_by_level_in_opening_hours(level, priority, take, call):
    assert promised(level, paris(3, 9), priority=priority) == (take, call)


def test_red_runs_by_night_and_orange_waits_for_the_morning():
    assert promised("rouge", paris(3, 23)) == (paris(3, 23, 5), paris(3, 23, 15))
    assert promised("orange", paris(3, 23), priority=True) == (paris(4, 8, 30), paris(4, 9))
    assert promised("orange", paris(3, 19, 45), priority=True) == (paris(4, 8, 15), paris(4, 8, 45))
    assert promised("gris", paris(3, 18)) == (paris(4, 10), paris(4, 14))


def test_a_night_of_the_clock_change_costs_nobody_an_hour():
    """25 October: the night has an hour more, the promise is an hour of opening all the same."""
    assert promised("orange", paris(24, 19, 30, month=10), priority=True)[1] == paris(25, 8, 30, month=10)
    since = datetime(2027, 3, 27, 19, 30, tzinfo=PARIS).astimezone(UTC)
    assert promised("orange", since, priority=True)[1] == datetime(2027, 3, 28, 8, 30, tzinfo=PARIS).astimezone(UTC)


def test_a_cell_that_never_closes_counts_every_hour():
    assert open_after(paris(3, 23), timedelta(hours=2), time(0), time(0)) == paris(4, 1)


@given(st.integers(0, 2 * 365 * 24 * 60), st.sampled_from(sorted(DELAYS)))
def test_a_promise_falls_in_opening_hours_and_never_before_its_minutes(minute, level):
    """At any minute of two years."""
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    delay = DELAYS[level]
    take, call = promised(level.removesuffix(" prioritaire"), since, priority=level.endswith("prioritaire"))
    assert since + timedelta(minutes=delay.take) <= take <= call
    if not delay.by_night:
        assert OPENS <= call.astimezone(PARIS).time() <= CLOSES
