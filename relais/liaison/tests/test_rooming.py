"""How many people the room of a request is for: four from page to page, more through the video relay (FG-07)."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import client_of
from relais.liaison.actions import deciding
from relais.liaison.testing import make_home, taken
from relais.rooms.models import Carrier, Invitation, Part, Peer, Presence, Room

pytestmark = [pytest.mark.django_db, pytest.mark.req("FG-07")]
MORE = "Ouvrir pour plus de quatre personnes"


@pytest.fixture
def relay(settings):
    """An installation that has a video relay, which nobody asks here."""
    settings.ENV = {**settings.ENV, "SFU_URLS": ["here=http://127.0.0.1:9"]}


def opened():
    return Room.objects.values_list("max_people", "carrier").get()


def come_in(member):
    return client_of(member).post(f"/salles/{Room.objects.get().pk}/entrer", headers={"accept": "application/json"})


def words(browser, demand):
    return browser.get(f"/liaison/{demand.pk}/").content.decode()


def test_whoever_begins_chooses_more_than_four_and_the_others_come_into_the_same_room(relay, settings):
    scene = make_home()
    demand = taken(scene)
    nurse, doctor, url = client_of(scene.nurse), client_of(scene.doctor), f"/liaison/{demand.pk}/"
    assert MORE in words(nurse, demand)
    assert nurse.post(f"{url}room_of_many/", follow=True).status_code == 200
    chosen = (settings.ENV["SFU_MAX_PEOPLE"], Carrier.SFU)
    doctor.post(f"{url}room/")
    assert opened() == chosen, "before anybody's page has entered the call"
    assert come_in(scene.nurse).json()["state"]["carrier"] == "sfu"
    page = words(doctor, demand)
    assert ("Rejoindre la visio" in page, MORE in page) == (True, False)
    doctor.post(f"{url}room/")
    assert come_in(scene.doctor).status_code == 200
    assert (opened(), Peer.objects.inside().count()) == (chosen, 2)


def test_a_room_is_for_four_from_page_to_page_unless_somebody_chooses(relay):
    """An emergency depends on nothing but the two ends."""
    scene = make_home()
    demand = taken(scene)
    url = f"/liaison/{demand.pk}/"
    client_of(scene.nurse).post(f"{url}room/")
    assert come_in(scene.nurse).json()["state"]["carrier"] == "mesh"
    client_of(scene.doctor).post(f"{url}room_of_many/")  # from a page that is older than the call
    assert opened() == (4, Carrier.MESH)


def test_the_next_conversation_is_chosen_anew(relay):
    scene = make_home()
    demand = taken(scene)
    browser, url = client_of(scene.nurse), f"/liaison/{demand.pk}/"
    for verb, people in (("room", 4), ("room_of_many", 25), ("room", 4)):
        browser.post(f"{url}{verb}/")
        assert opened()[0] == people
        come_in(scene.nurse)
        long_ago = timezone.now() - timedelta(minutes=1)
        Peer.objects.update(left_at=long_ago, seen_at=long_ago)
        Presence.objects.update(seen_at=long_ago)
    assert MORE in words(browser, demand)


def test_without_a_relay_nobody_is_offered_more_than_four_and_who_asks_gets_four(settings):
    scene = make_home()
    demand = taken(scene)
    browser = client_of(scene.nurse)
    page = words(browser, demand)
    assert ("Ouvrir la visio" in page, MORE in page) == (True, False)
    assert browser.post(f"/liaison/{demand.pk}/room_of_many/", follow=True).status_code == 200
    assert opened() == (4, Carrier.MESH)


def test_a_room_of_many_whose_relay_is_gone_goes_on_for_four_and_says_so(relay, settings):
    scene = make_home()
    demand = taken(scene)
    url = f"/liaison/{demand.pk}/"
    client_of(scene.nurse).post(f"{url}room_of_many/")
    settings.ENV = {**settings.ENV, "SFU_URLS": []}
    state = come_in(scene.nurse).json()["state"]
    assert (state["carrier"], state["fallen"]) == ("mesh", True)
    client_of(scene.doctor).post(f"{url}room/")
    assert come_in(scene.doctor).json()["state"]["fallen"]
    said = client_of(scene.doctor).get(f"{url}visio/").content.decode()
    assert "Le relais vidéo ne répond pas : l’appel continue de navigateur à navigateur, à quatre personnes" in said


def test_whoever_comes_fifth_to_a_room_for_four_reads_that_it_is_full():
    scene = make_home()
    demand = taken(scene)
    url = f"/liaison/{demand.pk}/room/"
    client_of(scene.nurse).post(url)
    room = Room.objects.get()
    for _number in range(4):
        one = Invitation.objects.create(room=room, holder_id=uuid.uuid4(), part=Part.HOST, name="Renfort")
        Peer.objects.create(invitation=one)
    client_of(scene.doctor).post(url)
    answer = come_in(scene.doctor)
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("L’appel est complet : 4 personnes au plus.")


def test_nobody_who_may_not_enter_chooses_and_a_request_that_is_over_has_no_room(relay):
    scene = make_home()
    demand = taken(scene)
    url = f"/liaison/{demand.pk}/room_of_many/"
    assert client_of(make_home().nurse).post(url).status_code == 404
    deciding.close(actor=scene.doctor_actor, demand=demand, why="sans-suite")
    client_of(scene.nurse).post(url)
    assert MORE not in words(client_of(scene.nurse), demand)
    assert not Room.objects.exists()


def test_beside_the_call_stands_the_request_with_its_signs_and_answers():
    scene = make_home()
    demand = taken(scene)
    page = client_of(scene.doctor).post(f"/liaison/{demand.pk}/room/", follow=True).content.decode()
    panel = page[page.index('data-panel="dossier"') :]
    shown = (scene.resident.family_name.upper(), scene.home.name, "SpO2", "Ouvrir la demande", f"/liaison/{demand.pk}/")
    assert [word for word in shown if word not in panel] == []
    assert "Aucun dossier n’est lié" not in page
