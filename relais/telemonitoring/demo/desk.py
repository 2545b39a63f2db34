"""What the cell did about one patient's alerts, in the order of time: taken, called, reached, ended (domain.md §1.8)."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from relais.accounts.models import User
from relais.core.actor import PROFESSIONAL, SYSTEM
from relais.core.demo import new_id
from relais.dossiers.models import Event
from relais.telemonitoring.actions.alerts import GRAVITY, MISSING
from relais.telemonitoring.delays import Delay, delay_of, open_after
from relais.telemonitoring.demo.cells import Team
from relais.telemonitoring.demo.rows import Rows
from relais.telemonitoring.models import Alert, Call, FollowUp
from relais.telemonitoring.reaching import Called
from relais.telemonitoring.workflow import AlertState

MINUTE = timedelta(minutes=1)
REACHED_AT_ONCE, TRIES = 0.9, 3
STILL_NEW, IN_HAND = 40 * MINUTE, 6 * MINUTE  # of the script
Step = tuple[datetime, str]


class Desk:
    """Follows one patient: at most one open alert, whose level only rises, handled as its clocks ask."""

    def __init__(self, follow_up: FollowUp, team: Team, rows: Rows, rng: random.Random) -> None:
        self.follow_up, self.team, self.rows, self.rng = follow_up, team, rows, rng
        self.alert: Alert | None = None
        self.steps: list[Step] = []

    def event(self, at: datetime, verb: str, user: User | None = None, **data: Any) -> None:
        """One thing that happened in the dossier then."""
        self.rows.events.append(
            Event(
                dossier=self.follow_up.dossier, at=at, verb=verb, actor_kind=PROFESSIONAL if user else SYSTEM, user=user,
                data=data,
            )
        )  # fmt: skip

    def raised(self, at: datetime, level: str, fired: Iterable[str], *, priority: bool) -> None:
        """A new reason: an alert opens, or the open one gains it and may rise."""
        self.until(at)
        if self.alert is None:
            self.alert = Alert(
                id=new_id(self.rng), follow_up=self.follow_up, level=level, priority=priority, fired=list(fired), since=at,
                opened_at=at, created_at=at,
            )  # fmt: skip
            self.rows.alerts.append(self.alert)
            self._tell(at, "alert_opened")
            self._plan(at)
            return
        alert, higher = self.alert, GRAVITY[level] > GRAVITY[self.alert.level]
        other = set(alert.fired) <= MISSING and not set(fired) <= MISSING
        alert.fired = list(dict.fromkeys([*alert.fired, *fired]))
        sooner = priority and not alert.priority
        alert.priority = alert.priority or priority
        if higher:
            alert.level = level
        self._tell(at, "alert_raised" if higher else "alert_confirmed")
        if other and not higher:
            self._plan(at)
        if higher or (sooner and alert.level == "orange"):
            alert.since = at
            if alert.state == AlertState.REACHED:
                alert.state = AlertState.TAKEN
            self._plan(at)

    def green(self, at: datetime) -> None:
        """An answer set without a sign: it ends an alert that said only that answers were missing, and whoever had reached
        the patient about it ends it then."""
        self.until(at)
        if not self.alert or not set(self.alert.fired) <= MISSING:
            return
        if self.alert.state == AlertState.REACHED:
            self._do(at, "finish")
        else:
            self.settled(at)

    def settled(self, at: datetime) -> None:
        """Ended by the rules or by the end of the follow-up."""
        if self.alert:
            self._tell(at, "alert_settle", source=self.alert.state)
            self._end(at)

    def _plan(self, at: datetime) -> None:
        """What the cell will do from now on, if nothing else happens."""
        alert, rng = self.alert, self.rng
        assert alert is not None  # noqa: S101
        delay = delay_of(alert.level, priority=alert.priority)
        moment = self._after(at, delay, delay.take * rng.uniform(0.05, 0.9))
        steps: list[Step] = [] if alert.taken_by_id else [(moment, "take")]
        moment += rng.uniform(1, 10) * MINUTE
        for number in range(TRIES):
            steps.append((moment, "call"))
            moment += rng.uniform(1, 4) * MINUTE
            if rng.random() < REACHED_AT_ONCE or number == TRIES - 1:
                steps.append((moment, "reached"))
                break
            steps.append((moment, "unreached"))
            moment = self._after(moment, delay, delay.again * rng.uniform(0.7, 1.1))
        if not set(alert.fired) <= MISSING:  # else it stays until an answer comes
            steps.append((moment + rng.uniform(3, 14) * MINUTE, "finish"))
        self.steps = steps

    def _after(self, at: datetime, delay: Delay, minutes: float) -> datetime:
        """So many minutes later; those of the night count for a delay that runs by night alone."""
        cell, length = self.team.cell, minutes * MINUTE
        return at + length if delay.by_night else open_after(at, length, cell.opens, cell.closes)

    def until(self, moment: datetime) -> None:
        """Do what was to be done before this moment."""
        while self.alert and self.steps and self.steps[0][0] <= moment:
            at, verb = self.steps.pop(0)
            self._do(at, verb)

    def _do(self, at: datetime, verb: str) -> None:
        alert = self.alert
        assert alert is not None  # noqa: S101
        if verb == "take":
            red = alert.level.startswith("rouge")
            alert.taken_by = self.rng.choice(self.team.doctors if red else self.team.staff)
            alert.taken_at, alert.state = at, AlertState.TAKEN
        elif verb == "call":
            alert.state = AlertState.CALLING
        elif verb in ("reached", "unreached"):
            alert.state, alert.attempts = AlertState(verb), alert.attempts + 1
            outcome = self.rng.choice(("repondeur", "non-joint") if verb == "unreached" else ("joint", "joint", "proche-joint"))  # fmt: skip
            self._call(at, outcome)
            alert.call_at = self.steps[0][0] if verb == "unreached" and self.steps else None
        self._tell(at, f"alert_{verb}", alert.taken_by)
        if verb == "finish":
            self._end(at)

    def _call(self, at: datetime, outcome: str) -> None:
        assert self.alert is not None  # noqa: S101
        by = self.alert.taken_by or self.team.staff[0]
        self.rows.calls.append(Call(id=new_id(self.rng), alert=self.alert, by=by, outcome=outcome, created_at=at))

    def _tell(self, at: datetime, verb: str, user: User | None = None, **data: Any) -> None:
        assert self.alert is not None  # noqa: S101
        data |= {} if verb == "alert_settle" else {"level": self.alert.level}
        self.event(at, verb, user, alert=str(self.alert.pk), **data)

    def _end(self, at: datetime) -> None:
        assert self.alert is not None  # noqa: S101
        self.alert.state, self.alert.closed_at, self.alert.call_at = AlertState.CLOSED, at, None
        self.alert, self.steps = None, []

    def shown(self, state: str, now: datetime) -> None:
        """Put the open alert, of which nothing was done yet, in the state that the script wants to show now."""
        alert = self.alert
        if alert is None or alert.taken_by_id or state == AlertState.NEW:
            return
        taken = min(alert.opened_at + IN_HAND, now)
        self._do(taken, "take")
        if state in (AlertState.UNREACHED, AlertState.REACHED):
            self._do(min(taken + 3 * MINUTE, now), state)
        if state == AlertState.UNREACHED:
            self._in_vain(taken, now)

    def _in_vain(self, taken: datetime, now: datetime) -> None:
        """MA04: two calls more that nobody answers, then a doctor decides to wait and call again."""
        alert, aside = self.alert, random.Random(str(self.follow_up.pk))  # apart: the region is drawn as without it  # noqa: S311
        assert alert is not None  # noqa: S101
        doctor = alert.taken_by = self.team.doctors[0]
        for minutes, called, outcome in ((36, Called.PATIENT, "repondeur"), (70, Called.PATIENT, "non-joint"), (75, Called.CHECK, "attente")):  # fmt: skip
            at = min(taken + minutes * MINUTE, now)
            self.rows.calls.append(
                Call(id=new_id(aside), alert=alert, by=doctor, called=called, outcome=outcome, created_at=at)
            )
            self._tell(at, "alert_check" if called == Called.CHECK else "alert_unreached", doctor)
        alert.level, alert.fired, alert.attempts = "rouge", [*alert.fired, "MA04"], 3
        alert.since, alert.call_at, alert.next_called = at, at + 10 * MINUTE, Called.PATIENT
