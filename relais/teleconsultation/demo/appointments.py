"""Who meets whom and when in the demo region (domain.md §9.1, §9.4): hours of practitioners, appointments in every state."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from relais.accounts.models import Role, User
from relais.core.demo import Region, insert, new_id
from relais.core.errors import Refused
from relais.core.paris import PARIS, midnight, to_utc
from relais.directory.models import Establishment, Kind
from relais.patients.models import Patient
from relais.teleconsultation.demo.papers import Press
from relais.teleconsultation.demo.rows import BATCH, Rows
from relais.teleconsultation.demo.story import Plan, Story
from relais.teleconsultation.models import Absence, Opening
from relais.teleconsultation.workflow import State

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOURS = [9, 10, 11, 14, 15, 16, 17, 12, 18]
WEIGHTS = [15, 15, 15, 12, 12, 11, 10, 5, 5]  # 45 % in the morning, 45 % in the afternoon (domain.md §9.4)
AHEAD = 7  # days of appointments to come
OLD = 65  # years, at least: who lives in a nursing home
MADE_FOR_THEIR_PATIENT = 24  # documents; the others are specimens
# How many appointments the personas' hospital has, and its patients: the same in `tenth` and `region`, so that what
# its people see grows with nothing but the region around them.
HOSPITAL = {"small": (90, 60), "tenth": (2_000, 1_200), "region": (2_000, 1_200), "stress": (500, 300)}
PAST = {
    State.DONE: 26, State.CLOSED: 58, State.ABSENT_PATIENT: 6, State.INCIDENT: 4, State.CANCELLED: 5,
    State.ABSENT_DOCTOR: 1,
}  # fmt: skip
# What a newcomer finds at the hospital: minutes from now, whose (0: the persona), state, whether the SMS was refused.
HOSPITAL_NOW = [
    (-150, 0, State.DONE, False), (-115, 0, State.DONE, False), (-85, 0, State.PLANNED, True),
    (-50, 0, State.PLANNED, False), (50, 0, State.PLANNED, False), (75, 0, State.PLANNED, False),
    (100, 0, State.PLANNED, True), (150, 0, State.PLANNED, False), (-10, 1, State.IN_CALL, False),
    (15, 1, State.PLANNED, False), (40, 1, State.PLANNED, False), (-200, 1, State.ABSENT_PATIENT, False),
    (-230, 1, State.ABSENT_DOCTOR, False), (200, 0, State.CANCELLED, False), (-260, 0, State.INCIDENT, False),
    (-300, 0, State.CLOSED, False),
]  # fmt: skip
HOME_NOW = [
    (-120, 0, State.DONE, False), (-35, 0, State.PLANNED, False), (20, 0, State.PLANNED, True),
    (60, 0, State.PLANNED, False), (95, 0, State.PLANNED, False), (-90, 0, State.ABSENT_PATIENT, False),
]  # fmt: skip
Practice = tuple[User, Establishment]


def build(region: Region, rng: random.Random) -> None:
    """Practitioners' hours and appointments in every state around `region.now`."""
    places = {each.pk: each for each in region.establishments}
    practices = [
        (user, places[pk]) for pk, by_role in region.members.items() for user in by_role.get(Role.PRACTITIONER, [])
    ]
    practices.sort(key=lambda each: each[0] != region.personas["doctor"])
    _hours(region, rng, practices)
    rows, press = Rows(), Press(left=MADE_FOR_THEIR_PATIENT)
    for count, plan in enumerate(Planner(region, rng, practices).plans(), 1):
        story = Story(plan, rng, rows, press, region.now)
        story.tell()
        region.teleconsultations.append(story.tele.pk)
        if count % BATCH == 0:
            rows.insert()
    rows.insert()


def _hours(region: Region, rng: random.Random, practices: list[Practice]) -> None:
    """Hours on four or five weekdays, and a few days off."""
    openings, absences = [], []
    today = region.now.astimezone(PARIS).date()
    for user, place in practices:
        weekdays = range(5) if user == region.personas["doctor"] else sorted(rng.sample(range(5), 4))
        openings += [
            Opening(
                id=new_id(rng), practitioner=user, establishment=place, weekday=weekday, starts=starts, ends=ends,
                minutes=20, created_at=user.created_at,
            )
            for weekday in weekdays
            for starts, ends in ((time(9), time(12)), (time(14), time(17)))
        ]  # fmt: skip
        if rng.random() < 0.1:
            first = today + timedelta(days=rng.randint(10, 40))
            absences.append(
                Absence(
                    id=new_id(rng), practitioner=user, starts_at=midnight(first), ends_at=midnight(first + 5 * DAY),
                    label="Congés", created_at=region.now - 20 * DAY,
                )
            )  # fmt: skip
    insert(openings)
    insert(absences)


class Planner:
    """Draws plans one by one; nobody has two appointments at a time."""

    def __init__(self, region: Region, rng: random.Random, practices: list[Practice]) -> None:
        self.region, self.rng, self.practices = region, rng, practices
        self.today = region.now.astimezone(PARIS).date()
        self.taken: dict[UUID, set[int]] = defaultdict(set)  # practitioner: the steps of 5 minutes that are taken
        self.hospital, self.home = region.places["hospital"], region.places["nursing_home"]
        self.quota, size = HOSPITAL[region.size]
        usual = region.patients[1:]  # the first is the demo page's
        self.pools = {self.hospital.pk: usual[:size]}
        width = max(20, 2 * region.volumes.teleconsultations // len(region.establishments))
        old = [one for one in usual if one.birth_date and one.birth_date.year <= self.today.year - OLD] or usual
        for place in region.establishments:
            known = old if place.kind == Kind.EHPAD else usual
            first = rng.randrange(max(1, len(known) - width))
            self.pools.setdefault(place.pk, known[first : first + width])

    def plans(self) -> Iterator[Plan]:
        scripted = [*self._scripted()]
        yield from scripted
        here = [each for each in self.practices if each[1] == self.hospital]
        elsewhere = [each for each in self.practices if each[1] != self.hospital]
        for _index in range(self.quota):
            yield self._drawn(here)
        for _index in range(self.region.volumes.teleconsultations - self.quota - len(scripted)):
            yield self._drawn(elsewhere)

    def _scripted(self) -> Iterator[Plan]:
        """What is always there around now at the personas' places, at whatever hour one comes."""
        now = self.region.now
        step = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
        doctor = self.region.personas["doctor"]
        self._take(doctor, step - 25 * MINUTE, 70)  # left free for the appointment that starts now
        earlier = step - 9 * DAY
        self._take(doctor, earlier)
        yield Plan(doctor, self.hospital, self.region.patients[0], earlier, State.CLOSED, shown=True)
        patients = {self.hospital: iter(self.pools[self.hospital.pk]), self.home: iter(self.pools[self.home.pk])}
        for place, script in ((self.hospital, HOSPITAL_NOW), (self.home, HOME_NOW)):
            users = [user for user, where in self.practices if where == place]
            for minutes, whose, state, refused in script:
                user, start = users[min(whose, len(users) - 1)], step + minutes * MINUTE
                if self._take(user, start):
                    patient = self._alive(patients[place], start)
                    shown = state in (State.DONE, State.CLOSED, State.INCIDENT)
                    yield Plan(user, place, patient, start, state, refused, shown)

    def _alive(self, patients: Iterator[Patient], start: datetime) -> Patient:
        return next(each for each in patients if each.deceased_on is None or start.date() < each.deceased_on)

    def _drawn(self, practices: list[Practice]) -> Plan:
        for _attempt in range(10_000):
            user, place = self.rng.choice(practices)
            start = self._moment()
            patient = self.rng.choice(self.pools[place.pk])
            late = patient.deceased_on is not None and start is not None and start.date() >= patient.deceased_on
            if start is None or late or not self._take(user, start):
                continue
            return Plan(user, place, patient, start, self._state(start))
        raise RuntimeError("no hour is left: the region has too few practitioners")

    def _moment(self) -> datetime | None:
        """A slot of 20 minutes, most of them past; one in ten of those that fall on a week-end is kept (domain.md §9.4)."""
        day: date = self.today + timedelta(days=self.rng.randint(-self.region.volumes.days, AHEAD))
        if day.weekday() >= 5 and self.rng.random() > 0.1:
            return None
        try:
            return to_utc(day, time(self.rng.choices(HOURS, WEIGHTS)[0], self.rng.choice([0, 20, 40])))
        except Refused:
            return None

    def _take(self, user: User, start: datetime, minutes: int = 20) -> bool:
        """Whether this practitioner was free then; from now on they are not."""
        first = int(start.timestamp()) // 300
        steps = set(range(first, first + minutes // 5))
        if self.taken[user.pk] & steps:
            return False
        self.taken[user.pk] |= steps
        return True

    def _state(self, start: datetime) -> Any:
        ago = self.region.now - start
        if ago < timedelta(0):
            return State.CANCELLED if self.rng.random() < 0.05 else State.PLANNED
        if ago < 20 * MINUTE:
            return State.IN_CALL
        if ago < 60 * MINUTE:
            return State.PLANNED  # late, and still on the dashboard (TC-08)
        state = self.rng.choices(list(PAST), list(PAST.values()))[0]
        return State.DONE if state == State.CLOSED and ago < DAY else state
