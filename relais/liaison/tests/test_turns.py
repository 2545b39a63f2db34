"""Asked in turn, looked at again, relieved: what the minute watch does, and what it must leave alone (FG-08, FG-10)."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for, client_of, make_member, make_practitioner
from relais.liaison import messages
from relais.liaison.actions import deciding, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import Request
from relais.liaison.testing import make_home, make_request, open_hand_overs, taken
from relais.notifications.models import Message
from relais.oncall.actions import pool
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.testing import join, make_slot
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def told(user, key):
    return Message.objects.filter(holder_id=user.pk, type=key).count()


def wanted(key, member):
    """Whether the last message of this type to them would still be sent."""
    message = Message.objects.filter(type=key, holder_id=member.user_id).order_by("created_at", "pk").last()
    return bool(message and messages.TEXTS[key].still_wanted(message))


def advice(code="maintien-surveillance", hours=4):
    at = timezone.now() + timedelta(hours=hours) if hours else None
    return Advice(code=code, care_level="maximal", justification="Stable.", family="oui", review_at=at)


def waits_for_a_lock():
    """Some other connection of this database waits for a row that is held; ten seconds at most."""
    with connection.cursor() as cursor:
        for _turn in range(500):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return True
            time.sleep(0.02)
    return False


def beside(action):
    """A thread that does this on a connection of its own."""

    def run():
        try:
            action()
        finally:
            connections.close_all()

    return threading.Thread(target=run)


@pytest.mark.req("FG-08")
@pytest.mark.django_db(transaction=True)
def test_the_watch_leaves_a_request_to_the_doctor_who_takes_it_in_the_same_second():
    scene = make_home()
    demand = make_request(scene)
    watch = beside(lambda: watching.watch(demand.asked_at + 30 * MINUTE))
    with transaction.atomic():
        owning.take(actor=actor_for(scene.colleague), demand=demand)
        watch.start()  # sees it as it was before: late, and waits for the row
        assert waits_for_a_lock()
    watch.join()
    found = Request.objects.get()
    assert (found.state, found.responsible) == ("prise-en-charge", scene.colleague.user)
    assert told(scene.regulator.user, "liaison.asked") == 0


@pytest.mark.parametrize("why", ["late", "gone", "nobody", "rota"])
def test_nobody_else_is_asked_once_the_reason_is_gone(why):
    scene = make_home()
    waiting, held = make_request(scene, make_patient(seen_by=scene.home)), taken(scene)
    for demand in (waiting, held):
        owning.ask_next(demand_id=demand.pk, now=timezone.now(), why=why)
        assert Request.objects.get(pk=demand.pk).responsible == scene.doctor.user
    owning.ask_next(demand_id=waiting.pk, now=waiting.asked_at + 30 * MINUTE, why="late")
    assert Request.objects.get(pk=waiting.pk).responsible == scene.regulator.user


@pytest.mark.req("FG-08")
@pytest.mark.parametrize("code", ["had", "admission-directe-geriatrie", "urgences-via-samu"])
def test_the_hour_promised_with_a_decision_that_takes_the_resident_elsewhere_is_kept(code):
    scene = make_home()
    demand = taken(scene)
    said = {
        "code": code, "care_level": "maximal", "justification": "Nécessaire.", "family": "oui", "plan": "", "review": "4",
    }  # fmt: skip
    assert client_of(scene.doctor).post(f"/liaison/{demand.pk}/decision/", said).status_code == 302
    found = Request.objects.get()
    assert (found.state, found.deadline) == ("orientation-en-cours", found.review_at)
    for _twice in range(2):
        watching.watch(found.review_at)
    assert told(scene.doctor.user, "liaison.review") == 1
    Request.objects.update(review_at=timezone.now() - MINUTE)
    assert "Demande à prendre" in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()  # it rings


@pytest.mark.req("FG-08", "FG-09")
@pytest.mark.parametrize("code", ["had", "admission-directe-geriatrie", "urgences-via-samu"])
def test_a_decision_that_takes_the_resident_elsewhere_has_an_hour_which_is_proposed(code):
    """Otherwise nobody hears of a resident whom no ambulance came for."""
    scene = make_home()
    demand = taken(scene)
    doctor, url = client_of(scene.doctor), f"/liaison/{demand.pk}/decision/"
    said = {"code": code, "care_level": "maximal", "justification": "Oui", "family": "non", "review": "0"}
    page = doctor.post(url, said)
    drawn = page.content.decode()
    assert (page.status_code, Request.objects.get().state) == (422, "prise-en-charge")
    assert "choisissez quand vérifier où il en est" in drawn
    assert ('<option value="2" selected' in drawn, '<option value="0" selected' in drawn) == (True, False)
    assert doctor.post(url, {**said, "review": "2"}).status_code == 302
    found = Request.objects.get()
    assert (found.state, found.deadline) == ("orientation-en-cours", found.review_at)
    watching.watch(found.review_at + timedelta(hours=1))
    kinds = set(Message.objects.order_by("pk").values_list("type", flat=True))
    assert kinds >= {"liaison.review", "liaison.review_help"}


def test_nothing_is_looked_at_again_of_somebody_who_died_before_they_could_leave():
    scene = make_home()
    demand = taken(scene)
    scene.resident.deceased_on = timezone.localdate()
    scene.resident.save()
    said = {"code": "had", "care_level": "maximal", "justification": "Oui", "family": "non", "review": "0"}
    assert client_of(scene.doctor).post(f"/liaison/{demand.pk}/decision/", said).status_code == 302


@pytest.mark.req("FG-08")
def test_the_hour_promised_outlives_a_complement_that_is_asked_and_given():
    scene = make_home()
    demand = taken(scene)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice())
    at = Request.objects.get().review_at
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/ask/", {"text": "Diurèse ?"})
    assert Request.objects.get().deadline == at
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/give/", {"text": "Conservée."})
    found = Request.objects.get()
    assert (found.state, found.deadline) == ("prise-en-charge", at)
    watching.watch(at - MINUTE)
    assert told(scene.doctor.user, "liaison.review") == 0
    watching.watch(at)
    watching.watch(at + MINUTE)
    assert told(scene.doctor.user, "liaison.review") == 1
    deciding.decide(actor=scene.doctor_actor, demand=found, advice=advice(hours=0))
    assert Request.objects.get().deadline is None


@pytest.mark.req("FG-08")
def test_what_nobody_took_goes_on_asking_once_it_is_passed_to_the_samu():
    """The SAMU first, then the others of the route, then the alarm."""
    scene = make_home()
    demand = make_request(scene)
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/redirect/")
    at = Request.objects.get().asked_at
    watching.watch(at + 29 * MINUTE)
    assert Request.objects.get().responsible == scene.doctor.user
    watching.watch(at + 30 * MINUTE)
    found = Request.objects.get()
    assert (found.state, found.responsible, found.service) == ("redirigee-samu", scene.regulator.user, scene.samu)
    watching.watch(at + 61 * MINUTE)
    assert Request.objects.get().unowned_since is not None


def test_what_was_taken_and_passed_to_the_samu_stays_with_its_doctor():
    scene = make_home()
    demand = owning.redirect(actor=scene.nurse_actor, demand=taken(scene))
    watching.watch(demand.asked_at + 31 * MINUTE)
    assert Request.objects.get().responsible == scene.doctor.user
    assert told(scene.doctor.user, "liaison.late") == 1
    assert OnCallSlot.objects.count() == 2


def test_who_gets_what_a_doctor_who_left_had_passed_on_is_told_when_it_waits_too_long():
    """That the one before was told of it counts for nobody else."""
    scene = make_home()
    demand = owning.redirect(actor=scene.nurse_actor, demand=taken(scene))
    watching.watch(demand.asked_at + 31 * MINUTE)
    referent = make_member(scene.service.establishment, "manager")
    left = PoolMember.objects.get(user=scene.doctor.user)
    pool.remove_member(actor=actor_for(referent), service=scene.service, member=left)
    found = Request.objects.get()
    assert (found.state, found.responsible) == ("redirigee-samu", scene.regulator.user)
    watching.watch(found.asked_at + 31 * MINUTE)
    assert told(scene.regulator.user, "liaison.late") == 1


EVENING, MORNING = (
    datetime(2026, 11, 25, 18, tzinfo=UTC),
    datetime(2026, 11, 26, 7, tzinfo=UTC),
)  # 19:00 and 08:00 in Paris


def handing_over(clock, at, until):
    """A request whose hand-over is proposed at this moment to the colleague, on duty until another; a third doctor comes."""
    clock[0] = at - timedelta(hours=1)
    scene = make_home(now=clock[0])
    taken(scene)
    third = make_practitioner(scene.service.establishment, family_name="Troisième")
    join(scene.service, third)
    OnCallSlot.objects.filter(user=scene.doctor.user).update(ends_at=at)
    make_slot(scene.service, scene.colleague, at, until)
    clock[0] = at
    watching.watch(at)
    assert open_hand_overs().get().taking == scene.colleague.user
    return scene, third


@pytest.mark.req("FG-10", "D10")
@pytest.mark.parametrize(("at", "until"), [(EVENING, MORNING), (MORNING, MORNING + timedelta(hours=11))])
def test_a_hand_over_that_was_missed_is_proposed_to_whoever_comes_at_8_or_19_with_its_text_and_an_alarm_of_its_own(
    at, until, clock
):
    scene, third = handing_over(clock, at, until)
    make_slot(scene.service, third, until, until + timedelta(hours=11))
    missed = open_hand_overs().get()
    said = {"situation": "Fièvre, stable.", "assessment": "Foyer droit.", "read": missed.assessment}
    assert client_of(scene.doctor).post(f"/liaison/releves/{missed.pk}/", said).status_code == 302
    watching.watch(until - SECOND)
    assert open_hand_overs().get().pk == missed.pk, "they are on duty until then"
    for clock[0] in (until, until + MINUTE):
        watching.watch(clock[0])
    found = open_hand_overs().get()
    assert (found.leaving, found.taking) == (scene.doctor.user, third.user)
    assert (found.due_at, found.alarmed_at) == (until, None)
    assert (found.situation, found.assessment) == ("Fièvre, stable.", "Foyer droit.")
    assert told(third.user, "liaison.hand_over") == 1
    assert not wanted("liaison.hand_over", scene.colleague)
    lists = [client_of(one).get("/liaison/astreinte/").content.decode() for one in (third, scene.colleague)]
    assert ["Relève à accepter : VASSEUR" in page for page in lists] == [True, False], "it rings"
    page = [client_of(one).get("/liaison/releves/").content.decode() for one in (third, scene.colleague)]
    assert ["Fièvre, stable." in one for one in page] == [True, False]
    watching.watch(until + 15 * MINUTE)
    assert open_hand_overs().get().alarmed_at == until + 15 * MINUTE
    client_of(scene.colleague).post(f"/liaison/releves/{missed.pk}/accepter/")
    assert Request.objects.get().responsible == scene.doctor.user, "theirs until another accepts"
    assert client_of(third).post(f"/liaison/releves/{found.pk}/accepter/").status_code == 302
    assert Request.objects.get().responsible == third.user


@pytest.mark.req("FG-10", "D10")
@pytest.mark.parametrize("why", ["absent", "pool", "establishment"])
@pytest.mark.parametrize("stands_in", [True, False])
def test_a_hand_over_to_a_doctor_who_is_absent_or_left_is_proposed_at_once_to_the_next_one_else_to_nobody(
    why, stands_in, clock
):
    scene, third = handing_over(clock, EVENING, MORNING)
    OnCallSlot.objects.filter(service=scene.samu).delete()
    if stands_in:
        make_slot(scene.service, third, EVENING, MORNING)
    watching.watch(EVENING + MINUTE)
    assert open_hand_overs().get().taking == scene.colleague.user, "they are on duty"
    if why == "absent":
        slot = OnCallSlot.objects.get(user=scene.colleague.user)
        assert client_of(scene.colleague).post(f"/astreintes/creneaux/{slot.pk}/mark_absent/").status_code == 302
    elif why == "pool":
        referent = actor_for(make_member(scene.service.establishment, "manager"))
        member = PoolMember.objects.get(user=scene.colleague.user)
        pool.remove_member(actor=referent, service=scene.service, member=member)
    else:
        Membership.objects.filter(pk=scene.colleague.pk).update(ended_at=clock[0])
    at = EVENING + 10 * MINUTE
    for moment in (at, at + MINUTE, at + 14 * MINUTE):
        watching.watch(moment)
    found = open_hand_overs().get()
    assert (found.taking, found.due_at) == (third.user if stands_in else None, at)
    assert found.alarmed_at is None
    assert told(third.user, "liaison.hand_over") == stands_in
    assert Request.objects.get().responsible == scene.doctor.user
    watching.watch(at + 15 * MINUTE)
    assert open_hand_overs().get().alarmed_at == at + 15 * MINUTE


@pytest.mark.req("FG-10", "D10")
def test_a_hand_over_ends_unaccepted_once_whoever_has_the_request_is_on_duty_again(clock):
    scene, _third = handing_over(clock, EVENING, MORNING)
    make_slot(scene.service, scene.doctor, MORNING, MORNING + timedelta(hours=11))
    for clock[0] in (MORNING, MORNING + 15 * MINUTE):
        watching.watch(clock[0])
    assert not open_hand_overs().exists()
    assert Request.objects.get().responsible == scene.doctor.user
    words = client_of(scene.doctor).get(f"/liaison/{Request.objects.get().pk}/").content.decode()
    assert "Relève sans objet" in words
    clock[0] = MORNING + timedelta(hours=11)
    watching.watch(clock[0])
    assert open_hand_overs().get().leaving == scene.doctor.user, "and begins again with the end of that shift"


@pytest.mark.req("FG-10", "D10")
def test_the_alarm_of_a_hand_over_is_given_each_hour_to_both_doctors_and_the_referent_until_it_is_accepted(clock):
    scene, _third = handing_over(clock, EVENING, MORNING)
    referent = make_member(scene.service.establishment, "manager")
    elsewhere = make_member(scene.samu.establishment, "manager")

    def alarms():
        both = (scene.doctor, "liaison.late"), (scene.colleague, "liaison.hand_over")
        return [told(one.user, key) for one, key in (*both, (referent, "liaison.hand_over_here"))]

    assert alarms() == [0, 1, 0], "proposed"
    for times, minute in enumerate((15, 75, 135), 1):
        for clock[0] in (EVENING + (minute - 1) * MINUTE, EVENING + minute * MINUTE):
            watching.watch(clock[0])
            given = times - (clock[0] < EVENING + minute * MINUTE)
            assert alarms() == [given, 1 + given, given]
    assert open_hand_overs().get().alarmed_at == EVENING + 135 * MINUTE
    assert (told(scene.regulator.user, "liaison.asked"), told(elsewhere.user, "liaison.hand_over_here")) == (1, 0)
    link = Message.objects.filter(type="liaison.hand_over_here")[0].context["link"]
    assert client_of(referent).get("/" + link.split("/", 3)[3]).status_code == 200
    people = {"liaison.hand_over": scene.colleague, "liaison.hand_over_here": referent}
    assert all(wanted(key, one) for key, one in people.items())
    client_of(scene.colleague).post(f"/liaison/releves/{open_hand_overs().get().pk}/accepter/")
    assert not any(wanted(key, one) for key, one in people.items())
    watching.watch(EVENING + 195 * MINUTE)
    assert alarms() == [3, 4, 3]
