"""The clocks of a request: until when somebody takes it, until when the opinion is given (domain.md §3.4).

Computed when read, from when it was sent or asked of the next one: a late scheduler changes no clock. They run day and night.
Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

HAND_OVER = timedelta(minutes=15)  # ours: a hand-over that nobody accepts is an alarm after this


@dataclass(frozen=True)
class Delay:
    """Minutes to take a request, and to give the opinion."""

    take: int
    advise: int


DELAYS = {
    "vitale": Delay(take=5, advise=15),  # ours: the 15 is called first, domain.md gives no other target
    "urgente": Delay(take=15, advise=60),
    "rapide": Delay(take=30, advise=240),
    "differee": Delay(take=120, advise=1440),
}
ORDER = tuple(DELAYS)


def take_by(urgency: str, asked_at: datetime) -> datetime:
    """Until when whoever is asked takes the request; counted anew for each one who is asked."""
    return asked_at + timedelta(minutes=DELAYS[urgency].take)


def advise_by(urgency: str, submitted_at: datetime) -> datetime:
    """Until when the opinion is given, counted from the sending whoever is asked."""
    return submitted_at + timedelta(minutes=DELAYS[urgency].advise)
