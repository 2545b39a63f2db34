"""The format of calendar files: slots out, and in, with their recurrences. Times are those of a clock on the wall."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.oncall.hours import DAY_BEGINS
from relais.oncall.lines import LONGEST, Line, decoded
from relais.oncall.models import OnCallSlot
from relais.oncall.recurrences import DAILY, MONTHLY, WEEKDAYS, WEEKLY, YEARLY, Rule

MOST, MOST_EVENTS = 500, 1_000  # slots and events of one file
FIRST_YEAR = 2000
AHEAD, BEHIND, LASTS = timedelta(days=400), timedelta(days=8), timedelta(days=8)
COUNTED = timedelta(days=3 * 366)  # how long ago a repetition that counts may have begun
RULE_LONGEST = 300  # characters
READABLE = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?([A-Z]{2})")
CALENDAR = b"BEGIN:VCALENDAR"


def of_slots(slots: Iterable[OnCallSlot]) -> bytes:
    """An iCalendar file titled *Astreinte*: hours and the establishment, by a uid that stays the same."""
    calendar = Calendar()
    calendar.add("prodid", "-//Relais//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for slot in slots:
        event = Event()
        event.add("uid", f"{slot.pk}@relais")
        event.add("dtstamp", timezone.now())
        event.add("dtstart", slot.starts_at)
        event.add("dtend", slot.ends_at)
        event.add("summary", "Astreinte")
        event.add("location", slot.service.establishment.name)
        calendar.add_component(event)
    return calendar.to_ical()


class _Wrong(Exception):
    """Why an event is no slot: a sentence."""


def read(data: bytes, *, opens: time, closes: time, now: datetime) -> list[Line]:
    """The slots of a calendar, recurrences expanded from now until 400 days ahead, at most 500.

    The doctor is who is invited (an optional one is the back-up), else the title; a day without hours has those of the
    service (`opens`, `closes`). Raises Refused for what is no calendar, has no event, or too many slots.
    """
    decoded(data)
    try:
        calendar = Calendar.from_ical(data)
    except (ValueError, KeyError, IndexError, RecursionError, OverflowError):
        raise Refused(_("Ce calendrier ne se lit pas : exportez-le de nouveau."), field="file") from None
    events = list(calendar.walk("VEVENT"))
    if not events:
        raise Refused(_("Ce calendrier ne contient aucun événement."), field="file")
    if len(events) > MOST_EVENTS:
        raise Refused(
            _("Ce calendrier compte plus de 1 000 événements : exportez une période plus courte."), field="file"
        )
    moved = _moved(events)
    found: list[Line] = []
    for number, event in enumerate(events, 1):
        found += _lines(number, event, moved, (opens, closes), now)
        if len(found) > MOST:
            raise Refused(
                _("Ce calendrier donne plus de 500 créneaux : limitez sa durée ou ses répétitions."), field="file"
            )
    return found


def _moved(events: list[Any]) -> dict[str, list[date]]:
    """The occurrences that an event of their own replaces, by uid, as they are written."""
    found: dict[str, list[date]] = {}
    for event in events:
        value = getattr(event.get("RECURRENCE-ID"), "dt", None)
        if isinstance(value, date):
            found.setdefault(str(event.get("UID", "")), []).append(value)
    return found


def _lines(
    number: int, event: Any, moved: dict[str, list[date]], hours: tuple[time, time], now: datetime
) -> list[Line]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return []
    words = _people(event)
    try:
        skipped = moved.get(str(event.get("UID", "")), []) if "RECURRENCE-ID" not in event else []
        spans = list(islice(_spans(event, skipped, hours, now), MOST + 1))
    except _Wrong as wrong:
        return [Line(number, problem=str(wrong), **words)]
    except OverflowError:
        return [Line(number, problem=_("Date impossible : vérifiez l’année."), **words)]
    return [Line(number, start, end, **words) for start, end in spans]


def _people(event: Any) -> dict[str, Any]:
    invited = event.get("ATTENDEE", [])
    invited = invited if isinstance(invited, list) else [invited]
    first: list[str] = []
    second: list[str] = []
    for one in invited:
        optional = str(getattr(one, "params", {}).get("ROLE", "")).upper() == "OPT-PARTICIPANT"
        (second if optional else first).append(str(one).removeprefix("mailto:").removeprefix("MAILTO:"))
    doctor = first[0] if first else str(event.get("SUMMARY", ""))
    return {"doctor": doctor[:LONGEST], "backup": (second or first[1:] or [""])[0][:LONGEST]}


def _value(event: Any, name: str) -> Any:
    """The date or instant of a property; a time without a zone is one of Paris."""
    prop = event.get(name)
    try:
        value = prop.dt
    except (AttributeError, ValueError, TypeError):
        raise _Wrong(_("Date illisible : corrigez-la dans l’agenda, puis exportez-le de nouveau.")) from None
    if isinstance(value, datetime) and value.tzinfo is None:
        if "TZID" in prop.params:
            raise _Wrong(_("Fuseau horaire inconnu : exportez le calendrier à l’heure de Paris."))
        value = value.replace(tzinfo=PARIS)
    if not isinstance(value, date) or value.year < FIRST_YEAR:
        raise _Wrong(_("Date impossible : vérifiez l’année."))
    return value


def _wall(value: date, zone: Any = None) -> datetime:
    """On the wall of its own zone; of `zone` where one is given. A time without a zone is there already."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time.min)
    return (value.astimezone(zone) if zone and value.tzinfo else value).replace(tzinfo=None)


def _spans(
    event: Any, skipped: list[date], hours: tuple[time, time], now: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Each occurrence that is not over, in UTC."""
    if "DTSTART" not in event:
        raise _Wrong(_("L’événement n’a pas de début : donnez-lui un jour et une heure dans l’agenda."))
    start = _value(event, "DTSTART")
    zone = start.tzinfo if isinstance(start, datetime) else PARIS
    lasts = _length(event, start)
    for wall in _occurrences(event, start, skipped, now):
        if isinstance(start, datetime):
            begins = wall.replace(tzinfo=zone).astimezone(UTC)
            yield begins, _end(wall, begins, zone, lasts)
        else:
            for number in range(max(lasts[0].days, 1)):
                yield _of_day(wall.date() + timedelta(days=number), hours)


def _length(event: Any, start: date) -> tuple[timedelta, bool]:
    """How long, and whether on the wall (an end, whole days) or on a stopwatch (a duration in hours)."""
    if "DTEND" in event:
        end = _value(event, "DTEND")
        if isinstance(end, datetime) != isinstance(start, datetime):
            raise _Wrong(
                _("Le début et la fin n’ont pas la même forme : donnez une heure aux deux, ou à aucun des deux.")
            )
        if isinstance(end, datetime) and isinstance(start, datetime):
            end = end.astimezone(start.tzinfo)
        lasts, wall = _wall(end) - _wall(start), True
    elif "DURATION" in event:
        lasts = getattr(event.get("DURATION"), "dt", None) or timedelta()
        wall = not lasts.seconds
    elif isinstance(start, datetime):
        raise _Wrong(_("L’événement n’a pas de fin : donnez-lui une heure de fin dans l’agenda."))
    else:
        lasts, wall = timedelta(days=1), True
    if lasts <= timedelta():
        raise _Wrong(_("La fin vient avant le début : vérifiez les heures."))
    if lasts > LASTS:
        raise _Wrong(_("Une astreinte dure au plus huit jours : vérifiez les dates."))
    return lasts, wall


def _end(wall: datetime, begins: datetime, zone: Any, lasts: tuple[timedelta, bool]) -> datetime:
    length, on_wall = lasts
    return (wall + length).replace(tzinfo=zone).astimezone(UTC) if on_wall else begins + length


def _of_day(day: date, hours: tuple[time, time]) -> tuple[datetime, datetime]:
    """A day without hours: those of the service; around the clock it begins at 08:00."""
    opens, closes = hours if hours[0] != hours[1] else (DAY_BEGINS, DAY_BEGINS)
    last = day if closes > opens else day + timedelta(days=1)
    return (
        datetime.combine(day, opens, tzinfo=PARIS).astimezone(UTC),
        datetime.combine(last, closes, tzinfo=PARIS).astimezone(UTC),
    )


def _occurrences(event: Any, start: date, skipped: list[date], now: datetime) -> Iterator[datetime]:
    """The beginnings on the wall, in order: one, or those of the rule until 400 days ahead."""
    zone = start.tzinfo if isinstance(start, datetime) else PARIS
    first, today = _wall(start), _wall(now.astimezone(PARIS))
    past, until = today - BEHIND, today + AHEAD
    extra = _days(event, "RDATE", zone)
    left_out = _days(event, "EXDATE", zone) | {_wall(one, zone) for one in skipped}
    if "RRULE" not in event:
        yield from sorted(({first} | extra) - left_out)
        return
    rule, last = _rule(event, first, zone, until)
    if rule.count is not None and first < today - COUNTED:
        raise _Wrong(_("Cette répétition a commencé il y a plus de trois ans : donnez-lui un jour de fin."))
    for day in rule.days(past.date(), last.date()):
        one = datetime.combine(day, first.time())
        if past <= one <= last and one not in left_out:
            yield one
    yield from sorted(one for one in extra - left_out if past <= one <= until)


def _rule(event: Any, first: datetime, zone: Any, until: datetime) -> tuple[Rule, datetime]:
    """The rule, and the last moment at which it may begin: its own, and `until` at the latest."""
    told = event.get("RRULE")
    if isinstance(told, list):
        raise _Wrong(_("Deux répétitions pour un même événement : gardez-en une."))
    try:
        parts = {str(name).upper(): values for name, values in told.items()}
        rule = Rule(
            first=first.date(),
            freq=str(parts["FREQ"][0]).upper(),
            interval=int(parts.get("INTERVAL", [1])[0]),
            count=int(parts["COUNT"][0]) if "COUNT" in parts else None,
            weekdays=tuple(_weekday(str(one)) for one in parts.get("BYDAY", [])),
            monthdays=tuple(int(one) for one in parts.get("BYMONTHDAY", [])),
            months=tuple(int(one) for one in parts.get("BYMONTH", [])),
            positions=tuple(int(one) for one in parts.get("BYSETPOS", [])),
            week_begins=WEEKDAYS.index(str(parts.get("WKST", ["MO"])[0]).upper()),
        )
        last = min(_last(parts["UNTIL"][0], zone), until) if parts.get("UNTIL") else until
        long = len(told.to_ical()) > RULE_LONGEST
    except (AttributeError, KeyError, ValueError, TypeError, IndexError):
        raise _Wrong(_("Cette répétition ne se lit pas : choisissez-la de nouveau dans l’agenda.")) from None
    if long or set(parts) - READABLE or rule.freq not in (DAILY, WEEKLY, MONTHLY, YEARLY) or rule.interval < 1:
        raise _Wrong(_("Cette répétition n’est pas possible : chaque jour, semaine, mois ou année, à la même heure."))
    return rule, last


def _weekday(text: str) -> tuple[int, int]:
    """*-1FR* is the last Friday."""
    found = WEEKDAY.fullmatch(text.upper())
    if found is None:
        raise ValueError(text)
    return int(found[1] or 0), WEEKDAYS.index(found[2])


def _last(value: date, zone: Any) -> datetime:
    """A last day is one to its end."""
    return _wall(value, zone) if isinstance(value, datetime) else datetime.combine(value, time(23, 59, 59))


def _days(event: Any, name: str, zone: Any) -> set[datetime]:
    """Days that are added or left out, on the wall of the event's zone."""
    told = event.get(name, [])
    try:
        return {_wall(each.dt, zone) for one in (told if isinstance(told, list) else [told]) for each in one.dts}
    except (AttributeError, ValueError, TypeError):
        raise _Wrong(_("Date illisible : corrigez-la dans l’agenda, puis exportez-le de nouveau.")) from None
