"""What rings on every page of whoever is on call for liaison, and of the nursing home (FG-10)."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_member, make_practitioner
from relais.liaison.actions import notes
from relais.liaison.models import Code, Decision, HandOver, Request
from relais.liaison.testing import make_home, make_request
from relais.oncall import bells
from relais.oncall.models import OnCallSlot
from relais.patients.testing import make_patient
from relais.rooms.models import Peer, Room

pytestmark = [pytest.mark.django_db, pytest.mark.req("FG-10")]
ALERTS, ANYWHERE = "/salles-esms/alerte", "/annuaire/"
MARK = re.compile(r'data-waiting="([0-9a-f-]{36})"')
HOUR = timedelta(hours=1)


def bar_and_page(member, url=ANYWHERE):
    bar, _main, page = client_of(member).get(url).content.decode().partition("<main")
    return bar, page


def rings(member):
    return set(MARK.findall(bar_and_page(member)[0]))


def test_on_every_page_those_on_duty_hear_of_an_urgent_request_until_it_is_taken_and_nobody_else():
    """Without the resident's name."""
    scene = make_home()
    demand = make_request(scene, urgence="vitale")
    for member in (scene.doctor, scene.regulator):
        for heard in (bar_and_page(member)[0], client_of(member).get(ALERTS).content.decode()):
            assert ("Vitale, " in heard, str(demand.pk) in heard, "(+" in heard) == (True, True, False)
            assert scene.resident.birth_family_name.upper() not in heard.upper()
    manager = make_member(scene.service.establishment, Role.MANAGER)
    for other in (scene.colleague, scene.nurse, make_practitioner(), manager):
        assert str(demand.pk) not in rings(other)
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/take/")
    assert (rings(scene.doctor), rings(scene.regulator)) == (set(), set())


def test_what_can_wait_rings_for_nobody_and_a_second_urgent_one_is_counted():
    scene = make_home()
    make_request(scene, make_patient("Calme", seen_by=scene.home), urgence="rapide")
    assert not rings(scene.doctor)
    for name in ("Un", "Deux"):
        make_request(scene, make_patient(name, seen_by=scene.home), urgence="urgente")
    assert "(+1)" in bar_and_page(scene.doctor)[0]


def test_whoever_stands_behind_a_slot_hears_and_the_whole_pool_where_nobody_is_in_the_rota():
    scene = make_home()
    demand = make_request(scene, urgence="urgente")
    slots = OnCallSlot.objects.filter(service=scene.service)
    for change, heard in (({"backup": scene.colleague.user}, True), ({"backup": None}, False)):
        slots.update(**change)
        assert (str(demand.pk) in rings(scene.colleague)) is heard
    slots.update(state="absent")
    assert str(demand.pk) not in rings(scene.doctor), "declared absent"
    slots.delete()
    assert str(demand.pk) in rings(scene.colleague)


def test_where_list_and_top_bar_stand_together_each_thing_rings_under_one_mark():
    """A request to take, an hour that has come, a hand-over, an urgent note, somebody in the room, an opinion to read."""
    scene = make_home()
    make_request(scene, urgence="vitale")
    people = [make_patient(name, seen_by=scene.home) for name in ("Heure", "Note", "Visio", "Orpheline", "Relève")]
    due, noted, called, orphan, handed = (make_request(scene, one, urgence="rapide") for one in people)
    held = {"state": "prise-en-charge", "responsible": scene.doctor.user}
    Request.objects.filter(pk=due.pk).update(**held, review_at=timezone.now())
    Decision.objects.create(
        demand=due,
        by=scene.doctor.user,
        responsible=scene.doctor.user,
        code=Code.DEATH,
        justification="x",
        family="oui",
    )
    Request.objects.filter(pk=noted.pk).update(**held)
    Request.objects.filter(pk=orphan.pk).update(responsible=None, unowned_since=timezone.now())
    Request.objects.filter(pk=handed.pk).update(state="prise-en-charge", responsible=scene.colleague.user)
    HandOver.objects.create(
        demand=handed, leaving=scene.colleague.user, taking=scene.doctor.user, due_at=timezone.now(), situation="x",
        service=scene.service,
    )  # fmt: skip
    notes.write(actor=scene.nurse_actor, demand=noted, text="Elle désature.", urgent=True)
    client_of(scene.nurse).post(f"/liaison/{called.pk}/room/")
    Peer.objects.create(invitation=Room.objects.get().invitations.get())
    for member, url, count in ((scene.doctor, "/liaison/astreinte/", 6), (scene.nurse, "/liaison/residents/", 3)):
        bar, page = rings(member), set(MARK.findall(bar_and_page(member, url)[1]))
        assert bar == page, url
        assert len(bar) == count


def test_the_list_that_rings_by_itself_is_not_said_again_above_it():
    scene = make_home()
    demand = make_request(scene, urgence="vitale")
    bar, page = bar_and_page(scene.doctor, "/liaison/astreinte/")
    assert (str(demand.pk) in bar, str(demand.pk) in page) == (False, True)
    assert str(demand.pk) not in client_of(scene.doctor).get(f"{ALERTS}?lieu=list").content.decode()


def test_it_stands_above_a_video_call_and_opens_beside_it():
    scene = make_home()
    talked = make_request(scene, make_patient("Visio", seen_by=scene.home), urgence="rapide")
    demand = make_request(scene, urgence="vitale")
    client_of(scene.doctor).post(f"/liaison/{talked.pk}/room/")
    url = f"/liaison/{talked.pk}/visio/"
    above = client_of(scene.doctor).get(url).content.decode().partition('class="call-body"')[0]
    assert (str(demand.pk) in above, 'target="_blank"' in above.partition("call-trays")[2]) == (True, True)
    again = client_of(scene.doctor).get(f"{ALERTS}?lieu=call").content.decode()
    assert (str(demand.pk) in again, 'target="_blank"' in again) == (True, True)
    client_of(scene.nurse).post(f"/liaison/{talked.pk}/room/")
    assert str(demand.pk) not in client_of(scene.nurse).get(url).content.decode()


def queries(member):
    browser = client_of(member)
    browser.get(ANYWHERE)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(ANYWHERE).status_code == 200
    return len(caught)


def test_it_costs_one_query_to_those_on_call_however_much_rings_and_none_to_the_others(monkeypatch):
    scene = make_home()
    people = (scene.doctor, scene.nurse, scene.colleague, make_practitioner(), make_member(scene.home, Role.MANAGER))
    counts = []
    for heard in (False, True):
        with monkeypatch.context() as patch:
            if not heard:
                patch.setattr(bells, "_rings", {})
            counts.append([queries(one) for one in people])
    assert [more - less for less, more in zip(*counts, strict=True)] == [1, 1, 0, 0, 0]
    for name in ("Un", "Deux", "Trois"):
        made = make_request(scene, make_patient(name, seen_by=scene.home), urgence="vitale")
        notes.write(actor=scene.nurse_actor, demand=made, text="x", urgent=True)
    assert queries(scene.doctor) == counts[1][0]
