"""The calendar file that goes with the e-mail of a meeting: a time and an address; no title, no secret."""

from datetime import datetime, timedelta

from django.utils import timezone
from icalendar import Alarm, Calendar, Event

WORDS = "Rendez-vous vidéo"
EARLY_ALARM = timedelta(minutes=10)


def entry(*, uid: str, start: datetime, end: datetime, url: str, cancelled: bool = False) -> bytes:
    """An iCalendar entry; `cancelled` takes back the one of the same `uid`."""
    calendar = Calendar()
    calendar.add("prodid", "-//Relais//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    event = Event()
    event.add("uid", f"{uid}@relais")
    event.add("dtstamp", timezone.now())
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", WORDS)
    event.add("sequence", 1 if cancelled else 0)
    if cancelled:
        event.add("status", "CANCELLED")
    else:
        event.add("url", url)
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", WORDS)
        alarm.add("trigger", -EARLY_ALARM)
        event.add_component(alarm)
    calendar.add_component(event)
    return calendar.to_ical()
