"""On which days a calendar's rule falls (RFC 5545): pure, and never longer than the days that are asked for."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

DAILY, WEEKLY, MONTHLY, YEARLY = "DAILY", "WEEKLY", "MONTHLY", "YEARLY"
LENGTHS = {DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366}  # days of a period, at most
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Rule:
    """A rule from its first day. `weekdays`: (which one of its month or year, 0 for each; 0 for Monday)."""

    first: date
    freq: str
    interval: int = 1
    count: int | None = None
    weekdays: tuple[tuple[int, int], ...] = ()
    monthdays: tuple[int, ...] = ()  # -1: the last one
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()  # which ones of those of a period; -1: the last one
    week_begins: int = 0

    def days(self, since: date, until: date) -> Iterator[date]:
        """Those between two days, both included, in order; counted from the first one where the rule counts."""
        day, left = self.first if self.count is not None else max(self.first, since), self.count
        periods: dict[date, list[date]] = {}
        while day <= until and left != 0:
            if self._falls(day) and (not self.positions or self._stands(day, periods)):
                left = left if left is None else left - 1
                if day >= since:
                    yield day
            day += timedelta(days=1)

    def _falls(self, day: date) -> bool:
        """Whether a day is one of the rule, but for its position and the first day."""
        if self.months and day.month not in self.months:
            return False
        if self._periods(day) % self.interval:
            return False
        if not self.weekdays and not self.monthdays:
            return self._repeats(day)
        last = monthrange(day.year, day.month)[1]
        in_month = not self.monthdays or day.day in self.monthdays or day.day - last - 1 in self.monthdays
        return in_month and (not self.weekdays or any(self._is(day, *one) for one in self.weekdays))

    def _periods(self, day: date) -> int:
        """How many days, weeks, months or years after the first one."""
        if self.freq == DAILY:
            return (day - self.first).days
        if self.freq == WEEKLY:
            return (self._begins(day) - self._begins(self.first)).days // 7
        years = day.year - self.first.year
        return years if self.freq == YEARLY else 12 * years + day.month - self.first.month

    def _begins(self, day: date) -> date:
        """The first day of a day's period."""
        if self.freq == WEEKLY:
            return day - timedelta(days=(day.weekday() - self.week_begins) % 7)
        if self.freq == DAILY:
            return day
        return day.replace(day=1) if self.freq == MONTHLY else day.replace(month=1, day=1)

    def _repeats(self, day: date) -> bool:
        """A rule that names no day is about that of its beginning."""
        if self.freq == WEEKLY:
            return day.weekday() == self.first.weekday()
        if self.freq == YEARLY and not self.months and day.month != self.first.month:
            return False
        return self.freq == DAILY or day.day == self.first.day

    def _is(self, day: date, which: int, weekday: int) -> bool:
        """Whether it is this one of its month (of its year, in a rule by year without months)."""
        if day.weekday() != weekday or not which or self.freq in (DAILY, WEEKLY):
            return day.weekday() == weekday
        if self.freq == YEARLY and not self.months:
            at, last = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
        else:
            at, last = day.day, monthrange(day.year, day.month)[1]
        return which in ((at - 1) // 7 + 1, -((last - at) // 7 + 1))

    def _stands(self, day: date, periods: dict[date, list[date]]) -> bool:
        """Whether it has one of the positions among those of its period."""
        begins = self._begins(day)
        if begins not in periods:
            near = (begins + timedelta(days=number) for number in range(LENGTHS[self.freq]))
            periods[begins] = [one for one in near if self._begins(one) == begins and self._falls(one)]
        found = periods[begins]
        at = found.index(day)
        return at + 1 in self.positions or at - len(found) in self.positions
