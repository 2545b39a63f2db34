"""One follow-up told whole: its answers judged, windows missed, alerts handled, and how it ended."""

import random
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from relais.core.actor import PATIENT
from relais.core.demo import new_id
from relais.core.paris import PARIS
from relais.dossiers.models import Phase
from relais.patients.models import Grant, Holder
from relais.questionnaires.models import Questionnaire, Reason, Relation, Response, Voice
from relais.telemonitoring.demo.cells import Team
from relais.telemonitoring.demo.courses import CHRONIC, CONTACT, WORSE, Course
from relais.telemonitoring.demo.desk import Desk
from relais.telemonitoring.demo.people import DAY
from relais.telemonitoring.demo.rows import Rows
from relais.telemonitoring.judging import GREEN, Decision
from relais.telemonitoring.models import FollowUp, Judgement, Missed, Pause, Risk
from relais.telemonitoring.programme import PEAK, Window
from relais.telemonitoring.workflow import State

MINUTE = timedelta(minutes=1)
COMPLETION = timedelta(seconds=75)
HOSPITAL, DEATH = 0.55, 0.014  # of those who get worse and are red (§9.2: 4 % and 0.1 % of all)
AWAY = 8 * DAY  # somebody taken to hospital since then is still there, half of the time
LOST = 5 * DAY  # without any answer
RELATIONS = {Holder.PARENT: Relation.PARENT, Holder.FAMILY: Relation.CARER}


@dataclass
class Given:
    """An answer set before it is judged: finished at `at`, `received` then or later."""

    at: datetime
    received: datetime
    window: Window
    form: Questionnaire
    group: str
    answers: dict[str, list[object]]
    row: dict[str, object]


@dataclass
class Episode:
    """What is known of a follow-up before the rules have judged. `leaves`: a day and the reason, before its end."""

    follow_up: FollowUp
    team: Team
    grant: Grant
    kind: str
    shown: str = ""  # the state of its alert now, when the script wants one
    leaves: tuple[datetime, str] | None = None
    grown: Course | None = None  # of a child who comes of age on the way
    given: list[Given] = field(default_factory=list)
    gone: list[Window] = field(default_factory=list)


class Story:
    """Adds the rows of one episode. `now` is the region's moment: nothing has happened after it."""

    def __init__(self, episode: Episode, rows: Rows, rng: random.Random, now: datetime) -> None:
        self.episode, self.rows, self.rng, self.now = episode, rows, rng, now
        self.follow_up = episode.follow_up
        self.desk = Desk(self.follow_up, episode.team, rows, rng)
        self.missed: set[Window] = set()
        self.windows = sorted({*(one.window for one in episode.given), *episode.gone}, key=lambda one: one.opens)
        self.greens = 0

    def tell(self, decided: dict[int, Decision]) -> None:
        """Everything in the order of time; `decided`: by id() of what was given."""
        things: list[tuple[datetime, Given | Window]] = [(one.received, one) for one in self.episode.given]
        things += [(one.closes, one) for one in self.episode.gone]
        things.sort(key=lambda one: one[0])
        last = len(things) - 1
        for number, (at, thing) in enumerate(things):
            if number == last and self.episode.shown:
                self.desk.until(at)
                self.desk.settled(at - MINUTE)
            if isinstance(thing, Window):
                self._missed(at, thing)
            elif self._answered(thing, decided[id(thing)]):
                return
        if self.episode.shown:
            self.desk.shown(self.episode.shown, self.now)
        else:
            self._ended()
            self.desk.until(self.now)

    def _answered(self, given: Given, decision: Decision) -> bool:
        """Keep and judge; True when the patient went to hospital for it, or died."""
        response, follow_up = self._response(given), self.follow_up
        self.rows.responses.append(response)
        self.rows.judgements.append(
            Judgement(
                id=new_id(self.rng), follow_up=follow_up, response=response, rules_id=follow_up.cell.rules_id,
                at=given.received, day=given.window.day, slot=given.window.slot, level=decision.level,
                late=given.received >= given.window.closes, fired=list(decision.fired), created_at=given.received,
            )
        )  # fmt: skip
        follow_up.level, follow_up.last_answer_at = decision.level, given.at
        self.desk.event(given.received, "answered", response=str(response.pk), level=decision.level)
        effects = set(decision.effects)
        urgent = bool(effects & {"priority", "escalate"})
        self.greens = self.greens + 1 if decision.level == GREEN else 0
        if decision.level != GREEN or effects & {"hospitalisation", "escalate"}:
            level = "orange" if decision.level == GREEN else decision.level
            self.desk.raised(given.received, level, decision.fired, priority=urgent)
        else:
            self.desk.green(given.received)
        turns = decision.level == "rouge" and self.episode.kind == WORSE and not self.episode.shown
        return turns and self._taken_away(given.received)

    def _response(self, given: Given) -> Response:
        grant = self.episode.grant
        relation = RELATIONS.get(Holder(grant.holder), Relation.PATIENT)
        reason = (
            "" if relation == Relation.PATIENT else Reason.CHILD if relation == Relation.PARENT else Reason.DEPENDENT
        )
        late = given.received > given.at
        return Response(
            id=new_id(self.rng), questionnaire=given.form, about=self.follow_up.pk, answers=given.answers,
            voice=Voice.PROXY if relation == Relation.CARER else Voice.PATIENT, relation=relation, reason=reason,
            actor_kind=PATIENT, grant_id=grant.pk, started_at=given.at - COMPLETION * self.rng.lognormvariate(0, 0.4),
            ended_at=given.at, device_at=given.received if late else None, received_at=given.received,
            request_key=new_id(self.rng), created_at=given.received,
        )  # fmt: skip

    def _missed(self, at: datetime, window: Window) -> None:
        """MA01, and MA02 where somebody has to call (actions/windows.py)."""
        follow_up = self.follow_up
        moment = at.astimezone(self.now.tzinfo)
        self.rows.missed.append(
            Missed(id=new_id(self.rng), follow_up=follow_up, day=window.day, slot=window.slot, created_at=moment)
        )
        before = self.windows[self.windows.index(window) - 1]
        at_risk = follow_up.risk in (Risk.HIGH, Risk.VERY_HIGH) and follow_up.day(window.day) in PEAK
        twice = before in self.missed or at_risk or follow_up.level != GREEN
        self.missed.add(window)
        self.desk.event(moment, "answer_missed", day=window.day.isoformat(), slot=window.slot)
        fired = ["MA01", "MA02"] if twice else ["MA01"]
        self.desk.raised(moment, "orange" if twice else "gris", fired, priority=False)

    def _taken_away(self, at: datetime) -> bool:
        """Whether this red answer led to hospital, or to death; others get better at home."""
        drawn, moment = self.rng.random(), at + self.rng.uniform(60, 180) * MINUTE
        if drawn > HOSPITAL or moment > self.now:
            return False
        self.desk.until(moment)
        if drawn < DEATH:
            self._close(moment, "deces")
        elif self.now - moment < AWAY and self.rng.random() < 0.5:
            self.desk.settled(moment)
            self._move(moment, "pause", State.PAUSED)
            first = moment.astimezone(PARIS).date()
            self.rows.pauses.append(
                Pause(id=new_id(self.rng), follow_up=self.follow_up, first=first, created_at=moment)
            )
        else:
            self._close(moment, "hospitalisation")
        return True

    def _ended(self) -> None:
        """Those who left, and those whose days are over: a practitioner closes in the morning after."""
        if self.episode.leaves:
            at, why = self.episode.leaves
        else:
            after = datetime.combine(self.follow_up.ends_on + DAY, time(8), tzinfo=PARIS)
            at, why = after.astimezone(self.now.tzinfo) + self.rng.uniform(5, 240) * MINUTE, self._why()
        if at <= self.now:
            self.desk.until(at)
            self._close(at, why)
        elif self.follow_up.ends_on < self.now.astimezone(PARIS).date() and self.greens > 1:
            self.desk.until(self.now)
            if self.desk.alert is None:
                self.follow_up.closing_proposed_at = self.now - 5 * MINUTE
                self.desk.event(self.now - 5 * MINUTE, "closing_proposed")

    def _why(self) -> str:
        last, ends = self.follow_up.last_answer_at, self.follow_up.ends_on
        if last is None or ends - last.date() >= LOST:
            return "perdu-de-vue"
        if self.episode.kind == CONTACT:
            return "fin-periode-asymptomatique"
        return "guerison" if self.greens and self.rng.random() > CHRONIC else "relais-medecin-traitant"

    def _close(self, at: datetime, why: str) -> None:
        self.desk.settled(at)
        self.follow_up.closing = why
        self._move(at, "close", State.CLOSED)
        self.follow_up.dossier.phase, self.follow_up.dossier.closed_at = Phase.CLOSED, at
        if why == "deces":
            self.episode.grant.revoked_at = at

    def _move(self, at: datetime, verb: str, state: State) -> None:
        doctor = self.rng.choice(self.episode.team.doctors)
        self.desk.event(at, verb, doctor, source=self.follow_up.state, state=str(state))
        self.follow_up.state = state
