"""Permanent rooms: who enters at once, who knocks, and that no conversation goes on in the next one."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from relais.accounts.actions import remove_member
from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound
from relais.core.testing.races import at_once
from relais.directory.testing import make_service
from relais.meetings.actions import places
from relais.meetings.models import Guest, Meeting, Place, Sitting
from relais.meetings.queries import places as queries
from relais.meetings.tasks import forget
from relais.meetings.testing import make_scene
from relais.oncall.models import PoolMember
from relais.rooms import actions as rooms
from relais.rooms.models import Invitation, Line, Part, Peer, Presence, Room
from relais.rooms.models import Place as Seen

pytestmark = pytest.mark.django_db
PAGE = "/salles-esms/"


def press(member, owner):
    """*Entrer* or *Demander à entrer*; answers the page one comes to."""
    browser = client_of(member)
    answer = browser.post(reverse("meetings:enter", args=[owner.pk]))
    assert answer.status_code == 302
    return browser.get(answer.url)


def inside(member, owner):
    """Enter, and be in the call as a page is."""
    sitting = places.enter(actor=actor_for(member), owner_id=owner.pk)
    return sitting, rooms.join(actor=actor_for(member), room=Room.objects.get(about=sitting.pk))


def my_invitation(member, owner):
    sitting = queries.open_sitting(owner.pk)
    return Invitation.objects.get(room__about=sitting.pk, holder_id=member.user_id)


@pytest.mark.req("VR-01")
@pytest.mark.parametrize(
    ("who", "at_once"), [("nurse", True), ("regulator", True), ("geriatrician", False), ("stranger", False)]
)
def test_those_of_the_place_and_those_on_duty_enter_at_once_and_anybody_else_knocks(scene, who, at_once):
    page = press(getattr(scene, who), scene.home)
    invitation = my_invitation(getattr(scene, who), scene.home)
    assert (invitation.part == Part.HOST, invitation.admitted_at is not None) == (at_once, at_once)
    assert ("Salle d’attente" in page.content.decode()) is not at_once


@pytest.mark.req("VR-01")
def test_each_nursing_home_on_call_mobile_team_night_duty_and_samu_has_a_room_and_nobody_else(scene):
    mobile, night = (make_service(scene.hospital, need=need) for need in ("mobile", "night"))
    for owner in (scene.home, scene.samu, scene.on_call, mobile, night):
        assert press(scene.regulator, owner).status_code == 200
    expert = make_service(scene.hospital, need="expert")
    for other in (scene.hospital, scene.stranger.establishment, expert):
        assert client_of(scene.regulator).post(reverse("meetings:enter", args=[other.pk])).status_code == 404
    assert Place.objects.count() == 5


@pytest.mark.req("VR-01")
def test_an_on_call_for_which_nobody_is_named_is_answered_by_the_caregivers_of_its_hospital(scene):
    secretary = make_member(scene.hospital, Role.SECRETARY)
    press(scene.geriatrician, scene.on_call)
    press(secretary, scene.on_call)
    assert my_invitation(scene.geriatrician, scene.on_call).part == Part.HOST
    assert my_invitation(secretary, scene.on_call).part == Part.GUEST


@pytest.mark.req("VR-01")
def test_who_answers_for_an_on_call_enters_every_room_and_those_who_do_not_knock_at_its_own(scene):
    PoolMember.objects.create(service=scene.on_call, user=scene.geriatrician.user, establishment=scene.hospital)
    other = make_practitioner(scene.hospital)
    for owner in (scene.home, scene.on_call):
        press(scene.geriatrician, owner)
        press(other, owner)
        assert my_invitation(scene.geriatrician, owner).part == Part.HOST
        assert my_invitation(other, owner).part == Part.GUEST
    PoolMember.objects.update(until=timezone.now())
    inside(scene.nurse, scene.home)
    press(scene.geriatrician, scene.home)
    assert my_invitation(scene.geriatrician, scene.home).part == Part.GUEST, "asked again at each entry"


@pytest.mark.req("VR-02")
def test_the_page_says_first_whom_to_call_with_the_direct_line(scene):
    make_service(scene.hospital, need="geriatric", opens="00:00", closes="00:00", phone="01 99 00 45 67")
    text = client_of(scene.nurse).get(PAGE).content.decode()
    assert "La salle complète l’appel, elle ne le remplace pas." in text
    assert 'href="tel:15"' in text
    assert 'href="tel:0199004567"' in text


@pytest.mark.req("VR-02", "VR-06")
def test_those_on_duty_see_at_once_the_rooms_in_which_somebody_is(scene):
    inside(scene.nurse, scene.home)
    text = client_of(scene.regulator).get(PAGE).content.decode()
    assert "Salles ouvertes en ce moment" in text
    assert "Inès Petit (EHPAD Les Mésanges)" in text
    assert "Inès Petit" not in client_of(scene.stranger).get(PAGE).content.decode()


@pytest.mark.req("VR-03")
def test_nobody_comes_near_a_room_without_signing_in(scene, client):
    for answer in (client.get(PAGE), client.post(reverse("meetings:enter", args=[scene.home.pk]))):
        assert answer.status_code == 302
        assert answer.url.startswith("/connexion/")
    assert not Sitting.objects.exists()


@pytest.mark.req("VR-04")
def test_one_button_leads_from_the_first_page_to_the_rooms_one_s_own_first(scene):
    home = client_of(scene.nurse).get("/").content.decode()
    assert f'href="{PAGE}"' in home
    assert "DISPOSITIF COVID-19 – ACCÈS SALLES ESMS" in home
    text = client_of(scene.nurse).get(PAGE).content.decode()
    assert text.index("Votre salle") < text.index("EHPAD Les Mésanges</h3>") < text.index("SAMU 93</h3>")


@pytest.mark.req("VR-04")
def test_those_on_duty_find_a_nursing_home_by_name_and_department_and_enter(scene):
    make_establishment("EHPAD Les Mésanges", kind="ehpad", department="75", city="Paris")
    browser = client_of(scene.regulator)
    text = browser.get(PAGE, {"q": "mesanges", "departement": "93"}).content.decode()
    assert "Montreuil" in text
    assert "Paris (75)</p>" not in text
    assert reverse("meetings:enter", args=[scene.home.pk]) in text


def test_establishments_without_a_room_hide_none_and_more_rooms_than_are_shown_are_said(scene, monkeypatch):
    monkeypatch.setattr(queries, "FOUND", 1)
    make_establishment("Clinique Mésanges", kind="hospital", department="93")
    browser, asked = client_of(scene.regulator), {"q": "mesanges", "departement": "93"}
    assert "d’autres salles portent ces mots" not in browser.get(PAGE, asked).content.decode()
    make_establishment("Résidence Mésanges", kind="ehpad", department="93")
    assert "d’autres salles portent ces mots" in browser.get(PAGE, asked).content.decode()


@pytest.mark.req("VR-05")
def test_the_way_out_says_quitter_la_salle_and_leads_back_to_the_rooms(scene):
    text = press(scene.nurse, scene.home).content.decode()
    assert "QUITTER LA SALLE" in text
    assert f'"backUrl": "{PAGE}"' in text


def test_who_enters_an_empty_room_finds_a_fresh_one_in_which_nothing_was_said(scene):
    sitting, peer = inside(scene.nurse, scene.home)
    room = Room.objects.get(about=sitting.pk)
    rooms.say(actor=actor_for(scene.nurse), room=room, text="Mme D. respire mal")
    rooms.leave_call(actor=actor_for(scene.nurse), peer_id=peer.pk)
    again, _peer = inside(scene.regulator, scene.home)
    assert again != sitting
    assert not Line.objects.exists()
    assert Room.objects.get(pk=room.pk).ended_at is not None


def test_a_page_that_is_loaded_again_comes_back_to_the_same_conversation(scene):
    sitting, peer = inside(scene.nurse, scene.home)
    rooms.leave_call(actor=actor_for(scene.nurse), peer_id=peer.pk)
    assert inside(scene.nurse, scene.home)[0] == sitting


def test_who_waits_at_the_door_of_a_room_that_empties_stays_there_and_hears_nothing_of_it(scene):
    sitting, peer = inside(scene.nurse, scene.home)
    room = Room.objects.get(about=sitting.pk)
    places.enter(actor=actor_for(scene.stranger), owner_id=scene.home.pk)
    rooms.beat(actor=actor_for(scene.stranger), about=sitting.pk, place=Seen.WAITING)
    rooms.admit(actor=actor_for(scene.nurse), invitation=my_invitation(scene.stranger, scene.home))
    rooms.say(actor=actor_for(scene.nurse), room=room, text="Mme D. respire mal")
    rooms.leave_call(actor=actor_for(scene.nurse), peer_id=peer.pk)
    again, _peer = inside(scene.regulator, scene.home)
    assert again == sitting
    assert not Line.objects.exists()
    assert my_invitation(scene.stranger, scene.home).admitted_at is None


def test_a_room_that_all_have_left_ends_after_two_minutes_and_not_before(scene):
    sitting, peer = inside(scene.nurse, scene.home)
    rooms.leave_call(actor=actor_for(scene.nurse), peer_id=peer.pk)
    assert places.end_empty() == 0
    before = timezone.now() - timedelta(minutes=3)
    Sitting.objects.update(created_at=before)
    Peer.objects.update(seen_at=before)
    Presence.objects.update(seen_at=before)
    assert places.end_empty() == 1
    sitting.refresh_from_db()
    assert sitting.ended_at is not None
    answer = client_of(scene.nurse).get(reverse("meetings:place", args=[scene.home.pk]), follow=True)
    assert "Tout le monde a quitté cette salle." in answer.content.decode()


def test_a_nurse_who_has_yet_to_choose_how_to_enter_is_seen_and_keeps_her_room(scene):
    """On the threshold of her own room she knocks at nothing: her page says that it is there, and nothing else does."""
    sitting = places.enter(actor=actor_for(scene.nurse), owner_id=scene.home.pk)
    seen = {"about": str(sitting.pk), "place": "space"}
    assert client_of(scene.nurse).post("/salles/presence", seen).status_code == 204
    Sitting.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert places.end_empty() == 0
    page = client_of(scene.regulator).get(PAGE).content.decode()
    assert "Va entrer" in page
    assert "Inès Petit (EHPAD Les Mésanges)" in page
    assert "data-waiting=" not in client_of(make_member(scene.home, Role.MANAGER)).get("/").content.decode(), (
        "their own"
    )


def test_who_enters_while_somebody_of_before_is_on_the_threshold_meets_them(scene):
    _sitting, peer = inside(scene.regulator, scene.home)
    sitting = places.enter(actor=actor_for(scene.nurse), owner_id=scene.home.pk)
    rooms.beat(actor=actor_for(scene.nurse), about=sitting.pk, place=Seen.SPACE)
    rooms.leave_call(actor=actor_for(scene.regulator), peer_id=peer.pk)
    Peer.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    doctor = make_practitioner(scene.samu)
    assert places.enter(actor=actor_for(doctor), owner_id=scene.home.pk) == sitting


def test_a_room_in_which_somebody_is_never_ends(scene):
    inside(scene.nurse, scene.home)
    Sitting.objects.update(created_at=timezone.now() - timedelta(hours=3))
    assert places.end_empty() == 0


def test_two_open_conversations_in_one_room_cannot_be(scene):
    sitting, _peer = inside(scene.nurse, scene.home)
    assert inside(scene.regulator, scene.home)[0] == sitting
    with pytest.raises(IntegrityError), transaction.atomic():
        Sitting.objects.create(place=sitting.place)


@pytest.mark.parametrize("who", ["nurse", "stranger"])
def test_whoever_left_the_establishment_is_out_at_the_next_request(scene, who):
    member = getattr(scene, who)
    elsewhere = client_of(make_member(make_establishment("Ailleurs"), user=member.user))
    sitting = places.enter(actor=actor_for(member), owner_id=scene.home.pk)
    room = Room.objects.get(about=sitting.pk)
    inside(scene.regulator, scene.home)
    if who == "stranger":
        rooms.admit(actor=actor_for(scene.regulator), invitation=my_invitation(member, scene.home))
    assert elsewhere.get(f"/salles/{room.pk}/etat").json()["admitted"] is True
    remove_member(actor=SYSTEM_ACTOR, membership_id=member.pk)
    assert elsewhere.get(f"/salles/{room.pk}/etat").json()["revoked"] is True
    answer = elsewhere.post(f"/salles/{room.pk}/entrer", headers={"accept": "application/json"})
    assert (answer.status_code, "mis fin à votre participation" in answer.json()["error"]) == (409, True)


def test_who_was_there_and_when_is_read_by_those_of_the_place_alone(scene):
    _sitting, peer = inside(scene.regulator, scene.home)
    rooms.leave_call(actor=actor_for(scene.regulator), peer_id=peer.pk)
    url = reverse("meetings:stays", args=[scene.home.pk])
    assert "Dr Paul Roche (SAMU 93)" in " ".join(client_of(scene.nurse).get(url).content.decode().split())
    for other in (scene.regulator, scene.stranger, scene.geriatrician):
        assert client_of(other).get(url).status_code == 404


def test_on_every_page_of_theirs_those_of_the_place_hear_who_comes_and_nobody_else(scene):
    inside(scene.regulator, scene.home)
    colleague = make_member(scene.home, Role.MANAGER)
    said = "Dr Paul Roche (SAMU 93) vous attend dans la salle EHPAD Les Mésanges"
    for member, hears in ((scene.nurse, True), (colleague, True), (scene.regulator, False), (scene.stranger, False)):
        for url in ("/", reverse("meetings:alerts")):
            assert (said in client_of(member).get(url).content.decode()) is hears, (member, url)
    inside(scene.nurse, scene.home)
    assert said not in client_of(colleague).get("/").content.decode()


def test_who_knocks_is_heard_while_a_colleague_is_inside(scene):
    sitting, _peer = inside(scene.nurse, scene.home)
    places.enter(actor=actor_for(scene.stranger), owner_id=scene.home.pk)
    rooms.beat(actor=actor_for(scene.stranger), about=sitting.pk, place=Seen.WAITING)
    colleague = make_member(scene.home, Role.MANAGER)
    page = client_of(colleague).get("/").content.decode()
    assert ("Lointain (Cabinet du Port) est à la porte" in page, "1 personne attend" in page) == (True, True)
    assert "vous attend dans la salle" not in page


@pytest.mark.parametrize("who", ["regulator", "stranger"])
def test_rooms_take_the_same_queries_with_one_room_as_with_three(scene, who, django_assert_num_queries):
    browser = client_of(getattr(scene, who))
    inside(scene.nurse, scene.home)
    inside(scene.regulator, scene.samu)
    browser.get(PAGE)
    with CaptureQueriesContext(connection) as one:
        browser.get(PAGE)
    for number in range(2):
        home = make_establishment(f"EHPAD {number}", kind="ehpad", department="93")
        inside(make_member(home, "caregiver"), home)
        make_service(scene.hospital, name=f"Équipe mobile {number}", need="mobile")
    with django_assert_num_queries(len(one)):
        browser.get(PAGE)


def test_two_who_enter_in_the_same_second_meet_in_one_room(transactional_db):
    scene = make_scene()
    people = (scene.nurse, scene.regulator)
    came = at_once(*(partial(places.enter, actor=actor_for(one), owner_id=scene.home.pk) for one in people))
    assert came[0].pk == came[1].pk
    assert Invitation.objects.filter(part=Part.HOST).count() == 2


@pytest.mark.req("VR-01")
def test_the_page_draws_its_parts_again_at_a_ping(scene):
    inside(scene.regulator, scene.home)
    for target, shown, hidden in (("places", "Dr Paul Roche", "<h2>Salles du"), ("other-places", "SAMU 93", "Dr Paul")):
        answer = client_of(scene.nurse).get(PAGE, HTTP_HX_REQUEST="true", HTTP_HX_TARGET=target).content.decode()
        assert (shown in answer, hidden in answer, "<html" in answer) == (True, False, False)


def test_the_door_refuses_an_id_of_nothing(scene):
    with pytest.raises(NotFound):
        places.enter(actor=actor_for(scene.nurse), owner_id=scene.stranger.user_id)


def test_who_was_there_is_erased_after_thirty_days_and_of_a_meeting_its_guests(scene):
    """What goes on, what is younger, and the call of a dossier stay."""
    now = timezone.now()
    for days, owner in ((31, scene.samu), (29, scene.on_call)):
        sitting, _peer = inside(scene.regulator, owner)
        places.end(sitting=sitting)
        Sitting.objects.filter(pk=sitting.pk).update(created_at=now - timedelta(days=days))
    going_on, _peer = inside(scene.nurse, scene.home)
    meeting = Meeting.objects.create(
        title="Revue", organiser=scene.nurse.user, establishment=scene.home, state="ended",
        starts_at=now - timedelta(days=32), ends_at=now - timedelta(days=31),
    )  # fmt: skip
    Guest.objects.create(meeting=meeting, name="Anne Vasseur", token_hash="a")
    dossier = rooms.open_room(actor=SYSTEM_ACTOR, about=uuid4())
    rooms.end_room(actor=SYSTEM_ACTOR, about=dossier.about)
    old = now - timedelta(days=2)
    gone = Presence.objects.create(about=dossier.about, holder_id=uuid4(), place=Seen.CALL, seen_at=old)
    fresh = Presence.objects.create(about=dossier.about, holder_id=uuid4(), place=Seen.CALL)
    forget(0)
    young = Sitting.objects.get(place__service=scene.on_call)
    assert set(Sitting.objects.all()) == {going_on, young}
    assert set(Room.objects.values_list("about", flat=True)) == {going_on.pk, young.pk, dossier.about}
    assert Peer.objects.count() == 2
    assert list(Presence.objects.filter(pk__in=[gone.pk, fresh.pk])) == [fresh]
    assert (Meeting.objects.count(), Guest.objects.count()) == (1, 0)
