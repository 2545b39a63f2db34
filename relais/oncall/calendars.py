"""The format of calendar files: slots out, and in."""

from collections.abc import Iterable

from django.utils import timezone
from icalendar import Calendar, Event

from relais.oncall.models import OnCallSlot


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
