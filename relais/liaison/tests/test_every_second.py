"""Over seven days of everything that happens, an open request has exactly one owner or an open alarm at every second (FG-08)."""

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core.actor import Actor
from relais.core.errors import Refused
from relais.directory.models import Need
from relais.dossiers.models import Event, Participant
from relais.liaison import delays
from relais.liaison.actions import deciding, handing, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import HandOver, Request
from relais.liaison.testing import make_home, make_request, open_hand_overs
from relais.liaison.workflow import OPEN, WAITING, State
from relais.oncall.actions import pool, replacements, slots
from relais.oncall.hours import next_boundary
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.queries import on_duty, route
from relais.oncall.testing import cover, join, make_service, make_slot
from relais.oncall.workflow import ANSWERS
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
SECOND, SPAN = timedelta(seconds=1), timedelta(days=3, hours=12)  # around each of the two nights: seven days in all
ACTIONS = 20  # of people
BUSY = 2  # open requests at once, at most
STEPS = 3  # of an alarm, before it is told each hour: a repeat is a message and changes no owner
KINDS = [
    "ask", "take", "take_over", "accept", "decide", "close", "samu", "absent", "swap", "replace", "leave", "come",
]  # fmt: skip
OFTEN = [*KINDS, "ask", "ask", "ask", "take", "take", "decide", "take_over"]


@pytest.mark.req("FG-08", "D10")
@pytest.mark.parametrize("start", [datetime(2026, 10, 23, 5, tzinfo=UTC), datetime(2027, 3, 26, 5, tzinfo=UTC)])
def test_over_seven_days_every_open_request_has_one_owner_or_an_open_alarm_at_every_second(start, monkeypatch):
    """Requests, swaps and replacements agreed by both, absences, departures, hand-overs, requests taken over by who is off
    duty, holes in the rota, both nights when the clocks change. Each happens at least once, by the action that the pages use.

    Why these looks cover every second: whether a request has an owner who can answer, or an alarm, is read from its rows
    alone; no clock enters into it (`look`). Rows change only when a transaction commits, and two things commit: what a
    person does, and a round of `watching.watch`. A round that finds nothing due writes nothing (its own test says so),
    and something is due only from one of the moments that `due` lists on: 08:00 and 19:00, when slots begin and end, a delay
    to take that runs out, a re-evaluation, a hand-over that nobody accepts, a step of an alarm. So the days are walked from
    one such moment (or act of a person) to the next, none is jumped over, and each is looked at one second before,
    before and after the round, and one second after. Between two of them nothing can commit, and the look after the one
    holds until the second before the other: both ends are looked at, and random seconds in between.
    """
    clock = [start]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    chance = random.Random(start.month)
    days = Days(clock, chance)
    acts = sorted(start + timedelta(seconds=chance.randrange(1, int(SPAN.total_seconds()))) for _one in range(ACTIONS))
    calm = {start + timedelta(seconds=chance.randrange(int(SPAN.total_seconds()))) for _one in range(25)}
    seen = {"owned": 0, "alarm": 0, "relieved outside a slot": 0}
    last = start
    while True:
        act = acts[0] if acts else start + SPAN
        moment = min([act, *days.due(last)])
        for between in sorted({last + SECOND, moment - SECOND, *calm}):
            if last < between < moment:
                clock[0] = between
                look(seen)
        if moment >= start + SPAN:
            break
        clock[0] = last = moment
        look(seen)
        if moment == act:
            acts.pop(0)
            days.act()
            look(seen)
        watching.watch(moment)
        look(seen)
        days.relieved(moment, seen)
    assert min(seen.values()) > 0, seen
    assert days.done == set(KINDS)
    happened = set(Event.objects.order_by().values_list("verb", flat=True).distinct())
    assert happened >= {"take", "escalated", "taken_over", "hand_over_accepted", "nobody_told", "advise"}, happened
    silent = Request.objects.filter(state__in=OPEN, responsible=None, alarm_told_at=None)
    assert not silent.exists(), "an alarm reached a person"


def look(seen: dict[str, int]) -> None:
    """Of each open request: an owner who can still answer, or an alarm; never both, never neither. No clock is read."""
    with connection.cursor() as cursor:
        cursor.execute(*question())
        for owner, alarm, can_answer in cursor.fetchall():
            assert (owner is None) != (alarm is None)
            assert owner is None or can_answer, "whoever has it can still answer"
            seen["alarm" if owner is None else "owned"] += 1


@cache
def question() -> tuple[str, tuple[Any, ...]]:
    """Owner, alarm, and whether the owner can answer, of the open requests: composed once, asked hundreds of times."""
    services = Participant.objects.filter(dossier=OuterRef(OuterRef("pk")), until=None).values("service_id")
    here = PoolMember.objects.at_work().filter(user_id=OuterRef("responsible_id"), service_id__in=services)
    rows = Request.objects.filter(state__in=OPEN).annotate(can_answer=Exists(here))
    return rows.values_list("responsible_id", "unowned_since", "can_answer").query.sql_with_params()


class Days:
    """A nursing home, its on-call of the day, the one that stands in, the night duty and the SAMU, with holes."""

    def __init__(self, clock: list[datetime], chance: random.Random) -> None:
        self.chance, self.scene = chance, make_home(now=clock[0])
        self.done: set[str] = set()  # kinds of acts
        self.had: dict[UUID, tuple[tuple[UUID | None, bool], datetime]] = {}  # who has a request, and since when
        OnCallSlot.objects.all().delete()
        place = make_establishment("Hôpital de l’Orme", kind="hospital")
        self.day, backup = make_service(Need.GERIATRIC, place), make_service(Need.GERIATRIC, place)
        self.referent = actor_for(make_member(place, Role.MANAGER))
        self.pool = [make_practitioner(place) for _one in range(5)]
        self.friend = make_practitioner(place)  # of the pools, in no rota
        for service in (self.day, backup, self.scene.service):
            for member in (*self.pool, self.friend):
                join(service, member)
        self.scene.home.cover.delete()
        cover(self.scene.home, self.day, backup)
        self.boundaries = [clock[0]]
        while (at := self.boundaries[-1]) < clock[0] + SPAN:
            until = next_boundary(at)
            for service in (self.day, backup, self.scene.service):
                if chance.random() < 0.7:  # the others are holes
                    first, second = chance.sample(self.pool, 2)
                    make_slot(service, first, at, until, backup=second if chance.random() < 0.5 else None)
            if chance.random() < 0.4:
                make_slot(self.scene.samu, self.scene.regulator, at, until)
            self.boundaries.append(until)

    def due(self, now: datetime) -> list[datetime]:
        """The later moments at which a round of the watch can find something that changes a request."""
        found = [one for one in self.boundaries if one > now][:1]
        for demand in Request.objects.filter(state__in=OPEN):
            if demand.state in WAITING and demand.asked_at:
                found.append(delays.take_by(demand.urgency, demand.asked_at))
            if demand.review_at:
                found.append(demand.review_at)
            if demand.unowned_since:
                steps = delays.alarms(demand.urgency, demand.unowned_since, demand.unowned_since + SPAN)
                found += steps[:STEPS]
        waiting = HandOver.objects.filter(accepted_at=None, dropped_at=None, alarmed_at=None)
        found += [due_at + delays.HAND_OVER for due_at in waiting.values_list("due_at", flat=True)]
        return [one for one in found if one > now]

    def relieved(self, now: datetime, seen: dict[str, int]) -> None:
        """After a round: whoever has had, since before the last 08:00 or 19:00, what does not end with the shift, and stands
        in no slot now, has a hand-over that reaches somebody. Until the next round only the clock moves, and slots end when
        one is due."""
        in_slots = self._on_duty(now)
        proposed = {one.demand_id: one for one in open_hand_overs().select_related("service")}
        last = max(one for one in self.boundaries if one <= now)
        for demand in Request.objects.filter(state__in=OPEN, responsible__isnull=False):
            owner = (demand.responsible_id, demand.state in WAITING)
            before, since = self.had.get(demand.pk, (None, now))
            since = since if before == owner else now
            self.had[demand.pk] = owner, since
            rests = demand.state == State.REVIEW and demand.review_at and demand.review_at >= next_boundary(now)
            if demand.state == State.ADVISED or rests or since >= last or demand.responsible_id in in_slots:
                continue
            assert self._reaches(proposed.get(demand.pk), now), "whoever is off duty is relieved"
            seen["relieved outside a slot"] += demand.responsible_id == self.friend.user_id

    def _reaches(self, hand_over: HandOver | None, now: datetime) -> bool:
        """It is proposed to who is on duty now for the service that takes over; to nobody where nobody is, with an alarm."""
        if hand_over is None:
            return False
        if hand_over.taking_id is None:
            rings = hand_over.alarmed_at is not None or now < hand_over.due_at + delays.HAND_OVER
            return rings and not any(duty.user for duty in route(self.scene.home, now))
        named = on_duty(hand_over.service, now) if hand_over.service else []
        return hand_over.taking_id in {duty.user.pk for duty in named if duty.user}

    def act(self) -> None:
        """One thing that somebody does in the nursing home, at an on-call or in a rota: first what was not done yet, or what
        leads to it."""
        missing = [kind for kind in KINDS if kind not in self.done]
        kinds = self.chance.sample(missing, len(missing)) + ["ask", "take"] * bool(missing)
        kinds += self.chance.sample(OFTEN, len(OFTEN))
        self.done.add(next(kind for kind in kinds if getattr(self, kind)()))

    def ask(self) -> bool:
        if Request.objects.filter(state__in=OPEN).count() >= BUSY:
            return False
        urgency = self.chance.choice(["vitale", "urgente", "rapide", "differee"])
        make_request(self.scene, make_patient(seen_by=self.scene.home), urgence=urgency)
        return True

    def take(self) -> bool:
        demand = _open(state__in=WAITING).first()
        if demand is None:
            return False
        asked = [one for one in self._people() if demand.responsible_id in (None, one.user_id)]
        doctor = self._able(demand, asked)
        return bool(doctor and owning.take(actor=doctor, demand=demand))

    def take_over(self) -> bool:
        """By a colleague who stands in no rota: somebody telephoned. They keep it until a hand-over is accepted."""
        demand = _open(state="prise-en-charge").first()
        doctor = self._able(demand, [self.friend]) if demand else None
        if demand is None or doctor is None or _open(responsible=doctor.user_id).exists():
            return False
        return bool(owning.take_over(actor=doctor, demand=demand))

    def accept(self) -> bool:
        for proposed in open_hand_overs().order_by("pk"):
            doctor = self._able(proposed.demand, [one for one in self._people() if one.user_id == proposed.taking_id])
            if doctor:
                return bool(handing.accept(actor=doctor, hand_over=proposed))
        return False

    def decide(self) -> bool:
        for demand in self._in_hand():
            doctor = self._able(demand, [one for one in self._people() if one.user_id == demand.responsible_id])
            if doctor:
                code = self.chance.choice(["maintien-surveillance", "had"])
                advice = Advice(code, "maximal", "Vu.", "oui", review_at=timezone.now() + timedelta(hours=4))
                return bool(deciding.decide(actor=doctor, demand=demand, advice=advice))
        return False

    def close(self) -> bool:
        demand = _open(state__in=["a-reevaluer", "orientation-en-cours"]).first()
        return bool(demand and deciding.close(actor=self.scene.nurse_actor, demand=demand, why="stabilise"))

    def samu(self) -> bool:
        nurse = self.scene.nurse_actor
        rows = [*self._in_hand(), *_open(state="soumise")]
        demand = next((one for one in rows if owning.may.can_redirect(nurse, one)), None)
        return bool(demand and owning.redirect(actor=nurse, demand=demand))

    def absent(self) -> bool:
        """The doctor of the slot that ends next says so."""
        slot = self._slots().filter(ends_at__gt=timezone.now()).first()
        return bool(slot and slots.mark_absent(actor=self._actor(slot.user_id), slot=slot))

    def swap(self) -> bool:
        """Two doctors of a service agree to exchange what is ahead."""
        ahead = list(self._slots().filter(starts_at__gt=timezone.now()))
        pairs = [(one, two) for one in ahead for two in ahead if one.service == two.service and one.user != two.user]
        return any(self._agree(one, two.user_id, two) for one, two in pairs)

    def replace(self) -> bool:
        """A doctor asks a colleague to take what is ahead."""
        ahead = self._slots().filter(starts_at__gt=timezone.now())
        others = self.chance.sample(self.pool, len(self.pool))
        return any(self._agree(slot, one.user_id) for slot in ahead for one in others if one.user_id != slot.user_id)

    def _agree(self, slot: OnCallSlot, asked_id: UUID, against: OnCallSlot | None = None) -> bool:
        try:
            made = replacements.ask(actor=self._actor(slot.user_id), slot=slot, asked_id=asked_id, against=against)
            return bool(replacements.accept(actor=self._actor(asked_id), replacement=made))
        except Refused:  # they left, are on call at that time, or one of them is asked already
            return False

    def leave(self) -> bool:
        """The referent takes somebody out of the pool: of those who have a request, as a rule."""
        holding = set(_open().values_list("responsible_id", flat=True))
        doctors = [one.user_id for one in self.pool]
        here = list(PoolMember.objects.filter(service=self.day, user_id__in=doctors, until=None))
        if len(here) < len(doctors) - 1:
            return False
        member = min(here, key=lambda one: (one.user_id not in holding, doctors.index(one.user_id)))
        pool.remove_member(actor=self.referent, service=self.day, member=member)
        return True

    def come(self) -> bool:
        here = set(PoolMember.objects.filter(service=self.day, until=None).values_list("user_id", flat=True))
        gone = [one for one in self.pool if one.user_id not in here]
        return bool(gone and pool.add_member(actor=self.referent, service=self.day, membership=gone[0]))

    def _people(self) -> list[Membership]:
        return [*self.pool, self.friend, self.scene.regulator, self.scene.doctor, self.scene.colleague]

    def _in_hand(self) -> QuerySet[Request]:
        return _open(state="prise-en-charge").exclude(responsible=self.friend.user_id)

    def _actor(self, user_id: UUID | None) -> Actor:
        return next(actor_for(one) for one in self._people() if one.user_id == user_id)

    def _able(self, demand: Request, members: list[Membership]) -> Actor | None:
        """One of these who may take the request."""
        able = [one for one in map(actor_for, members) if owning.may.can_take(one, demand)]
        return self.chance.choice(able) if able else None

    def _slots(self) -> QuerySet[OnCallSlot]:
        """Those in which a doctor answers, the first first."""
        return OnCallSlot.objects.filter(state__in=ANSWERS).order_by("ends_at", "pk")

    def _on_duty(self, now: datetime) -> set[UUID | None]:
        rows = list(OnCallSlot.objects.at(now))
        return {one.user_id for one in rows if one.state in ANSWERS} | {one.backup_id for one in rows} - {None}


def _open(**fields: Any) -> QuerySet[Request]:
    return Request.objects.filter(**{"state__in": OPEN, **fields}).order_by("submitted_at", "pk")
