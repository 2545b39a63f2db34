"""What a list never leaves out, who is out of the room, what ends with a request (FG-07, FG-08)."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of
from relais.liaison import messages
from relais.liaison.actions import asking, deciding, owning, watching
from relais.liaison.forms import DecisionForm
from relais.liaison.models import HandOver, Request
from relais.liaison.queries import lists
from relais.liaison.testing import make_home, make_request, taken
from relais.liaison.tests.test_turns import advice, waits_for_a_lock
from relais.notifications.actions import outbox
from relais.notifications.models import Message
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.testing import make_slot
from relais.patients.testing import make_patient
from relais.rooms.models import Peer, Room
from relais.rooms.permissions import invitation_of

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.req("FG-08")
def test_a_long_list_leaves_out_the_oldest_calm_requests_and_never_one_that_presses(monkeypatch):
    monkeypatch.setattr(lists, "MOST", 2)
    scene = make_home()
    calm = []
    for _one in range(4):
        demand = make_request(scene, make_patient(seen_by=scene.home))
        owning.take(actor=scene.doctor_actor, demand=demand)
        deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice())
        calm.append(demand.pk)
    Request.objects.filter(pk=calm[0]).update(review_at=timezone.now() - MINUTE)
    new = [make_request(scene, make_patient(seen_by=scene.home)).pk for _one in range(3)]
    shown = {row.demand.pk for row in lists.on_call_rows(scene.doctor_actor)}
    assert shown == {calm[0], *calm[2:], *new}
    sentence = "les 200 dernières"
    for member, url in ((scene.doctor, "/liaison/astreinte/"), (scene.nurse, "/liaison/residents/")):
        assert sentence in client_of(member).get(url).content.decode()
    monkeypatch.setattr(lists, "MOST", 200)
    assert sentence not in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()


def test_what_ended_today_is_still_on_the_page_of_whoever_answers_and_of_nobody_else():
    scene = make_home()
    demand = taken(scene)
    heading = "Clôturées depuis 24 heures"
    assert heading not in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()
    deciding.close(actor=scene.doctor_actor, demand=demand, why="sans-suite")
    for member, sees in ((scene.doctor, True), (scene.colleague, True), (scene.regulator, False)):
        page = client_of(member).get("/liaison/astreinte/").content.decode()
        assert ((heading in page), (str(demand.pk) in page)) == (sees, sees)
    Request.objects.update(closed_at=timezone.now() - 25 * HOUR)
    assert heading not in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()


def test_a_service_that_closes_hides_none_of_its_open_requests():
    scene = make_home()
    demand = make_request(scene)
    scene.service.active = False
    scene.service.save()
    assert str(demand.pk) in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()


@pytest.mark.req("FG-07")
def test_whoever_answers_no_more_is_out_of_the_room_at_their_next_request():
    scene = make_home()
    demand = taken(scene)
    people = {member: client_of(member) for member in (scene.nurse, scene.doctor, scene.colleague)}
    for browser in people.values():
        assert browser.post(f"/liaison/{demand.pk}/room/", follow=True).status_code == 200
    PoolMember.objects.filter(user=scene.colleague.user).update(until=timezone.now())
    room = f"/liaison/{demand.pk}/visio/"
    opened = Room.objects.get()
    kept = {one: invitation_of(actor_for(one), opened).revoked_at is None for one in people}
    assert kept == {scene.nurse: True, scene.doctor: True, scene.colleague: False}
    assert (people[scene.doctor].get(room).status_code, people[scene.colleague].get(room).status_code) == (200, 404)
    deciding.close(actor=scene.doctor_actor, demand=demand, why="sans-suite")
    assert invitation_of(actor_for(scene.nurse), opened).revoked_at is not None


@pytest.mark.req("FG-07")
def test_whoever_opens_the_room_calls_the_other_side_whose_lists_ring_until_somebody_joins():
    """Otherwise a nurse waits in front of her own picture, and nobody knows."""
    scene = make_home()
    demand = taken(scene)
    nurse, doctor = client_of(scene.nurse), client_of(scene.doctor)
    url, lists_of = f"/liaison/{demand.pk}/", {nurse: "/liaison/residents/", doctor: "/liaison/astreinte/"}
    colleague = client_of(scene.colleague)

    def rings(browser):
        page = browser.get(lists_of.get(browser, "/liaison/astreinte/")).content.decode()
        return "Visio, on vous attend : VASSEUR Odette" in page

    def come(member):
        invited = Room.objects.get().invitations.get(holder_id=member.user_id)
        return Peer.objects.create(invitation=invited)

    assert "Ouvrir la visio" in doctor.get(url).content.decode()
    for _again in range(2):
        nurse.post(f"{url}room/")
    told = Message.objects.get(type="liaison.room")
    assert (told.holder_id, messages.TEXTS[told.type].still_wanted(told)) == (scene.doctor.user_id, True)
    come(scene.nurse)
    assert (rings(doctor), rings(nurse), rings(colleague)) == (True, False, False)
    page = doctor.get(url).content.decode()
    assert ("Rejoindre la visio" in page, "Ouvrir la visio" in page) == (True, False)
    doctor.post(f"{url}room/")
    come(scene.doctor)
    assert (rings(doctor), messages.TEXTS[told.type].still_wanted(told)) == (False, False)
    Peer.objects.filter(invitation__holder_id=scene.nurse.user_id).update(left_at=timezone.now())
    assert (rings(doctor), rings(nurse)) == (False, True)
    Peer.objects.update(seen_at=timezone.now() - MINUTE)
    assert rings(nurse) is False, "gone without a word"
    Message.objects.filter(type="liaison.room").delete()
    doctor.post(f"{url}room/")
    assert Message.objects.get(type="liaison.room").holder_id == scene.nurse.user_id


@pytest.mark.req("FG-07")
def test_whoever_left_an_earlier_call_without_a_goodbye_is_called_again():
    """A page that dies leaves its row open until somebody joins; a message that was dropped has told nobody."""
    scene = make_home()
    url = f"/liaison/{taken(scene).pk}/room/"
    nurse, doctor = client_of(scene.nurse), client_of(scene.doctor)
    doctor.post(url)
    invited = Room.objects.get().invitations.get(holder_id=scene.doctor.user_id)
    there = Peer.objects.create(invitation=invited)
    there.seen_at = timezone.now() - MINUTE
    there.save()
    Message.objects.filter(type="liaison.room").delete()
    nurse.post(url)
    told = Message.objects.get(type="liaison.room")
    assert (told.holder_id, messages.TEXTS[told.type].still_wanted(told)) == (scene.doctor.user_id, True)
    outbox.move(told, "cancel")
    nurse.post(url)
    assert Message.objects.filter(type="liaison.room", state="waiting").count() == 1


@pytest.mark.req("FG-07")
def test_the_room_of_a_request_that_is_cancelled_ends():
    scene = make_home()
    demand = make_request(scene)
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/room/")
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/cancel/")
    assert Request.objects.get().state == "annulee"
    assert Room.objects.get().ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_cancelling_holds_the_request_before_its_hand_over_as_accepting_does():
    """The other way round the two would wait for each other until the database breaks one off."""
    scene = make_home()
    demand = make_request(scene)
    at = timezone.now()
    OnCallSlot.objects.filter(user=scene.doctor.user).update(ends_at=at + MINUTE)
    make_slot(scene.service, scene.colleague, at, at + HOUR)
    watching.watch(at + 2 * MINUTE)
    found = HandOver.objects.get()

    def cancel():
        try:
            asking.cancel(actor=scene.nurse_actor, demand=demand)
        finally:
            connections.close_all()

    other = threading.Thread(target=cancel)
    with transaction.atomic():
        Request.objects.select_for_update().get(pk=demand.pk)
        other.start()
        assert waits_for_a_lock()
        assert HandOver.objects.select_for_update(nowait=True).get(pk=found.pk).dropped_at is None
    other.join()
    assert (Request.objects.get().state, HandOver.objects.get().dropped_at is None) == ("annulee", False)


@pytest.mark.parametrize(
    ("now", "later"),
    [
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 13, tzinfo=UTC)),
        (datetime(2027, 3, 27, 13, tzinfo=UTC), datetime(2027, 3, 28, 12, tzinfo=UTC)),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 6, 2, 12, tzinfo=UTC)),
        (datetime(2027, 3, 27, 1, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # 02:30 does not exist
    ],
)
def test_tomorrow_at_the_same_hour_is_the_same_hour_on_the_wall(now, later):
    said = {"code": "had", "care_level": "maximal", "justification": "x", "family": "oui", "review": "24"}
    form = DecisionForm(said, died=False)
    assert form.is_valid()
    assert form.review_at(now) == later


def test_notes_are_read_when_the_page_is_in_front_and_a_mention_says_why_it_came():
    scene = make_home()
    demand = taken(scene)
    client_of(scene.nurse).post(
        f"/liaison/{demand.pk}/notes/", {"text": "Vu ?", "mentions": [str(scene.colleague.user_id)]}
    )
    page = client_of(scene.doctor).get(f"/liaison/{demand.pk}/").content.decode()
    assert 'hx-trigger="seen" hx-swap="none" data-read-when-seen' in page
    assert "core/ui/seen.js" in page
    message = Message.objects.get(type="liaison.mention")
    message.channel = "email"
    text = messages.TEXTS[message.type].render(message, {}).text
    assert "\n\nUne note vous mentionne : http" in text
    assert ("prenez part à cet échange" in text, "planning d’astreinte" in text) == (True, False)
