"""The room of a request: who comes in, who is out, and what the next conversation sees of the last one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.expertise.actions import answering, meeting
from relais.expertise.models import Expertise
from relais.expertise.testing import make_asked, make_pool, opinion_page
from relais.oncall.models import PoolMember
from relais.oncall.testing import join
from relais.rooms import actions as rooms
from relais.rooms.models import Carrier, Line, Peer, Room

pytestmark = pytest.mark.django_db


def in_visio():
    """A request converted to video, both sides in its room."""
    scene = make_asked(state="prise-en-charge")
    answering.to_visio(actor=scene.doctor, asked=scene.asked)
    for member in (scene.expert, scene.requester):
        enter(member, scene)
    return scene


def enter(member, scene):
    meeting.join(actor=actor_for(member), asked=scene.again())
    return come_in(client_of(member), scene)


def come_in(browser, scene):
    return browser.post(
        f"/salles/{Room.objects.get(about=scene.asked.pk).pk}/entrer", headers={"accept": "application/json"}
    )


def state(browser, scene):
    return browser.get(f"/salles/{Room.objects.get(about=scene.asked.pk).pk}/etat").json()


@pytest.mark.req("TE-05")
def test_whoever_left_the_pool_is_out_at_the_next_request_and_comes_in_no_more():
    scene = in_visio()
    browser = client_of(scene.expert)
    assert state(browser, scene)["admitted"]
    PoolMember.objects.filter(user=scene.expert.user).update(until=timezone.now())
    assert state(browser, scene)["revoked"]
    assert come_in(browser, scene).status_code == 409
    assert state(client_of(scene.requester), scene)["admitted"]


def test_whoever_left_the_establishment_that_asks_is_out_too():
    scene = in_visio()
    elsewhere = client_of(make_member(make_establishment("Ailleurs"), user=scene.requester.user))
    assert state(elsewhere, scene)["admitted"]
    scene.requester.ended_at = timezone.now()
    scene.requester.save()
    assert come_in(elsewhere, scene).status_code == 409


def test_a_service_that_the_request_was_redirected_away_from_is_out_of_its_room():
    scene = in_visio()
    chief = make_practitioner(scene.expert.establishment)
    join(scene.service, chief)
    Expertise.objects.update(expert=chief.user, state="prise-en-charge")  # taken over while the room stood
    new = make_practitioner(make_establishment("Institut du cœur"))
    answering.redirect(actor=actor_for(chief), asked=scene.again(), service_id=make_pool(new).pk)
    assert Room.objects.get().ended_at
    answering.take(actor=actor_for(new), asked=scene.again())
    answering.to_visio(actor=actor_for(new), asked=scene.again())
    assert enter(new, scene).status_code == 200
    assert come_in(client_of(scene.expert), scene).status_code == 409
    assert come_in(client_of(scene.requester), scene).status_code == 409, "both sides press Rejoindre again"
    assert enter(scene.requester, scene).status_code == 200


def test_the_next_conversation_shows_neither_the_words_nor_the_people_of_the_last_one():
    scene = in_visio()
    room = Room.objects.get()
    rooms.say(actor=scene.doctor, room=room, text="On se rappelle dans une heure.")
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())
    new = make_practitioner(make_establishment("Institut du cœur"), family_name="Nouveau")
    answering.second_opinion(actor=scene.asker, asked=scene.again(), service_id=make_pool(new).pk)
    answering.take(actor=actor_for(new), asked=scene.again())
    answering.to_visio(actor=actor_for(new), asked=scene.again())
    enter(new, scene)
    assert not Line.objects.exists()
    page = client_of(new).get(f"/salles/{room.pk}/personnes").content.decode()
    assert "Nouveau" in page
    assert scene.expert.user.full_name not in page
    enter(scene.requester, scene)
    assert scene.requester.user.full_name in client_of(new).get(f"/salles/{room.pk}/personnes").content.decode()


def test_a_late_request_is_not_taken_from_an_expert_who_is_in_the_call():
    """Whoever takes it over afterwards finds the room closed, and opens it again by « Passer en visio »."""
    scene = make_asked(state="prise-en-charge", sent_at=timezone.now() - timedelta(days=1))
    answering.to_visio(actor=scene.doctor, asked=scene.asked)
    for member in (scene.expert, scene.requester):
        enter(member, scene)
    other = make_practitioner(scene.expert.establishment)
    join(scene.service, other)
    names = f"{scene.expert.user.full_name}, {scene.requester.user.full_name}"
    page = client_of(other).post(f"/expertise/{scene.asked.pk}/take_over/", follow=True).content.decode()
    assert f"Un appel est en cours pour cette demande ({names})" in page
    assert scene.again().expert_id == scene.expert.user_id
    Peer.objects.update(left_at=timezone.now())
    answering.take_over(actor=actor_for(other), asked=scene.again())
    assert (scene.again().expert_id, scene.again().state) == (other.user_id, "prise-en-charge")
    assert Room.objects.get(about=scene.asked.pk).ended_at
    answering.to_visio(actor=actor_for(other), asked=scene.again())
    assert Room.objects.get(about=scene.asked.pk).ended_at is None


@pytest.mark.req("TE-05")
@pytest.mark.parametrize(
    ("urls", "verb", "people", "carrier"),
    [
        (["here=http://127.0.0.1:9"], "to_visio", 4, Carrier.MESH),
        (["here=http://127.0.0.1:9"], "to_visio_of_many", 25, Carrier.SFU),
        ([], "to_visio_of_many", 4, Carrier.MESH),
    ],
)
def test_the_expert_chooses_a_room_for_more_than_four_where_there_is_a_video_relay(
    settings, urls, verb, people, carrier
):
    settings.ENV = {**settings.ENV, "SFU_URLS": urls}
    scene = make_asked(state="prise-en-charge")
    url = f"/expertise/{scene.asked.pk}/"
    browser = client_of(scene.expert)
    assert ("Visio pour plus de quatre personnes" in browser.get(url).content.decode()) is bool(urls)
    assert "Rejoindre la visio" in browser.post(f"{url}{verb}/", follow=True).content.decode()
    for member in (scene.expert, scene.requester):
        client_of(member).post(f"{url}rejoindre/")
        assert come_in(client_of(member), scene).status_code == 200
    assert Room.objects.values_list("max_people", "carrier").get() == (people, carrier)


def test_a_tele_expertise_that_is_converted_to_video_again_is_chosen_anew(settings):
    settings.ENV = {**settings.ENV, "SFU_URLS": ["here=http://127.0.0.1:9"]}
    scene = make_asked(state="prise-en-charge")
    answering.to_visio(actor=scene.doctor, asked=scene.asked, many=True)
    meeting.end_call(actor=scene.doctor, asked=scene.asked)
    Expertise.objects.update(state="prise-en-charge")
    answering.to_visio(actor=scene.doctor, asked=scene.again())
    assert Room.objects.values_list("max_people", "carrier", "ended_at").get() == (4, Carrier.MESH, None)
