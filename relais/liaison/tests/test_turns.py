"""Asked in turn, looked at again, relieved: what the minute watch does, and what it must leave alone (FG-08, FG-10)."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_member
from relais.liaison.actions import deciding, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import Request
from relais.liaison.testing import make_home, make_request, taken
from relais.notifications.models import Message
from relais.oncall.actions import pool
from relais.oncall.models import OnCallSlot, PoolMember
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def told(user, key):
    return Message.objects.filter(holder_id=user.pk, type=key).count()


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
