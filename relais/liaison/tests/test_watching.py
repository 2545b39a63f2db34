"""Clocks, escalation, the hand-over, and an owner at every second (FG-08, FG-10, D10)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.directory.models import Need
from relais.dossiers.models import Event
from relais.liaison import delays, messages
from relais.liaison.actions import deciding, handing, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import HandOver, Request
from relais.liaison.testing import make_home, make_request, relieved, taken
from relais.notifications.models import Message
from relais.oncall import changes
from relais.oncall.hours import next_boundary
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.testing import join, make_service, make_slot
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
    assert "Demandes que personne n’a" in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()
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


def test_a_request_that_cannot_be_rerouted_undoes_neither_the_change_of_the_rota_nor_the_others(monkeypatch):
    scene = make_home()
    broken, other = make_request(scene), make_request(scene, make_patient(seen_by=scene.home))
    ask_next = owning.ask_next

    def ask(*, demand_id, **given):
        if demand_id == broken.pk:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return ask_next(demand_id=demand_id, **given)

    monkeypatch.setattr(owning, "ask_next", ask)
    PoolMember.objects.filter(user=scene.doctor.user).update(until=timezone.now())
    changes.tell(scene.service.pk)
    assert not PoolMember.objects.filter(user=scene.doctor.user, until=None).exists()
    left, moved = (Request.objects.get(pk=one.pk).responsible for one in (broken, other))
    assert (left, moved) == (scene.doctor.user, scene.regulator.user)
    monkeypatch.undo()
    watching.watch(timezone.now())
    assert Request.objects.get(pk=broken.pk).responsible == scene.regulator.user


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


def late(*people):
    """What each was told of a delay that ran out."""
    return [[kind for kind in told(one.user) if kind != "liaison.asked"] for one in people]


def wanted(kind, user):
    return messages.TEXTS[kind].still_wanted(Message.objects.get(type=kind, holder_id=user.pk))


@pytest.mark.req("FG-08", "FG-10")
def test_what_was_passed_on_and_not_taken_is_told_to_its_doctor_then_to_who_could_take_it_and_stays():
    scene = make_home()
    place = make_establishment("Hôpital du Frêne", kind="hospital")
    mobile, manager = make_service(Need.MOBILE, place), make_member(place, Role.MANAGER)
    there, away = make_practitioner(place), make_practitioner(place)
    for member in (there, away):
        join(mobile, member)
    now = timezone.now()
    make_slot(mobile, there, now - MINUTE, now + timedelta(hours=8))
    moved = owning.transfer(actor=scene.doctor_actor, demand=taken(scene), service=mobile)
    people = (scene.doctor, there, away, manager, scene.regulator)
    for minutes, said in (
        (29, [[], [], [], [], []]),
        (30, [["liaison.late"], [], [], [], []]),
        (59, [["liaison.late"], [], [], [], []]),
        (60, [["liaison.late"], ["liaison.untaken"], [], ["liaison.untaken_here"], []]),
        (90, [["liaison.late"], ["liaison.untaken"], [], ["liaison.untaken_here"], []]),
    ):
        for _twice in range(2):
            watching.watch(moved.asked_at + minutes * MINUTE)
        assert late(*people) == said, minutes
    assert Request.objects.get().responsible == scene.doctor.user
    link = Message.objects.get(type="liaison.untaken_here").context["link"]
    assert client_of(manager).get("/" + link.split("/", 3)[3]).status_code == 200
    page = client_of(scene.doctor).get(f"/liaison/{moved.pk}/").content.decode()
    assert "Demande toujours pas prise" in page
    kinds = {"liaison.untaken": there.user, "liaison.untaken_here": manager.user}
    assert all(wanted(kind, user) for kind, user in kinds.items())
    owning.take(actor=actor_for(there), demand=moved)
    assert not any(wanted(kind, user) for kind, user in kinds.items())


@pytest.mark.req("FG-08", "FG-10")
def test_the_opinion_of_what_was_passed_on_and_not_taken_has_its_clock_and_is_told_once():
    """A vital request that a SAMU does not press: its doctor, then whoever could take it, then the same for the opinion."""
    scene = make_home()
    moved = owning.redirect(actor=scene.doctor_actor, demand=taken(scene, urgence="vitale"))
    sent = moved.submitted_at
    Request.objects.update(asked_at=sent + 2 * MINUTE)
    for minutes, first, second in (
        (7, ["liaison.late"], []),
        (12, ["liaison.late"], ["liaison.untaken"]),
        (15, ["liaison.late", "liaison.awaited"], ["liaison.untaken"]),
        (20, ["liaison.late", "liaison.awaited"], ["liaison.untaken", "liaison.help"]),
        (300, ["liaison.late", "liaison.awaited"], ["liaison.untaken", "liaison.help"]),
    ):
        watching.watch(sent + minutes * MINUTE)
        assert late(scene.doctor, scene.regulator) == [first, second], minutes
    assert (wanted("liaison.awaited", scene.doctor.user), wanted("liaison.help", scene.regulator.user)) == (True, True)


@pytest.mark.req("FG-08")
def test_of_an_opinion_that_was_late_already_only_the_taking_is_told_once_it_is_passed_on():
    scene = make_home()
    demand = taken(scene, urgence="urgente")
    for minutes in (60, 75):
        watching.watch(demand.submitted_at + minutes * MINUTE)
    moved = owning.redirect(actor=scene.doctor_actor, demand=demand)
    passed = moved.submitted_at + 80 * MINUTE
    Request.objects.update(asked_at=passed)
    for minutes in (15, 30, 300):
        watching.watch(passed + minutes * MINUTE)
    assert late(scene.doctor, scene.regulator) == [["liaison.awaited", "liaison.late"], ["liaison.untaken"]]


@pytest.mark.req("FG-08")
def test_what_was_passed_on_after_its_opinion_is_late_only_to_be_taken():
    scene = make_home()
    demand = taken(scene, urgence="vitale")
    advice = Advice(code="maintien-surveillance", care_level="maximal", justification="Stable.", family="oui")
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    moved = owning.redirect(actor=scene.doctor_actor, demand=demand)
    watching.watch(moved.asked_at + 300 * MINUTE)
    assert late(scene.doctor, scene.regulator) == [["liaison.late"], ["liaison.untaken"]]


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


def promise(scene, demand, at):
    """The doctor decides, and looks again at this moment."""
    advice = Advice(
        code="maintien-surveillance", care_level="maximal", justification="Stable.", family="oui", review_at=at
    )
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)


@pytest.mark.req("FG-08")
@pytest.mark.parametrize(("urgency", "after"), [("vitale", 15), ("urgente", 30), ("rapide", 60), ("differee", 120)])
def test_a_promised_reevaluation_that_is_not_made_is_told_to_who_could_help_once_for_each_promised_hour(urgency, after):
    scene = make_home()
    manager = make_member(scene.service.establishment, Role.MANAGER)
    helpers = {"liaison.review_help": scene.colleague.user, "liaison.review_help_here": manager.user}
    demand, at = taken(scene, urgence=urgency), timezone.now() + timedelta(hours=4)
    promise(scene, demand, at)
    for minutes, told_of in ((0, 0), (after - 1, 0), (after, 1), (after + 1, 1), (after + 300, 1)):
        watching.watch(at + minutes * MINUTE)
        assert [told(user).count(kind) for kind, user in helpers.items()] == [told_of] * 2, minutes
    assert told(scene.doctor.user).count("liaison.review") == 1
    assert Request.objects.get().responsible == scene.doctor.user, "it stays with its doctor"
    page = client_of(scene.doctor).get(f"/liaison/{demand.pk}/").content.decode()
    assert "Réévaluation pas encore faite" in page
    link = Message.objects.get(type="liaison.review_help_here").context["link"]
    assert client_of(manager).get("/" + link.split("/", 3)[3]).status_code == 200
    assert wanted("liaison.review", scene.doctor.user)
    assert all(wanted(kind, user) for kind, user in helpers.items())
    promise(scene, demand, at)
    assert not wanted("liaison.review", scene.doctor.user)
    assert not any(wanted(kind, user) for kind, user in helpers.items()), "it was made"
    watching.watch(at + (after - 1) * MINUTE)
    assert [told(user).count(kind) for kind, user in helpers.items()] == [1, 1]
    watching.watch(at + after * MINUTE)
    assert [told(user).count(kind) for kind, user in helpers.items()] == [2, 2], "a new promised hour begins anew"


@pytest.mark.req("FG-08")
def test_a_reevaluation_that_is_made_in_its_delay_is_told_to_nobody_else():
    scene = make_home()
    demand, at = taken(scene), timezone.now() + timedelta(hours=4)
    promise(scene, demand, at)
    watching.watch(at)
    promise(scene, demand, at + timedelta(hours=4))
    watching.watch(at + timedelta(hours=3))
    assert told(scene.colleague.user) == []


@pytest.mark.req("FG-10", "D10")
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
    refused = leaving.post(f"/liaison/releves/{found.pk}/", {**said, "situation": " "})
    assert (refused.status_code, 'href="#h-situation"' in refused.content.decode()) == (422, True)
    assert coming.get(f"/liaison/releves/{found.pk}/").status_code == 404
    assert "Rappeler à 22 h." in coming.get(f"/liaison/{demand.pk}/").content.decode()
    lists = [one.get("/liaison/astreinte/").content.decode() for one in (coming, leaving)]
    assert ["Accepter la relève" in page for page in lists] == [True, False], "what is expected, of whom"
    assert ["Relève à accepter : VASSEUR" in page for page in lists] == [True, False], "it rings"
    assert coming.post(f"/liaison/releves/{found.pk}/accepter/").status_code == 302
    assert Request.objects.get().responsible == scene.colleague.user
    with pytest.raises(Refused, match=scene.colleague.user.full_name):
        handing.accept(actor=scene.doctor_actor, hand_over=found)


@pytest.mark.req("FG-10", "D10")
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
    assert "Relèves à accepter" in client_of(scene.regulator).get("/liaison/astreinte/").content.decode()
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
