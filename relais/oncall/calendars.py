"""The format of calendar files: slots out, and in, with their recurrences. Times are those of a clock on the wall."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from dateutil.rrule import rrulestr
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.oncall.hours import DAY_BEGINS
from relais.oncall.lines import LONGEST, Line, decoded
from relais.oncall.models import OnCallSlot

MOST = 500  # slots of one file
FIRST_YEAR = 2000
AHEAD = timedelta(days=400)
RULES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
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
    except (ValueError, KeyError, IndexError, RecursionError):
        raise Refused(_("Ce calendrier ne se lit pas : exportez-le de nouveau."), field="file") from None
    events = list(calendar.walk("VEVENT"))
    if not events:
        raise Refused(_("Ce calendrier ne contient aucun événement."), field="file")
    moved = _moved(events)
    found: list[Line] = []
    for number, event in enumerate(events, 1):
        found += _lines(number, event, moved, (opens, closes), now)
        if len(found) > MOST:
            raise Refused(
                _("Ce calendrier donne plus de 500 créneaux : limitez sa durée ou ses répétitions."), field="file"
            )
    return found


def _moved(events: list[Any]) -> dict[str, set[datetime]]:
    """The occurrences that an event of their own replaces, by uid, on the wall."""
    found: dict[str, set[datetime]] = {}
    for event in events:
        if "RECURRENCE-ID" in event:
            try:
                found.setdefault(str(event.get("UID", "")), set()).add(_wall(_value(event, "RECURRENCE-ID")))
            except _Wrong:
                continue
    return found


def _lines(
    number: int, event: Any, moved: dict[str, set[datetime]], hours: tuple[time, time], now: datetime
) -> list[Line]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return []
    words = _people(event)
    try:
        skipped = moved.get(str(event.get("UID", "")), set()) if "RECURRENCE-ID" not in event else set()
        spans = list(_spans(event, skipped, hours, now))
    except _Wrong as wrong:
        return [Line(number, problem=str(wrong), **words)]
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
        raise _Wrong(_("Date illisible.")) from None
    if isinstance(value, datetime) and value.tzinfo is None:
        if "TZID" in prop.params:
            raise _Wrong(_("Fuseau horaire inconnu : exportez le calendrier à l’heure de Paris."))
        value = value.replace(tzinfo=PARIS)
    if not isinstance(value, date) or value.year < FIRST_YEAR:
        raise _Wrong(_("Date impossible : vérifiez l’année."))
    return value


def _wall(value: date) -> datetime:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time.min)


def _spans(
    event: Any, skipped: set[datetime], hours: tuple[time, time], now: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Each occurrence that is not over, in UTC."""
    if "DTSTART" not in event:
        raise _Wrong(_("L’événement n’a pas de début."))
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
            raise _Wrong(_("Le début et la fin n’ont pas la même forme."))
        if isinstance(end, datetime) and isinstance(start, datetime):
            end = end.astimezone(start.tzinfo)
        lasts, wall = _wall(end) - _wall(start), True
    elif "DURATION" in event:
        lasts = getattr(event.get("DURATION"), "dt", None) or timedelta()
        wall = not lasts.seconds
    elif isinstance(start, datetime):
        raise _Wrong(_("L’événement n’a pas de fin."))
    else:
        lasts, wall = timedelta(days=1), True
    if lasts <= timedelta():
        raise _Wrong(_("La fin vient avant le début : vérifiez les heures."))
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


def _occurrences(event: Any, start: date, skipped: set[datetime], now: datetime) -> Iterator[datetime]:
    """The beginnings on the wall, in order: one, or those of the rule until 400 days ahead."""
    zone = start.tzinfo if isinstance(start, datetime) else PARIS
    first, until = _wall(start), _wall(now.astimezone(PARIS)) + AHEAD
    extra = _days(event, "RDATE")
    left_out = _days(event, "EXDATE") | skipped
    if "RRULE" not in event:
        yield from sorted(({first} | extra) - left_out)
        return
    past = _wall(now.astimezone(PARIS)) - timedelta(days=8)
    for one in islice(_ruled(event, first, zone), 20_000):
        if one > until:
            break
        if one >= past and one not in left_out:
            yield one
    yield from sorted(one for one in extra - left_out if past <= one <= until)


def _ruled(event: Any, first: datetime, zone: Any) -> Iterable[datetime]:
    rule = event.get("RRULE")
    if isinstance(rule, list):
        raise _Wrong(_("Deux répétitions pour un même événement : gardez-en une."))
    try:
        told = {str(name).upper(): values for name, values in rule.items()}
        if str(told["FREQ"][0]).upper() not in RULES or int(told.get("INTERVAL", [1])[0]) < 1:
            raise _Wrong(_("Cette répétition n’est pas possible : chaque jour, semaine, mois ou année."))
        if ends := told.get("UNTIL"):
            last = ends[0].astimezone(zone) if isinstance(ends[0], datetime) and ends[0].tzinfo else ends[0]
            rule = type(rule)({**rule, "UNTIL": [_last(last)]})
        return rrulestr(rule.to_ical().decode(), dtstart=first)
    except (AttributeError, KeyError, ValueError, TypeError, IndexError):
        raise _Wrong(_("Cette répétition ne se lit pas.")) from None


def _last(value: date) -> datetime:
    """A last day is one to its end."""
    return _wall(value) if isinstance(value, datetime) else datetime.combine(value, time(23, 59, 59))


def _days(event: Any, name: str) -> set[datetime]:
    told = event.get(name, [])
    try:
        return {_wall(each.dt) for one in (told if isinstance(told, list) else [told]) for each in one.dts}
    except (AttributeError, ValueError, TypeError):
        raise _Wrong(_("Date illisible.")) from None
