"""Rules of calendar files: the same days as any calendar shows, and no file that keeps the server busy."""

import time as clock
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.core.errors import Refused
from relais.oncall import calendars
from relais.oncall.recurrences import WEEKDAYS, Rule
from relais.oncall.tests.test_import import NOW, ics, paris, read

ALBERT = "\r\nSUMMARY:Dr Albert"
DAY = "DTSTART;TZID=Europe/Paris:20260310T080000\r\nDTEND;TZID=Europe/Paris:20260310T190000"


def some(draw, values, most):
    return tuple(draw(st.lists(st.sampled_from(values), max_size=most, unique=True)))


@st.composite
def rules(draw) -> tuple[Rule, str]:
    """A rule, and the same as it is written."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    long = freq in ("MONTHLY", "YEARLY")
    whiches = draw(st.sampled_from([[0], [1, 2, -1]])) if long else [0]  # `dateutil` asks for both where both are told
    weekdays = tuple((draw(st.sampled_from(whiches)), one) for one in some(draw, range(7), 3))
    one = Rule(
        first=draw(st.dates(date(2023, 1, 1), date(2026, 12, 31))), freq=freq, interval=draw(st.integers(1, 3)),
        count=draw(st.sampled_from([None, None, 1, 7])), weekdays=weekdays, monthdays=some(draw, [1, 13, 28, 31, -1, -3], 2),
        months=some(draw, [1, 3, 7, 10], 2), positions=some(draw, [1, 2, -1], 1) if weekdays and long else (),
        week_begins=draw(st.sampled_from([0, 6])),
    )  # fmt: skip
    parts = {
        "FREQ": freq, "INTERVAL": one.interval, "COUNT": one.count, "WKST": WEEKDAYS[one.week_begins],
        "BYDAY": ",".join(f"{which or ''}{WEEKDAYS[day]}" for which, day in weekdays),
        "BYMONTHDAY": ",".join(map(str, one.monthdays)), "BYMONTH": ",".join(map(str, one.months)),
        "BYSETPOS": ",".join(map(str, one.positions)),
    }  # fmt: skip
    return one, ";".join(f"{name}={value}" for name, value in parts.items() if value)


@settings(max_examples=80, deadline=None)
@given(rules())
def test_a_rule_falls_on_the_days_that_another_reader_of_calendars_finds(told: tuple[Rule, str]) -> None:
    """A property, against `dateutil` as long as that finds something within four years."""
    rule, text = told
    since, until = date(2026, 6, 1), date(2027, 7, 1)
    begin, end = datetime.combine(since, time.min), datetime.combine(until, time.max)
    first = datetime.combine(rule.first, time.min)
    if next(replace(rule, count=None).days(until, until + timedelta(days=4 * 366)), None):
        expected = [one.date() for one in rrulestr(text, dtstart=first).between(begin, end, inc=True)]
        assert list(rule.days(since, until)) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=7;BYDAY=SU", "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=5", "FREQ=WEEKLY;INTERVAL=9999999;BYDAY=MO",
        "FREQ=DAILY;COUNT=5;BYMONTH=2;BYMONTHDAY=30",
    ],
)  # fmt: skip
def test_a_rule_that_never_falls_on_a_day_is_over_at_once(rule: str) -> None:
    begun = clock.process_time()
    assert read(f"{DAY}\r\nRRULE:{rule}{ALBERT}") == []
    assert clock.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("DTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:99991231", "au plus huit jours"),
        ("DTSTART;VALUE=DATE:20260310\r\nDURATION:P3000000D", "au plus huit jours"),
        ("DTSTART:20260310T080000\r\nDTEND:20260410T080000", "au plus huit jours"),
        ("DTSTART:99991231T230000\r\nDURATION:P1D", "vérifiez l’année"),
        (f"{DAY}\r\nRRULE:FREQ=DAILY;BYHOUR=8,9,10", "à la même heure"),
        (f"{DAY}\r\nRRULE:FREQ=DAILY;BYMINUTE=0,1,2", "à la même heure"),
        (f"{DAY}\r\nRRULE:FREQ=DAILY;BYSECOND=0,1", "à la même heure"),
        (f"{DAY}\r\nRRULE:FREQ=YEARLY;BYYEARDAY={','.join(['1'] * 500)}", "n’est pas possible"),
        (f"{DAY}\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY={','.join(['1'] * 500)}", "n’est pas possible"),
        ("DTSTART:20010310T080000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=9999", "plus de trois ans"),
        (f"{DAY}\r\nRRULE:FREQ=WEEKLY;BYDAY=XX", "ne se lit pas : choisissez-la"),
        (f"{DAY}\r\nRRULE:FREQ=DAILY;INTERVAL=99999999999999999999", "répétition"),
    ],
)
def test_an_event_that_would_fill_centuries_is_refused_in_a_sentence(event: str, sentence: str) -> None:
    begun = clock.process_time()
    (found,) = read(event + ALBERT)
    assert sentence in found.problem
    assert clock.process_time() - begun < 0.5


def test_a_calendar_of_thousands_of_events_or_dates_is_refused() -> None:
    dates = ",".join(f"{date(2026, 3, 11) + timedelta(days=n):%Y%m%d}T080000" for n in range(600))
    for data, sentence in (
        (ics(*[f"{DAY}{ALBERT}"] * 1_001), "plus de 1 000 événements"),
        (ics(f"{DAY}\r\nRDATE;TZID=Europe/Paris:{dates}{ALBERT}"), "plus de 500 créneaux"),
    ):
        with pytest.raises(Refused, match=sentence):
            calendars.read(data, opens=time(8), closes=time(19), now=NOW)


def test_dates_left_out_added_or_moved_in_utc_are_those_of_the_zone_of_the_event() -> None:
    """08:00 in Paris is 07:00 UTC in winter, 06:00 in summer."""
    found = read(
        f"{DAY}\r\nUID:a\r\nRRULE:FREQ=WEEKLY;UNTIL=20260407T060000Z\r\nEXDATE:20260317T070000Z,20260331T060000Z\r\n"
        f"RDATE:20260412T060000Z{ALBERT}",
        f"DTSTART:20260325T070000Z\r\nDTEND:20260325T180000Z\r\nUID:a\r\nRECURRENCE-ID:20260324T070000Z{ALBERT}",
    )
    days = [date(2026, 3, 10), date(2026, 4, 7), date(2026, 4, 12), date(2026, 3, 25)]
    assert [one.starts_at for one in found] == [paris(day, 8) for day in days]
