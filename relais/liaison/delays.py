"""The clocks of a request: until when somebody takes it, until when the opinion is given (domain.md §3.4).

Computed when read, from when it was sent or asked of the next one: a late scheduler changes no clock. They run day and night.
Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ALARM_AGAIN = timedelta(hours=1)  # ours
HAND_OVER = timedelta(minutes=15)  # ours: a hand-over that nobody accepts is an alarm after this, then hourly
THERE = timedelta(hours=2)  # ours: proposed, to look whether a resident who is sent elsewhere is there


@dataclass(frozen=True)
class Delay:
    """Minutes to take a request, to give the opinion, and to look again once the promised hour has come."""

    take: int
    advise: int
    review: int  # ours: the nurse takes vital signs first


DELAYS = {
    "vitale": Delay(take=5, advise=15, review=15),  # ours: the 15 is called first, domain.md gives no other target
    "urgente": Delay(take=15, advise=60, review=30),
    "rapide": Delay(take=30, advise=240, review=60),
    "differee": Delay(take=120, advise=1440, review=120),
}
ORDER = tuple(DELAYS)


def take_by(urgency: str, asked_at: datetime) -> datetime:
    """Until when whoever is asked takes the request; counted anew for each one who is asked."""
    return asked_at + timedelta(minutes=DELAYS[urgency].take)


def advise_by(urgency: str, submitted_at: datetime) -> datetime:
    """Until when the opinion is given, counted from the sending whoever is asked."""
    return submitted_at + timedelta(minutes=DELAYS[urgency].advise)


def urges(urgency: str, submitted_at: datetime, since: datetime) -> list[datetime]:
    """When people are told of an opinion that does not come: at the end of its delay, and after the delay to take it once
    more. Whoever is awaited only `since` shortly before, or later, has that delay first."""
    step = timedelta(minutes=DELAYS[urgency].take)
    first = max(advise_by(urgency, submitted_at), since + step)
    return [first, first + step]


def untaken(urgency: str, asked_at: datetime) -> list[datetime]:
    """When people are told of a request that was passed on and that nobody takes: after the delay to take it, then after it
    once more."""
    step = timedelta(minutes=DELAYS[urgency].take)
    return [asked_at + step, asked_at + 2 * step]


def reviews(urgency: str, review_at: datetime) -> list[datetime]:
    """When people are told of a re-evaluation: at its hour, and when it is not made after its delay."""
    return [review_at, review_at + timedelta(minutes=DELAYS[urgency].review)]


def alarms(urgency: str, since: datetime, until: datetime) -> list[datetime]:
    """When people are told of a request that nobody has since then, up to a moment: at once, after the delay to take it,
    after twice that, then each hour until somebody has it."""
    delay = timedelta(minutes=DELAYS[urgency].take)
    moments = [since, since + delay, since + 2 * delay]
    while moments[-1] + ALARM_AGAIN <= until:
        moments.append(moments[-1] + ALARM_AGAIN)
    return [one for one in moments if one <= until]


def next_alarm(urgency: str, since: datetime, now: datetime) -> datetime:
    """When people are told again."""
    passed = alarms(urgency, since, now)
    delay = timedelta(minutes=DELAYS[urgency].take)
    return passed[-1] + (delay if len(passed) < 3 else ALARM_AGAIN)
