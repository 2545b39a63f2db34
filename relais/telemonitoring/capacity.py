"""Whether the people of a cell can keep its promises: when the first one breaks if nobody joins them (D7). Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Capacity:
    """What stands at the top of the cell's list. `breaks_at`: the first promise of a call that will not be kept."""

    red: int
    orange: int
    grey: int
    to_call: int
    people: int
    minutes: int
    late: int  # promises of a call that are broken already
    breaks_at: datetime | None
    here_until: datetime | None = None  # of the one who reads, when they said that they are there
    arriving: int = 0  # patients whom another cell proposes

    @property
    def open(self) -> int:
        return self.red + self.orange + self.grey


def first_breach(promises: Iterable[datetime], *, people: int, minutes: int, now: datetime) -> datetime | None:
    """The first promise, still ahead, that cannot be kept when `people` call one patient after the other, in the order
    of their promises, `minutes` each. None when all can, and the earliest promise when nobody is there.
    """
    waiting = sorted(promises)
    if people < 1:
        return next((one for one in waiting if one > now), None)
    free = [now] * people
    for promise in waiting:
        begins = heapq.heappop(free)
        if promise > now and begins > promise:
            return promise
        heapq.heappush(free, begins + timedelta(minutes=minutes))
    return None


def surplus(promises: Iterable[datetime], *, people: int, minutes: int, now: datetime) -> list[int]:
    """The positions of the promises to pass on so that `people` keep the others: those that they would begin too late.

    What is late already stays, and takes its time. Everything still ahead when nobody is there.
    """
    waiting = sorted(enumerate(promises), key=lambda one: one[1])
    if people < 1:
        return [position for position, promise in waiting if promise > now]
    free = [now] * people
    over = []
    for position, promise in waiting:
        begins = free[0]
        if promise > now and begins > promise:
            over.append(position)
        else:
            heapq.heapreplace(free, begins + timedelta(minutes=minutes))
    return over
