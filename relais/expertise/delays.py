"""The clocks of a request (domain.md §2.1): until when it is answered, and who is told once that has passed. Pure.

Computed when read, from when it is due: a late scheduler changes no clock.
"""

from datetime import datetime, timedelta

DELAYS = {
    "immediate": timedelta(minutes=15),
    "urgente": timedelta(hours=2),
    "semi-urgente": timedelta(hours=24),
    "programmee": timedelta(days=7),
}
ORDER = tuple(DELAYS)
SHORTEST = timedelta(minutes=5)  # between two levels of an overdue request, and at least left after a complement
AGAIN, NEXT, SUPERVISOR = 1, 2, 3  # levels: told again, then the next expert of the pool, then the managers
REMINDED, SILENT = 1, 2  # levels of an awaited complement: who owes it is reminded, then the expert is told
ASIDE = 10**11  # more seconds than any date counts


def step(urgency: str) -> timedelta:
    """Between two levels: a quarter of the delay, five minutes at least."""
    return max(DELAYS[urgency] / 4, SHORTEST)


def level_at(urgency: str, due_at: datetime, now: datetime) -> int:
    """How far an overdue request has climbed by now: 0 until its hour, that instant included in what is overdue."""
    if now < due_at:
        return 0
    return min(SUPERVISOR, AGAIN + int((now - due_at) / step(urgency)))


def silence_at(urgency: str, asked_at: datetime, now: datetime) -> int:
    """How far a complement is that was asked and has not come: a level for each whole delay of its urgency, two at most."""
    return min(SILENT, int((now - asked_at) / DELAYS[urgency]))


def due_again(urgency: str, left: timedelta, now: datetime) -> datetime:
    """When a request is due whose clock stood still with so much left: never in less than one level's time."""
    return now + max(left, step(urgency))


def rank(urgency: str, due_at: datetime) -> int:
    """Its place in a list: by urgency, then by the time that is left."""
    return ORDER.index(urgency) * ASIDE + int(due_at.timestamp())
