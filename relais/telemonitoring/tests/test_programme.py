"""How long, how often and in which hours answers are awaited; the clock changes; the age of a child (EC-03, EC-09)."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.telemonitoring.programme import (
    LATEST,
    Plan,
    Rhythm,
    Slot,
    Window,
    band,
    end_of,
    form_for,
)

ONSET = date(2026, 11, 2)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def plan(rhythm: str = Rhythm.STANDARD, onset: date = ONSET, starts: int = 0, **more: object) -> Plan:
    starts_on = onset + timedelta(days=starts)
    return Plan(onset, starts_on, end_of(onset, starts_on), rhythm, **more)


@pytest.mark.req("EC-03")
@pytest.mark.parametrize(
    ("rhythm", "twice"),
    [(Rhythm.STANDARD, range(6, 13)), (Rhythm.REINFORCED, range(15)), (Rhythm.CONTACT, ())],
)
def test_one_answer_a_day_two_in_the_second_week_or_when_reinforced(rhythm, twice):
    one = plan(rhythm)
    found = {day: one.slots(ONSET + timedelta(days=day)) for day in range(-1, 16)}
    assert found.pop(-1) == found.pop(15) == ()
    both = (Slot.MORNING, Slot.EVENING)
    assert found == {day: both if day in twice else (Slot.DAY,) for day in range(15)}


@pytest.mark.parametrize(
    ("included", "extensions", "days"),
    [(0, 0, 14), (7, 0, 14), (8, 0, 15), (13, 0, 20), (0, 1, 21), (0, 2, 28), (0, 3, 30), (20, 0, 27), (20, 1, 30), (29, 0, 36), (29, 5, 36)],
)  # fmt: skip
def test_fourteen_days_from_onset_seven_at_least_thirty_at_most(included, extensions, days):
    assert end_of(ONSET, ONSET + timedelta(days=included), extensions) == ONSET + timedelta(days=days)


@given(DAYS, st.integers(0, 40), st.integers(0, 9))
def test_an_extension_never_shortens_and_never_passes_day_thirty(onset, late, extensions):
    included = onset + timedelta(days=late)
    plain, more = end_of(onset, included), end_of(onset, included, extensions)
    assert more >= plain >= included + timedelta(days=7)
    assert more == plain or more <= onset + timedelta(days=LATEST)


@pytest.mark.parametrize(
    ("day", "slot", "opens", "closes"),
    [
        (date(2026, 10, 24), Slot.MORNING, "05:00", "10:00"),
        (date(2026, 10, 25), Slot.MORNING, "06:00", "11:00"),
        (date(2026, 10, 25), Slot.EVENING, "15:00", "21:00"),
        (date(2027, 3, 27), Slot.DAY, "06:00", "21:00"),
        (date(2027, 3, 28), Slot.DAY, "05:00", "20:00"),
    ],
)
def test_windows_keep_the_hour_of_paris_on_both_clock_changes(day, slot, opens, closes):
    window = Window(day, slot)
    assert [f"{moment.astimezone(UTC):%H:%M}" for moment in (window.opens, window.closes)] == [opens, closes]


@given(DAYS, st.sampled_from(Rhythm.values), st.integers(0, 13))
def test_windows_follow_one_another_and_never_overlap(onset, rhythm, starts):
    """On any day of the year: each closes after it opens and before the next one opens, its reminders inside."""
    one = plan(rhythm, onset, starts)
    windows = list(one.windows(one.starts_on, one.ends_on))
    assert all(a.opens < a.closes <= b.opens for a, b in pairwise(windows))
    assert all(window.opens < at < window.closes for window in windows for at in window.reminders)


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(ONSET + timedelta(days=day), datetime.min.time(), tzinfo=UTC) + timedelta(
        hours=hour - 1, minutes=minute
    )


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        (paris(0, 6, 59), None),
        (paris(0, 7), (0, Slot.DAY)),
        (paris(1, 3), (0, Slot.DAY)),
        (paris(6, 15, 59), (6, Slot.MORNING)),
        (paris(6, 16), (6, Slot.EVENING)),
        (paris(40, 12), (14, Slot.DAY)),
    ],
)
def test_an_answer_counts_for_the_last_window_that_had_begun(moment, found):
    window = plan().window_of(moment)
    assert (window and ((window.day - ONSET).days, window.slot)) == found


def test_a_window_is_over_at_the_very_minute_of_its_end():
    one = plan()
    assert one.closed(paris(0, 21, 59)) == []
    assert one.closed(paris(0, 22)) == [Window(ONSET, Slot.DAY)]


def test_a_pause_awaits_nothing_and_the_rest_goes_on():
    def day(number):
        return ONSET + timedelta(days=number)

    one = plan(pauses=((day(2), day(4)), (day(13), None)))
    awaited = [(window.day - ONSET).days for window in one.windows(one.starts_on, one.ends_on)]
    assert sorted(set(range(15)) - set(awaited)) == [2, 3, 4, 13, 14]


@pytest.mark.req("EC-09")
@pytest.mark.parametrize(
    ("born", "on", "expected"),
    [
        (date(2026, 9, 1), date(2026, 11, 29), "A"),
        (date(2026, 9, 1), date(2026, 11, 30), "B"),
        (date(2024, 11, 22), date(2026, 11, 21), "B"),
        (date(2024, 11, 21), date(2026, 11, 21), "C"),
        (date(2024, 2, 29), date(2026, 2, 28), "B"),
        (date(2024, 2, 29), date(2026, 3, 1), "C"),
        (date(2014, 11, 22), date(2026, 11, 21), "C"),
        (date(2014, 11, 21), date(2026, 11, 21), "D"),
        (date(2008, 11, 22), date(2026, 11, 21), "D"),
        (date(2008, 11, 21), date(2026, 11, 21), ""),
    ],
)
def test_the_form_follows_the_age_of_the_child_on_that_day(born, on, expected):
    assert band(born, on) == expected
    name = f"ecovid-suivi-enfant-{expected.lower()}" if expected else "ecovid-suivi-adulte"
    assert form_for(contact=False, born=born, on=on) == name
    assert form_for(contact=True, born=born, on=on) == "ecovid-suivi-contact"
    assert form_for(contact=False, born=None, on=on) == "ecovid-suivi-adulte"
