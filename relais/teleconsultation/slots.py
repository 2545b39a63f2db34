"""The slots that a practitioner offers: weekly hours cut up, less days off and what is booked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils import timezone

from relais.core.errors import Refused
from relais.core.paris import midnight, to_utc
from relais.teleconsultation.models import Absence, Opening, Teleconsultation


@dataclass(frozen=True)
class Slot:
    """From `starts_at` to `ends_at` (UTC)."""

    starts_at: datetime
    ends_at: datetime

    @property
    def value(self) -> str:
        """As the booking form carries it: start and minutes."""
        return f"{self.starts_at.isoformat()}~{(self.ends_at - self.starts_at).seconds // 60}"

    def overlaps(self, other: "Slot") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def free(*, practitioner_id: UUID, establishment_id: UUID, first: date, days: int) -> dict[date, list[Slot]]:
    """The free slots of `days` days from `first`, by day, in the future only (TC-13); three queries whatever their number."""
    since, until = midnight(first), midnight(first + timedelta(days=days))
    openings = list(Opening.objects.filter(practitioner_id=practitioner_id, establishment_id=establishment_id))
    taken = [
        Slot(*pair)
        for pair in Absence.objects.filter(
            practitioner_id=practitioner_id, starts_at__lt=until, ends_at__gt=since
        ).values_list("starts_at", "ends_at")
    ]
    taken += [
        Slot(*pair)
        for pair in Teleconsultation.objects.awaited()
        .filter(practitioner_id=practitioner_id, starts_at__lt=until, ends_at__gt=since)
        .order_by()
        .values_list("starts_at", "ends_at")
    ]
    now = timezone.now()
    return {
        day: [
            slot
            for opening in openings
            if opening.weekday == day.weekday()
            for slot in _cut(opening, day)
            if slot.starts_at > now and not any(slot.overlaps(other) for other in taken)
        ]
        for day in (first + timedelta(days=offset) for offset in range(days))
    }


def _cut(opening: Opening, day: date) -> Iterator[Slot]:
    length = timedelta(minutes=opening.minutes)
    clock = datetime.combine(day, opening.starts)
    while clock + length <= datetime.combine(day, opening.ends):
        try:
            start = to_utc(day, clock.time())
        except Refused:  # the hour that does not exist offers no slot
            pass
        else:
            yield Slot(start, start + length)
        clock += length
