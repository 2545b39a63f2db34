"""The programme of a follow-up: how long, how often, in which hours; the age bands of children (domain.md §1.2, §1.6).

Pure: dates in Paris, moments aware. Every figure is a parameter of `Plan` or stands here once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db import models

from relais.core.paris import PARIS

LENGTH, AT_LEAST, LATEST = 14, 7, 30  # days: of a follow-up from D0, from the inclusion, and D30 with every extension
EXTENSION = 7
PEAK = range(6, 13)  # J6 to J12: the second week, in which COVID-19 worsens
ADULT_YEARS = 18


class Rhythm(models.TextChoices):
    STANDARD = "standard", "Standard"
    REINFORCED = "renforce", "Renforcé"
    CONTACT = "contact", "Personne-contact"


class Slot(models.TextChoices):
    """The hours in which an answer is awaited: one of the day, or two."""

    DAY = "jour", "Journée"
    MORNING = "matin", "Matin"
    EVENING = "soir", "Soir"


HOURS = {
    Slot.DAY: (time(7), time(22)),
    Slot.MORNING: (time(7), time(12)),
    Slot.EVENING: (time(16), time(22)),
}
REMINDERS = {Slot.DAY: (time(10, 30), time(19, 30)), Slot.MORNING: (time(10, 30),), Slot.EVENING: (time(19, 30),)}


class Window(NamedTuple):
    """One awaited answer: its day and slot name it."""

    day: date
    slot: Slot

    @property
    def opens(self) -> datetime:
        return datetime.combine(self.day, HOURS[self.slot][0], tzinfo=PARIS)

    @property
    def closes(self) -> datetime:
        """The first moment at which the answer is missing."""
        return datetime.combine(self.day, HOURS[self.slot][1], tzinfo=PARIS)

    @property
    def reminders(self) -> list[datetime]:
        return [datetime.combine(self.day, at, tzinfo=PARIS) for at in REMINDERS[self.slot]]


@dataclass(frozen=True)
class Plan:
    """What decides of the windows of a follow-up. `pauses`: from a day to a day, both without a window; None: still on."""

    onset: date  # D0
    starts_on: date
    ends_on: date
    rhythm: str
    pauses: tuple[tuple[date, date | None], ...] = field(default=())

    def day(self, on: date) -> int:
        """J0 is the day of onset."""
        return (on - self.onset).days

    def slots(self, on: date) -> tuple[Slot, ...]:
        """When answers are awaited on a day: two in the second week or when reinforced, else one."""
        if not self.starts_on <= on <= self.ends_on or self._paused(on):
            return ()
        twice = self.rhythm == Rhythm.REINFORCED or (self.rhythm == Rhythm.STANDARD and self.day(on) in PEAK)
        return (Slot.MORNING, Slot.EVENING) if twice else (Slot.DAY,)

    def _paused(self, on: date) -> bool:
        return any(first <= on and (last is None or on <= last) for first, last in self.pauses)

    def windows(self, first: date, last: date) -> Iterator[Window]:
        """The windows of these days, both included, in order."""
        for number in range((last - first).days + 1):
            on = first + timedelta(days=number)
            yield from (Window(on, slot) for slot in self.slots(on))

    def window_of(self, moment: datetime) -> Window | None:
        """The window that an answer given at this moment counts for: the last one that had begun, however late."""
        on = moment.astimezone(PARIS).date()
        begun = [one for one in self.windows(self.starts_on, min(on, self.ends_on)) if one.opens <= moment]
        return begun[-1] if begun else None

    def closed(self, now: datetime) -> list[Window]:
        """Those whose time is over: an answer is there or it is missing."""
        on = now.astimezone(PARIS).date()
        return [one for one in self.windows(self.starts_on, min(on, self.ends_on)) if one.closes <= now]


def end_of(onset: date, included: date, extensions: int = 0) -> date:
    """The last day of a follow-up: 14 days from D0, at least 7 from the inclusion; each extension adds 7, up to D30.

    An inclusion so late that its 7 days pass D30 keeps them.
    """
    planned = max(onset + timedelta(days=LENGTH), included + timedelta(days=AT_LEAST))
    return max(planned, min(planned + timedelta(days=EXTENSION * extensions), onset + timedelta(days=LATEST)))


def extended(onset: date, ends_on: date) -> date:
    """The last day after an extension of 7 days, up to D30; the same day when there is none left to add."""
    return max(ends_on, min(ends_on + timedelta(days=EXTENSION), onset + timedelta(days=LATEST)))


def months(born: date, on: date) -> int:
    """Completed months: somebody born on the 31st completes one on the last day of a shorter month's next day."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def band(born: date, on: date) -> str:
    """Of a child: A below 90 days, B to 23 months, C 2 to 11 years, D 12 to 17; "" from 18 years."""
    if (on - born).days < 90:
        return "A"
    completed = months(born, on)
    if completed < 24:
        return "B"
    if completed < 12 * 12:
        return "C"
    return "D" if completed < 12 * ADULT_YEARS else ""


# The questionnaires of each population of the rules.
FORMS = {
    "adult": ("ecovid-suivi-adulte",),
    "child": tuple(f"ecovid-suivi-enfant-{one}" for one in "abcd"),
    "contact": ("ecovid-suivi-contact",),
}


def population(*, contact: bool, born: date | None, on: date) -> str:
    """Whose rules judge the answers of that day; without a date of birth, those of adults."""
    if contact:
        return "contact"
    return "child" if born and band(born, on) else "adult"


def form_for(*, contact: bool, born: date | None, on: date) -> str:
    """The name of the questionnaire of that day."""
    group = population(contact=contact, born=born, on=on)
    if group == "child" and born:
        return f"ecovid-suivi-enfant-{band(born, on).lower()}"
    return FORMS[group][0]
