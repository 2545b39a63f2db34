"""Clocks, escalation, the hand-over, and an owner at every second (FG-08, FG-10, D10)."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_establishment, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.directory.models import Need
from relais.dossiers.models import Event
from relais.liaison import delays
from relais.liaison.actions import deciding, handing, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import HandOver, Request
from relais.liaison.testing import make_home, make_request, taken
from relais.liaison.workflow import OPEN, WAITING
from relais.notifications.models import Message
from relais.oncall import changes
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.queries import next_boundary
from relais.oncall.testing import cover, join, make_service, make_slot
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def told(user):
    return list(Message.objects.filter(holder_id=user.pk).order_by("created_at").values_list("type", flat=True))


@pytest.mark.parametrize(
    ("urgency", "take", "advise"), [("urgente", 15, 60), ("rapide", 30, 240), ("differee", 120, 1440)]
)
def test_the_targets_of_the_scheme(urgency, take, advise):
    """domain.md §3.4."""
    now = timezone.now()
    assert delays.take_by(urgency, now) == now + take * MINUTE
    assert delays.advise_by(urgency, now) == now + advise * MINUTE


def test_delays_run_over_the_clock_changes():
    """Fifteen minutes are fifteen minutes on both nights."""
    for moment in (datetime(2026, 10, 25, 0, 55, tzinfo=UTC), datetime(2027, 3, 28, 0, 55, tzinfo=UTC)):
        assert (delays.take_by("urgente", moment.astimezone(PARIS)) - moment) in (
            15 * MINUTE, 15 * MINUTE + timedelta(hours=1), 15 * MINUTE - timedelta(hours=1),
        )  # fmt: skip
        assert delays.take_by("urgente", moment) - moment == 15 * MINUTE


@pytest.mark.req("FG-08", "FG-10")
def test_what_nobody_takes_in_time_goes_to_the_next_one_then_to_an_alarm():
    scene = make_home()
    demand = make_request(scene)
    watching.watch(demand.asked_at + 29 * MINUTE)
    assert Request.objects.get().responsible == scene.doctor.user
    watching.watch(demand.asked_at + 30 * MINUTE)
    found = Request.objects.get()
    assert (found.responsible, found.service, found.state) == (scene.regulator.user, scene.samu, "soumise")
    assert told(scene.regulator.user) == ["liaison.asked"]
    assert client_of(scene.regulator).get(f"/liaison/{demand.pk}/").status_code == 200
    watching.watch(demand.asked_at + 45 * MINUTE)
    assert Request.objects.get().responsible == scene.regulator.user
    watching.watch(demand.asked_at + 61 * MINUTE)
    watching.watch(demand.asked_at + 62 * MINUTE)
    found = Request.objects.get()
    assert (found.responsible, found.unowned_since is not None) == (None, True)
    assert Event.objects.filter(verb="escalated").count() == 2
    assert "Une demande n’a personne" in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()
    owning.take(actor=scene.doctor_actor, demand=found)
    assert Request.objects.get().responsible == scene.doctor.user


def test_a_doctor_taken_off_the_rota_with_requests_in_hand_leaves_none_without_an_owner():
    scene = make_home()
    first, second = taken(scene), make_request(scene, make_patient(seen_by=scene.home))
    PoolMember.objects.filter(user=scene.doctor.user).update(until=timezone.now())
    changes.tell(scene.service.pk)
    for demand in Request.objects.filter(pk__in=[first.pk, second.pk]):
        assert demand.responsible == scene.regulator.user
    assert Event.objects.filter(verb="owner_gone").count() == 2


def test_a_replacement_is_asked_at_once_for_what_waits():
    scene = make_home()
    demand = make_request(scene)
    now = timezone.now()
    OnCallSlot.objects.filter(user=scene.doctor.user).update(state="absent")
    make_slot(scene.service, scene.colleague, now - MINUTE, now + timedelta(hours=6))
    changes.tell(scene.service.pk)
    demand.refresh_from_db()
    assert demand.responsible == scene.colleague.user
    assert told(scene.colleague.user) == ["liaison.asked"]


def test_what_was_passed_on_and_not_taken_stays_and_its_doctor_is_told_once():
    scene = make_home()
    demand = taken(scene)
    mobile = make_service(Need.MOBILE, make_establishment("Hôpital du Frêne", kind="hospital"))
    moved = owning.transfer(actor=scene.doctor_actor, demand=demand, service=mobile)
    for minutes in (31, 32, 90):
        watching.watch(moved.asked_at + minutes * MINUTE)
    assert Request.objects.get().responsible == scene.doctor.user
    assert told(scene.doctor.user).count("liaison.late") == 1


@pytest.mark.req("FG-08")
def test_a_reevaluation_comes_back_when_it_is_due_and_is_said_once():
    scene = make_home()
    demand = taken(scene)
    at = timezone.now() + timedelta(hours=4)
    advice = Advice(
        code="maintien-surveillance", care_level="maximal", justification="Stable.", family="oui", review_at=at
    )
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    watching.watch(at - MINUTE)
    assert "liaison.review" not in told(scene.doctor.user)
    watching.watch(at)
    watching.watch(at + MINUTE)
    assert told(scene.doctor.user).count("liaison.review") == 1
    Request.objects.update(review_at=timezone.now() - MINUTE)
    page = client_of(scene.doctor).get("/liaison/astreinte/").content.decode()
    assert "Demande à prendre" in page  # it rings
    assert "À réévaluer" in page


def relieved(scene, at):
    """The doctor's slot ends at this moment, a colleague's begins."""
    OnCallSlot.objects.filter(user=scene.doctor.user).update(ends_at=at)
    make_slot(scene.service, scene.colleague, at, at + timedelta(hours=13))


@pytest.mark.req("FG-10")
def test_the_hand_over_is_proposed_at_the_end_of_the_shift_and_stays_until_it_is_accepted():
    scene = make_home()
    demand = taken(scene)
    at = timezone.now() + timedelta(hours=1)
    relieved(scene, at)
    watching.watch(at - MINUTE)
    assert not HandOver.objects.exists()
    watching.watch(at)
    watching.watch(at + MINUTE)
    found = HandOver.objects.get()
    assert (found.leaving, found.taking, found.due_at) == (scene.doctor.user, scene.colleague.user, at)
    assert "VASSEUR Odette" in found.situation
    assert "NEWS2" in found.assessment
    assert "GIR : 2" in found.background
    assert Request.objects.get().responsible == scene.doctor.user
    leaving, coming = client_of(scene.doctor), client_of(scene.colleague)
    said = {"situation": "Fièvre, stable.", "background": "", "assessment": "", "recommendation": "Rappeler à 22 h."}
    assert leaving.get(f"/liaison/releves/{found.pk}/").status_code == 200
    assert leaving.post(f"/liaison/releves/{found.pk}/", said).status_code == 302
    assert leaving.post(f"/liaison/releves/{found.pk}/", {**said, "situation": " "}).status_code == 422
    assert coming.get(f"/liaison/releves/{found.pk}/").status_code == 404
    assert "Rappeler à 22 h." in coming.get(f"/liaison/{demand.pk}/").content.decode()
    assert coming.post(f"/liaison/releves/{found.pk}/accepter/").status_code == 302
    assert Request.objects.get().responsible == scene.colleague.user
    with pytest.raises(Refused, match=scene.colleague.user.full_name):
        handing.accept(actor=scene.doctor_actor, hand_over=found)


@pytest.mark.req("FG-10")
def test_a_hand_over_that_nobody_accepts_is_an_alarm_and_stays_with_the_doctor_who_leaves():
    scene = make_home()
    demand = taken(scene)
    at = timezone.now() + timedelta(hours=1)
    relieved(scene, at)
    watching.watch(at)
    watching.watch(at + 14 * MINUTE)
    assert not HandOver.objects.exclude(alarmed_at=None).exists()
    watching.watch(at + 15 * MINUTE)
    watching.watch(at + 16 * MINUTE)
    assert Event.objects.filter(verb="hand_over_late").count() == 1
    assert Request.objects.get().responsible == scene.doctor.user
    assert told(scene.doctor.user).count("liaison.late") == 1
    assert "Une relève n’est pas acceptée" in client_of(scene.regulator).get("/liaison/astreinte/").content.decode()
    assert client_of(scene.regulator).get(f"/liaison/{demand.pk}/").status_code == 200


def test_what_is_to_look_at_after_the_next_shift_is_not_handed_over():
    scene = make_home()
    demand = taken(scene)
    at = timezone.now() + timedelta(hours=1)
    later = next_boundary(at) + timedelta(hours=1)
    advice = Advice(
        code="maintien-surveillance", care_level="maximal", justification="Stable.", family="oui", review_at=later
    )
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    relieved(scene, at)
    watching.watch(at)
    assert not HandOver.objects.exists()


@pytest.mark.req("FG-08")
@pytest.mark.parametrize("start", [datetime(2026, 10, 22, 5, tzinfo=UTC), datetime(2027, 3, 25, 5, tzinfo=UTC)])
def test_over_seven_days_every_open_request_has_one_owner_or_an_open_alarm(start, monkeypatch):
    """Requests, swaps, absences, departures, hand-overs, holes in the rota, both clock changes: whatever was done, who has an
    open request is one doctor who can still answer, or an alarm; nothing changes between two of these moments."""
    clock = [start]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    chance = random.Random(start.month)
    scene = make_home(now=start)
    OnCallSlot.objects.all().delete()
    place = make_establishment("Hôpital de l’Orme", kind="hospital")
    day, backup = make_service(Need.GERIATRIC, place), make_service(Need.GERIATRIC, place)
    pool = [make_practitioner(place) for _one in range(5)]
    for service in (day, backup, scene.service):
        for member in pool:
            join(service, member)
    scene.home.cover.delete()
    cover(scene.home, day, backup)
    at = start
    while at < start + timedelta(days=7):
        until = next_boundary(at)
        for service in (day, backup, scene.service):
            if chance.random() < 0.75:  # the others are holes
                first, second = chance.sample(pool, 2)
                make_slot(service, first, at, until, backup=second if chance.random() < 0.5 else None)
        if chance.random() < 0.5:
            make_slot(scene.samu, scene.regulator, at, until)
        at = until
    seen = {"owned": 0, "alarm": 0}
    while clock[0] < start + timedelta(days=7):
        clock[0] += timedelta(minutes=chance.randrange(180, 420))
        for step in (lambda: something(scene, pool, day, chance),) * 2 + (lambda: watching.watch(clock[0]),):
            step()
            for demand in Request.objects.filter(state__in=OPEN):
                seen[owned(demand)] += 1
    assert min(seen.values()) > 0, seen
    assert HandOver.objects.exists()


def owned(demand):
    """Whether a request has an owner who can still answer, or an open alarm; never both, never neither."""
    assert (demand.responsible_id is None) != (demand.unowned_since is None)
    if demand.responsible_id is None:
        return "alarm"
    services = demand.dossier.participants.filter(until=None).values("service_id")
    here = PoolMember.objects.at_work().filter(service__in=services, user=demand.responsible_id)
    assert here.exists(), "whoever has it can still answer"
    return "owned"


def something(scene, pool, day, chance):
    """One thing that happens in a nursing home, at an on-call or in a rota."""
    kind = chance.choice(["ask", "ask", "take", "take", "decide", "close", "samu", "accept", "absent", "swap", "leave"])
    (in_rota if kind in ("absent", "swap", "leave") else in_request)(kind, scene, pool, day, chance)


def in_request(kind, scene, pool, _day, chance):
    rows = Request.objects.filter(state__in=OPEN).order_by("submitted_at", "pk")
    theirs = rows.filter(responsible__in=[one.user for one in pool])
    waiting, held = theirs.filter(state__in=WAITING).first(), theirs.filter(state="prise-en-charge").first()
    ready = rows.filter(state__in=["a-reevaluer", "orientation-en-cours"]).first()
    proposed = HandOver.objects.filter(accepted_at=None, dropped_at=None, taking__in=[one.user for one in pool]).first()
    if kind == "ask" and rows.count() < 5:
        make_request(scene, make_patient(seen_by=scene.home), urgence=chance.choice(["urgente", "rapide", "differee"]))
    elif kind == "take" and waiting:
        owning.take(actor=_actor(pool, waiting.responsible_id), demand=waiting)
    elif kind == "decide" and held:
        code = chance.choice(["maintien-surveillance", "had"])
        advice = Advice(code, "maximal", "Vu.", "oui", review_at=timezone.now() + timedelta(hours=4))
        deciding.decide(actor=_actor(pool, held.responsible_id), demand=held, advice=advice)
    elif kind == "close" and ready:
        deciding.close(actor=scene.nurse_actor, demand=ready, why="stabilise")
    elif kind == "samu" and held:
        owning.redirect(actor=scene.nurse_actor, demand=held)
    elif kind == "accept" and proposed:
        handing.accept(actor=_actor(pool, proposed.taking_id), hand_over=proposed)


def in_rota(kind, _scene, pool, day, chance):
    slots = OnCallSlot.objects.filter(ends_at__gt=timezone.now()).order_by("starts_at", "pk")
    slot, swapped, service_id = slots.first(), slots.filter(backup=None).first(), day.pk
    if kind == "absent" and slot:
        OnCallSlot.objects.filter(pk=slot.pk).update(state="absent")
        service_id = slot.service_id
    elif kind == "swap" and swapped:
        OnCallSlot.objects.filter(pk=swapped.pk).delete()
        others = [one for one in pool if one.user_id != swapped.user_id]
        make_slot(swapped.service, chance.choice(others), swapped.starts_at, swapped.ends_at)
        service_id = swapped.service_id
    elif kind == "leave":
        member = chance.choice(pool)
        if not PoolMember.objects.filter(user=member.user, service=day, until=None).update(until=timezone.now()):
            join(day, member)
    changes.tell(service_id)


def _actor(pool, user_id):
    return actor_for(next(one for one in pool if one.user_id == user_id))


def test_the_watch_leaves_a_quiet_request_alone():
    """Twice in a row it writes nothing more."""
    scene = make_home()
    taken(scene)
    now = timezone.now()
    watching.watch(now)
    before = Event.objects.count(), Message.objects.count()
    watching.watch(now + MINUTE)
    assert (Event.objects.count(), Message.objects.count()) == before
    assert SYSTEM_ACTOR.kind == "system"
