"""This module's part of the demo region: two cells, and people followed at home, well, febrile or getting worse.

The trajectories are those of domain.md §9.2; the rules themselves judge the answers, in one frame for all.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from relais.accounts.models import Role, User
from relais.core.actor import PATIENT, PROFESSIONAL
from relais.core.demo import Region, insert, new_id
from relais.core.paris import PARIS
from relais.directory.models import Establishment, Kind
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Dossier, Event
from relais.patients.models import CareLink, Grant, Holder, Patient
from relais.questionnaires.columns import values
from relais.questionnaires.models import Questionnaire, Response
from relais.telemonitoring.actions.answers import facts_of
from relais.telemonitoring.actions.rules import answers_of, reader
from relais.telemonitoring.inclusion import risk_of
from relais.telemonitoring.judging import GREEN
from relais.telemonitoring.models import Alert, Call, Cell, CellMember, FollowUp, Judgement, Missed, RuleSet
from relais.telemonitoring.programme import Plan, Rhythm, Window, end_of, months

HOW_MANY = {"small": 24, "tenth": 230, "region": 2_300}  # followed at a time (domain.md §9.2)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MILD, FEBRILE, WORSE, CONTACT = "mild", "febrile", "worse", "contact"
LINGERING, SILENT = "lingering", "silent"  # fever that does not end; no answer since yesterday
SHARES = {MILD: 66, FEBRILE: 19, WORSE: 7, CONTACT: 8}
ADHERENCE = 0.86
FACTORS = {
    "rf.diabete": 0.05,
    "rf.respi": 0.13,
    "rf.cardio": 0.12,
    "rf.cancer": 0.02,
    "rf.immuno": 0.02,
    "rf.obesite": 0.18,
}
ADULT = 18
# Whom a newcomer finds in the hospital's cell: course, day, minutes since the last answer, state of the alert.
SCRIPT = [
    (WORSE, 9, 7, "new"), (WORSE, 8, 26, "taken"), (LINGERING, 7, 18, "new"), (LINGERING, 9, 95, "reached"),
    (SILENT, 5, 0, "new"), (SILENT, 8, 0, "unreached"), (MILD, 3, 50, ""), (CONTACT, 4, 70, ""), (FEBRILE, 2, 34, ""),
    (MILD, 12, 130, ""),
]  # fmt: skip


@dataclass
class Rows:
    """What is inserted, in the order of the foreign keys."""

    dossiers: list[Dossier] = field(default_factory=list)
    links: list[CareLink] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def insert(self) -> None:
        self.events.sort(key=lambda one: one.at)
        for rows in vars(self).values():
            insert(rows)


def build(region: Region, rng: random.Random) -> None:
    """A cell at the personas' hospital and a regional one, with their members and the people they follow."""
    cells = _cells(region, rng)
    rows = Rows()
    Builder(region, rng, cells, rows).build()
    rows.insert()


def _cells(region: Region, rng: random.Random) -> list[Cell]:
    rules = RuleSet.objects.get(name="ecovid", version="1.0.0")
    hospital = region.places["hospital"]
    other = next(
        (one for one in region.establishments if one.kind == Kind.HOSPITAL and one != hospital),
        region.establishments[-1],
    )
    made = region.now - 60 * DAY
    cells = [
        Cell(
            id=new_id(rng), name=name, kind=kind, establishment=place, rules=rules, created_at=made,
        )
        for name, kind, place in (
            ("Cellule COVID de l’hôpital", "hospital", hospital), ("Cellule régionale", "regional", other),
        )
    ]  # fmt: skip
    insert(cells)
    members = [
        CellMember(id=new_id(rng), cell=cell, user=user, establishment=place, created_at=made)
        for cell, place in ((cells[0], hospital), (cells[1], other), (cells[0], region.places["nursing_home"]))
        for user in _clinicians(region, place)[: 3 if place == region.places["nursing_home"] else 12]
    ]
    insert(members)
    return cells


def _clinicians(region: Region, place: Establishment) -> list[User]:
    by_role = region.members.get(place.pk, {})
    return [*by_role.get(Role.PRACTITIONER, []), *by_role.get(Role.CAREGIVER, [])]


class Builder:
    """Follows adults, in the order of the region's patients; children and contacts come with the simulated day."""

    def __init__(self, region: Region, rng: random.Random, cells: list[Cell], rows: Rows) -> None:
        self.region, self.rng, self.cells, self.rows = region, rng, cells, rows
        self.today = region.now.astimezone(PARIS).date()
        self.form = Questionnaire.objects.filter(name="ecovid-suivi-adulte").latest("rank")
        self.contact_form = Questionnaire.objects.filter(name="ecovid-suivi-contact").latest("rank")
        self.states: dict[Any, str] = {}  # of the alerts that are scripted
        self.pending: list[tuple[FollowUp, Response, Window, dict[str, object]]] = []

    def build(self) -> None:
        adults = (
            one for one in self.region.patients[1:]
            if one.birth_date and one.deceased_on is None and months(one.birth_date, self.today) >= 12 * ADULT
        )  # fmt: skip
        for number, patient in zip(range(HOW_MANY[self.region.size]), adults, strict=False):
            if number < len(SCRIPT):
                course, day, ago, state = SCRIPT[number]
                self._follow(patient, self.cells[0], course, day, ago, state)
                continue
            course = self.rng.choices(list(SHARES), list(SHARES.values()))[0]
            day = self.rng.randint(6, 11) if course == WORSE else self.rng.randint(1, 14)
            self._follow(patient, self.cells[0] if number % 3 else self.cells[1], course, day)
        self._judge()

    def _follow(self, patient: Patient, cell: Cell, course: str, day: int, ago: int = 0, state: str = "") -> None:
        rng = self.rng
        onset = self.today - day * DAY
        starts = min(self.today, onset + rng.randint(1, 3) * DAY)
        staff = _clinicians(self.region, cell.establishment) or self.region.professionals
        began = (
            datetime.combine(starts, datetime.min.time(), tzinfo=PARIS).astimezone(UTC) + rng.randint(480, 720) * MINUTE
        )
        began = min(began, self.region.now - 30 * MINUTE)
        factors = tuple(name for name, share in FACTORS.items() if rng.random() < share)
        risk = risk_of(factors, born=patient.birth_date, today=self.today)
        dossier = Dossier(
            id=new_id(rng), kind="telemonitoring", reference=self._reference(), patient=patient,
            establishment=cell.establishment, opened_by=staff[0].pk, created_at=began,
        )  # fmt: skip
        follow_up = FollowUp(
            dossier=dossier, cell=cell, status=CONTACT if course == CONTACT else "confirme", onset=onset, starts_on=starts,
            ends_on=end_of(onset, starts), risk=risk, factors=list(factors),
            rhythm=Rhythm.CONTACT if course == CONTACT else (Rhythm.STANDARD if risk == "standard" else Rhythm.REINFORCED),
            equipment=["thermometre", *(["oxymetre"] if rng.random() < 0.6 else [])], enrolled_by=rng.choice(staff),
            watched_until=self.region.now,
        )  # fmt: skip
        self.rows.dossiers.append(dossier)
        self.rows.follow_ups.append(follow_up)
        self.rows.links.append(
            CareLink(
                id=new_id(rng), patient=patient, establishment_id=cell.establishment_id, basis="episode", about=dossier.pk,
                created_at=began,
            )
        )  # fmt: skip
        self.rows.grants.append(self._grant(patient, follow_up, began))
        self._event(dossier, began, "created", follow_up.enrolled_by)
        self._answers(follow_up, course, began, ago)
        if state:
            self.states[follow_up.pk] = state

    def _reference(self) -> str:
        text = "".join(self.rng.choice(dossiers.ALPHABET) for _index in range(8))
        return f"EC-{text[:4]}-{text[4:]}"

    def _grant(self, patient: Patient, follow_up: FollowUp, at: datetime) -> Grant:
        return Grant(
            id=new_id(self.rng), patient=patient, establishment_id=follow_up.cell.establishment_id, about=follow_up.pk,
            holder=Holder.SELF, email=patient.email, phone=patient.phone, login=f"{self.rng.getrandbits(48):012x}",
            password_hash=UNUSABLE_PASSWORD_PREFIX, secrets_at=at, valid_from=at, valid_until=at + 44 * DAY, created_at=at,
        )  # fmt: skip

    def _event(self, dossier: Dossier, at: datetime, verb: str, user: User | None = None, **data: Any) -> None:
        self.rows.events.append(
            Event(
                dossier=dossier, at=at, verb=verb, actor_kind=PROFESSIONAL if user else PATIENT,
                user=user, grant_id=None if user else self.rows.grants[-1].pk, data=data,
            )
        )  # fmt: skip

    def _answers(self, follow_up: FollowUp, course: str, began: datetime, ago: int) -> None:
        plan = Plan(follow_up.onset, follow_up.starts_on, follow_up.ends_on, follow_up.rhythm)
        course_of = _Course(course, self.rng, oximeter="oxymetre" in follow_up.equipment)
        latest = self.region.now - max(ago, 1) * MINUTE
        silent = self.region.now - 26 * timedelta(hours=1) if course == SILENT else latest
        for window in plan.windows(follow_up.starts_on, self.today):
            at = window.opens.astimezone(UTC) + min(self.rng.lognormvariate(4, 1), 280) * MINUTE
            if window.closes <= began or at < began:
                continue
            if at > latest:
                break
            if at > silent or self.rng.random() > ADHERENCE:
                if window.closes <= self.region.now:
                    self._miss(follow_up, window)
            else:
                self._answer(follow_up, course_of, window, at)
        if ago and (last := plan.window_of(latest)):
            self._answer(follow_up, course_of, last, latest)

    def _miss(self, follow_up: FollowUp, window: Window) -> None:
        self.rows.missed.append(
            Missed(
                id=new_id(self.rng), follow_up=follow_up, day=window.day, slot=window.slot,
                created_at=window.closes.astimezone(UTC),
            )
        )  # fmt: skip

    def _answer(self, follow_up: FollowUp, course_of: "_Course", window: Window, at: datetime) -> None:
        contact = follow_up.status == CONTACT
        answers = course_of.answers(follow_up.day(window.day))
        response = Response(
            id=new_id(self.rng), questionnaire=self.contact_form if contact else self.form, about=follow_up.pk,
            answers=answers, voice="patient", relation="patient", actor_kind=PATIENT, grant_id=self.rows.grants[-1].pk,
            started_at=at - timedelta(seconds=75), ended_at=at, received_at=at, request_key=new_id(self.rng), created_at=at,
        )  # fmt: skip
        self.rows.responses.append(response)
        row = {**facts_of(follow_up, at), **values(answers_of("contact" if contact else "adult"), answers)}
        self.pending.append((follow_up, response, window, row))

    def _judge(self) -> None:
        """One frame a population; the newest level of each follow-up decides of its alert."""
        for group, contact in (("adult", False), ("contact", True)):
            given = [one for one in self.pending if (one[0].status == CONTACT) is contact]
            if not given:
                continue
            order = sorted(given, key=lambda one: (str(one[0].pk), one[1].ended_at))
            decided = reader(self.cells[0].rules_id, group).decide(one[3] for one in order)
            for (follow_up, response, window, _row), decision in zip(order, decided, strict=True):
                at = response.received_at
                self.rows.judgements.append(
                    Judgement(
                        id=new_id(self.rng), follow_up=follow_up, response=response, rules_id=self.cells[0].rules_id, at=at,
                        day=window.day, slot=window.slot, level=decision.level, fired=list(decision.fired), created_at=at,
                    )
                )  # fmt: skip
                follow_up.level, follow_up.last_answer_at = decision.level, at
                self.rows.events.append(
                    Event(
                        dossier=follow_up.dossier,
                        at=at,
                        verb="answered",
                        actor_kind="system",
                        data={"level": decision.level},
                    )
                )
        self._alerts()

    def _alerts(self) -> None:
        last = {one.follow_up_id: one for one in sorted(self.rows.judgements, key=lambda one: one.at)}
        for judgement in last.values():
            if judgement.level != GREEN:
                self._alert(judgement.follow_up, judgement.level, judgement.fired, judgement.at)
        for follow_up in self.rows.follow_ups:
            gone = [one for one in self.rows.missed if one.follow_up_id == follow_up.pk]
            recent = [one for one in gone if one.created_at > self.region.now - DAY]
            if recent and follow_up.level == GREEN and follow_up.pk in self.states:
                twice = len(gone) > 1
                self._alert(
                    follow_up,
                    "orange" if twice else "gris",
                    ["MA01", "MA02"] if twice else ["MA01"],
                    recent[-1].created_at,
                )

    def _alert(self, follow_up: FollowUp, level: str, fired: list[str], at: datetime) -> None:
        """Young ones wait to be taken; older ones are in somebody's hands, or were called in vain."""
        rng = self.rng
        young = self.region.now - at < 40 * MINUTE
        drawn = "new" if young else rng.choices(["new", "taken", "unreached", "reached"], [10, 35, 20, 35])[0]
        state = self.states.get(follow_up.pk, drawn)
        staff = _clinicians(self.region, follow_up.cell.establishment) or self.region.professionals
        taker = None if state == "new" else rng.choice(staff)
        alert = Alert(
            id=new_id(rng), follow_up=follow_up, state=state, level=level, fired=fired, since=at,
            opened_at=at, taken_by=taker, taken_at=at + 6 * MINUTE if taker else None,
            priority="AC08" in fired, attempts=1 if state in ("unreached", "reached") else 0, created_at=at,
        )  # fmt: skip
        self.rows.alerts.append(alert)
        self._event(follow_up.dossier, at, "alert_opened", follow_up.enrolled_by, level=alert.level)
        if taker and alert.attempts:
            self.rows.calls.append(
                Call(
                    id=new_id(rng), alert=alert, by=taker, outcome="joint" if state == "reached" else "repondeur",
                    created_at=at + 9 * MINUTE,
                )
            )  # fmt: skip


class _Course:
    """How somebody answers day after day (domain.md §9.2)."""

    def __init__(self, kind: str, rng: random.Random, *, oximeter: bool) -> None:
        self.kind, self.rng, self.oximeter = kind, rng, oximeter
        self.fever_ends = {FEBRILE: rng.randint(3, 6), LINGERING: 30}.get(kind, rng.randint(1, 3))
        self.turn = rng.randint(6, 7)  # from here the third kind gets worse

    def answers(self, day: int) -> dict[str, list[Any]]:
        if self.kind == CONTACT:
            return self._contact(day)
        rng = self.rng
        worse = max(0, day - self.turn) if self.kind == WORSE else 0
        febrile = (self.kind != MILD and day <= self.fever_ends) or worse > 0
        temperature = round(rng.gauss(38.4, 0.4) if febrile else rng.gauss(36.8, 0.25), 1)
        dyspnoea = min(3, worse) if self.kind == WORSE else int(rng.random() < (0.35 if self.kind == FEBRILE else 0.15))
        answers: dict[str, list[Any]] = {
            "ad.saisie": ["patient"],
            "ad.general": ["pire" if worse else rng.choice(["stable", "stable", "mieux"])],
            "ad.temp.mesuree": [True],
            "ad.temp": [min(max(temperature, 36.0), 40.2)],
            "ad.frissons": ["oui" if febrile and rng.random() < 0.4 else "non"],
            "ad.malaise": ["non"],
            "ad.dyspnee": [str(dyspnoea)],
            "ad.toux": [rng.choice(["seche", "non"])],
            "ad.thorax": ["non"],
            "ad.levres": [False],
            "ad.confusion": ["non"],
            "ad.fatigue": [rng.choice(["oui", "non"])],
            "ad.boire": [False],
            "ad.digestif": ["non"],
            "ad.odorat": [rng.random() < 0.45],
            "ad.gout": [rng.random() < 0.4],
            "ad.cephalee": [rng.choice(["oui", "non", "non"])],
            "ad.mollet": [False],
            "ad.moral": ["stable"],
            "ad.besoin": ["non"],
            "ad.hospit": ["non"],
        }
        if dyspnoea:
            answers["ad.dyspnee.evol"] = ["pire" if worse else "stable"]
            if dyspnoea < 3:
                answers["ad.dyspnee.habit"] = [not worse]
        if answers["ad.temp"][0] >= 39:
            answers["ad.fievre.resist"] = [False]
        if self.oximeter:
            answers["ad.spo2"] = [max(88, min(99, round(rng.gauss(97, 0.8)) - 2 * worse))]
            answers["ad.fc"] = [round(rng.gauss(78 + 12 * febrile, 6))]
        answers["ad.fr"] = [min(28, round(rng.gauss(16, 1.5)) + 2 * worse)]
        if answers["ad.fr"][0] >= 21:
            answers["ad.fr.recompte"] = [answers["ad.fr"][0] - 1]
        return answers

    def _contact(self, day: int) -> dict[str, list[Any]]:
        return {
            "ct.sympt": [False], "ct.temp": [round(self.rng.gauss(36.7, 0.2), 1)], "ct.isolement": ["oui"],
            "ct.test": ["rdv" if day < 7 else "non"], "ct.besoin": ["non"],
        }  # fmt: skip
