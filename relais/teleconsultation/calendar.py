"""The calendar file that goes with the e-mail: a time and a link, no name and no specialty."""

from datetime import datetime, timedelta

from django.utils import timezone
from icalendar import Alarm, Calendar, Event


def invitation(*, uid: str, start: datetime, minutes: int, sequence: int, url: str) -> bytes:
    """An iCalendar entry titled *Rendez-vous vidéo*; a later `sequence` with the same `uid` replaces it."""
    calendar = Calendar()
    calendar.add("prodid", "-//Relais//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    event = Event()
    event.add("uid", f"{uid}@relais")
    event.add("dtstamp", timezone.now())
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=minutes))
    event.add("summary", "Rendez-vous vidéo")
    event.add("url", url)
    event.add("sequence", sequence)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "Rendez-vous vidéo")
    alarm.add("trigger", timedelta(minutes=-20))
    event.add_component(alarm)
    calendar.add_component(event)
    return calendar.to_ical()
