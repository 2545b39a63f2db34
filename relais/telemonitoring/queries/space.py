"""What the patient's pages show: what is awaited, what was answered, what to do now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from relais.core.paris import PARIS
from relais.telemonitoring.judging import GREEN
from relais.telemonitoring.models import Alert, Cell, FollowUp, Judgement
from relais.telemonitoring.programme import Window
from relais.telemonitoring.wording import MEASURES, Measure

LAST = 30  # answer sets in the table: two weeks of two a day
AHEAD = 8  # days looked at for the next window


@dataclass(frozen=True)
class Awaited:
    """A window of today, seen at a moment: *given* (at `answered_at`), *open*, *later* or *missing*."""

    window: Window
    state: str
    answered_at: datetime | None = None


@dataclass(frozen=True)
class Today:
    """What is awaited today and next. `open`: the one to answer now."""

    day: int
    windows: tuple[Awaited, ...]
    next: Window | None

    @property
    def open(self) -> Awaited | None:
        return next((one for one in self.windows if one.state == "open"), None)


def today(follow_up: FollowUp, judgements: list[Judgement], now: datetime) -> Today:
    """Of an active follow-up; `judgements` newest first."""
    on = now.astimezone(PARIS).date()
    given = {(one.day, one.slot): one.response.ended_at for one in reversed(judgements)}
    windows = tuple(_seen(window, given, now) for window in follow_up.plan.windows(on, on))
    ahead = follow_up.plan.windows(on, on + timedelta(days=AHEAD))
    return Today(follow_up.day(on), windows, next((one for one in ahead if one.opens > now), None))


def _seen(window: Window, given: Mapping[tuple[date, str], datetime], now: datetime) -> Awaited:
    if at := given.get((window.day, window.slot)):
        return Awaited(window, "given", at)
    if now < window.opens:
        return Awaited(window, "later")
    return Awaited(window, "open" if now < window.closes else "missing")


def last_answers(follow_up: FollowUp) -> list[Judgement]:
    """The newest first, with what was answered and by whom."""
    return list(follow_up.judgements.select_related("response", "rules").order_by("-response__ended_at", "-at")[:LAST])


@dataclass(frozen=True)
class Table:
    """Measures by answer set, newest first; only what was measured at least once."""

    heads: list[Measure]
    rows: list[tuple[datetime, list[str]]]


def table(judgements: list[Judgement]) -> Table:
    values = [[_first(one.response.answers, each.names) for each in MEASURES] for one in judgements]
    kept = [place for place in range(len(MEASURES)) if any(row[place] for row in values)]
    rows = [
        (one.response.ended_at, [row[place] for place in kept])
        for one, row in zip(judgements, values, strict=True)
        if any(row)
    ]
    return Table([MEASURES[place] for place in kept], rows)


def _first(answers: Mapping[str, list[Any]], names: tuple[str, ...]) -> str:
    found = next((answers[name][0] for name in names if answers.get(name)), None)
    return "" if found is None else f"{float(found):g}".replace(".", ",")


@dataclass(frozen=True)
class Instruction:
    """What to do now, in the words of the rule set that judged; `level` is one of its instructions."""

    level: str
    words: str


def instruction(judgement: Judgement, alert: Alert | None) -> Instruction:
    """Of the answer set. A green one while the team still has to call says that it will."""
    level = judgement.level
    if level == GREEN and alert is not None and alert.level not in (GREEN, "gris"):
        level = "orange"
    return Instruction(level, judgement.rules.source["instructions"][level])


def told(alert: Alert | None) -> Alert | None:
    """The open alert; the patient is not told of one that only says that an answer is missing."""
    return None if alert is None or alert.level == "gris" else alert


def is_closed(cell: Cell, now: datetime) -> bool:
    """Whether nobody of the team is there at this hour."""
    hour = now.astimezone(PARIS).time()
    return cell.opens < cell.closes and not cell.opens <= hour < cell.closes
