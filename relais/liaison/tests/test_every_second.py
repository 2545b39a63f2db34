"""Over seven days of everything that happens, an open request has exactly one owner or an open alarm at every second (FG-08)."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from relais.accounts.testing import actor_for, make_establishment, make_practitioner
from relais.directory.models import Need
from relais.dossiers.models import Event, Participant
from relais.liaison import delays
from relais.liaison.actions import deciding, handing, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import HandOver, Request
from relais.liaison.testing import make_home, make_request
from relais.liaison.workflow import OPEN, WAITING
from relais.oncall import changes
from relais.oncall.hours import next_boundary
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.testing import cover, join, make_service, make_slot
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
SECOND, SPAN = timedelta(seconds=1), timedelta(days=3, hours=12)  # around each of the two nights: seven days in all
ACTIONS = 18  # of people
BUSY = 2  # open requests at once, at most
STEPS = 3  # of an alarm, before it is told each hour: a repeat is a message and changes no owner
KINDS = ["ask"] * 4 + ["take"] * 3 + ["decide"] * 2 + ["close", "samu", "accept", "absent", "swap", "leave"]


@pytest.mark.req("FG-08", "D10")
@pytest.mark.parametrize("start", [datetime(2026, 10, 23, 5, tzinfo=UTC), datetime(2027, 3, 26, 5, tzinfo=UTC)])
def test_over_seven_days_every_open_request_has_one_owner_or_an_open_alarm_at_every_second(start, monkeypatch):
    """Requests, swaps, absences, departures, hand-overs, holes in the rota, both nights when the clocks change.

    Why these looks cover every second: whether a request has an owner who can answer, or an alarm, is read from its rows
    alone; no clock enters into it (`look`). Rows change only when a transaction commits, and two things commit: what a
    person does, and a round of `watching.watch`. A round that finds nothing due writes nothing (its own test says so),
    and something is due only from one of the moments that `due` lists on: a slot that begins or ends, a delay to take
    that runs out, a re-evaluation, a hand-over that nobody accepts, a step of an alarm. So the days are walked
    from one such moment (or act of a person) to the next, none is jumped over, and each is looked at one second before,
    before and after the round, and one second after. Between two of them nothing can commit, and the look after the one
    holds until the second before the other: both ends are looked at, and random seconds in between.
    """
    clock = [start]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    chance = random.Random(start.month)
    days = Days(clock, chance)
    acts = sorted(start + timedelta(seconds=chance.randrange(1, int(SPAN.total_seconds()))) for _one in range(ACTIONS))
    calm = {start + timedelta(seconds=chance.randrange(int(SPAN.total_seconds()))) for _one in range(25)}
    seen = {"owned": 0, "alarm": 0}
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
    assert min(seen.values()) > 0, seen
    happened = set(Event.objects.order_by().values_list("verb", flat=True).distinct())
    assert happened >= {"take", "escalated", "hand_over_proposed", "nobody_told", "advise"}, happened
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
        self.clock, self.chance = clock, chance
        self.scene = make_home(now=clock[0])
        OnCallSlot.objects.all().delete()
        place = make_establishment("Hôpital de l’Orme", kind="hospital")
        self.day, backup = make_service(Need.GERIATRIC, place), make_service(Need.GERIATRIC, place)
        self.pool = [make_practitioner(place) for _one in range(5)]
        for service in (self.day, backup, self.scene.service):
            for member in self.pool:
                join(service, member)
        self.scene.home.cover.delete()
        cover(self.scene.home, self.day, backup)
        at = clock[0]
        while at < clock[0] + SPAN:
            until = next_boundary(at)
            for service in (self.day, backup, self.scene.service):
                if chance.random() < 0.7:  # the others are holes
                    first, second = chance.sample(self.pool, 2)
                    make_slot(service, first, at, until, backup=second if chance.random() < 0.5 else None)
            if chance.random() < 0.4:
                make_slot(self.scene.samu, self.scene.regulator, at, until)
            at = until
        slots = OnCallSlot.objects.order_by().values_list("starts_at", "ends_at")
        self.boundaries = sorted({one for slot in slots for one in slot})

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

    def act(self) -> None:
        """One thing that somebody does in the nursing home, at an on-call or in a rota."""
        kind = self.chance.choice(KINDS)
        doing: dict[str, Callable[[], Any]] = {
            "ask": self.ask,
            "absent": self.absent,
            "swap": self.swap,
            "leave": self.leave,
        }
        doing.get(kind, lambda: self.answer(kind))()

    def ask(self) -> None:
        if Request.objects.filter(state__in=OPEN).count() < BUSY:
            urgency = self.chance.choice(["vitale", "urgente", "rapide", "differee"])
            make_request(self.scene, make_patient(seen_by=self.scene.home), urgence=urgency)

    def answer(self, kind: str) -> None:
        rows = Request.objects.filter(state__in=OPEN).order_by("submitted_at", "pk")
        users = [one.user for one in self.pool]
        waiting = rows.filter(state__in=WAITING).first()
        held = rows.filter(state="prise-en-charge", responsible__in=users).first()
        ready = rows.filter(state__in=["a-reevaluer", "orientation-en-cours"]).first()
        proposed = HandOver.objects.filter(accepted_at=None, dropped_at=None, taking__in=users).first()
        if kind == "take" and waiting:
            taking = self.chance.choice(users).pk if waiting.responsible is None else waiting.responsible_id
            doctor = self.actor(taking)
            if doctor and owning.may.can_take(doctor, waiting):
                owning.take(actor=doctor, demand=waiting)
        elif kind == "decide" and held:
            code = self.chance.choice(["maintien-surveillance", "had"])
            later = timezone.now() + timedelta(hours=4)
            deciding.decide(
                actor=self.actor(held.responsible_id), demand=held,
                advice=Advice(code, "maximal", "Vu.", "oui", review_at=later),
            )  # fmt: skip
        elif kind == "close" and ready:
            deciding.close(actor=self.scene.nurse_actor, demand=ready, why="stabilise")
        elif kind == "samu" and held:
            owning.redirect(actor=self.scene.nurse_actor, demand=held)
        elif kind == "accept" and proposed:
            handing.accept(actor=self.actor(proposed.taking_id), hand_over=proposed)

    def actor(self, user_id: Any) -> Any:
        members = [*self.pool, self.scene.regulator, self.scene.doctor, self.scene.colleague]
        found = next((one for one in members if one.user_id == user_id), None)
        return actor_for(found) if found else None

    def absent(self) -> None:
        slot = self._coming().first()
        if slot:
            OnCallSlot.objects.filter(pk=slot.pk).update(state="absent")
            changes.tell(slot.service_id)

    def swap(self) -> None:
        slot = self._coming().filter(backup=None).first()
        if slot:
            OnCallSlot.objects.filter(pk=slot.pk).delete()
            others = [one for one in self.pool if one.user_id != slot.user_id]
            make_slot(slot.service, self.chance.choice(others), slot.starts_at, slot.ends_at)
            changes.tell(slot.service_id)

    def leave(self) -> None:
        member = self.chance.choice(self.pool)
        there = PoolMember.objects.filter(user=member.user, service=self.day, until=None)
        if not there.update(until=timezone.now()):
            join(self.day, member)
        changes.tell(self.day.pk)

    def _coming(self) -> Any:
        return OnCallSlot.objects.filter(ends_at__gt=timezone.now()).order_by("starts_at", "pk")
