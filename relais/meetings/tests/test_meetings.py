"""Meetings of professionals: without a patient, with guests by link, who are always let in by a host (VR-07)."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.actions import remove_member
from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.meetings import links
from relais.meetings.actions import guests, meetings
from relais.meetings.messages import INVITED, Text, guest_link
from relais.meetings.models import Guest, Invitee, Meeting
from relais.meetings.workflow import State
from relais.notifications import registry, vault
from relais.notifications.models import Message
from relais.patients.testing import let_in, make_grant
from relais.rooms import actions as rooms
from relais.rooms.models import Invitation, Line, Part, Peer, Presence, Room

pytestmark = [pytest.mark.django_db, pytest.mark.req("VR-07")]
TITLE = "Point COVID de la semaine"


def plan(member, **said):
    given = {"title": TITLE, "starts_at": None, "minutes": 30, "max_people": 4, **said}
    return meetings.plan(actor=actor_for(member), said=meetings.Planned(**given))


def form(**typed):
    return {"title": TITLE, "minutes": "30", "max_people": "4", "request_key": str(uuid.uuid4()), **typed}


def come(meeting, name="Anne Vasseur, gériatre", browser=None):
    """By the link, as its page sends it."""
    browser = browser or Client()
    secret = guest_link(meeting).split("#")[1]
    return browser, browser.post(f"/p/reunions/{meeting.pk}/", {"name": name, "secret": secret})


def words(answer):
    return " ".join(answer.content.decode().split())


def test_a_meeting_is_begun_now_and_asks_for_no_patient(scene):
    browser = client_of(scene.nurse)
    asked = words(browser.get("/reunions/nouvelle"))
    assert "N’écrivez aucun nom de patient dans l’objet" in asked
    answer = browser.post("/reunions/nouvelle", form(), follow=True)
    meeting = Meeting.objects.get()
    assert "La réunion est prévue." in words(answer)
    browser.post(f"/reunions/{meeting.pk}/entrer")
    assert browser.get(f"/reunions/{meeting.pk}/appel").status_code == 200
    assert Invitation.objects.get().part == Part.HOST
    fields = {field.name for model in (Meeting, Invitee, Guest) for field in model._meta.get_fields()}
    assert not {"patient", "dossier"} & fields


def test_up_to_as_many_people_as_the_settings_say(scene, settings):
    most = settings.ENV["SFU_MAX_PEOPLE"]
    meeting = plan(scene.nurse, max_people=most)
    assert meetings.enter(actor=actor_for(scene.nurse), meeting=meeting).max_people == most == 25
    page = words(client_of(scene.nurse).get("/reunions/nouvelle"))
    assert "Jusqu’à 25" in page
    settings.ENV = {**settings.ENV, "SFU_MAX_PEOPLE": 4}
    assert "Jusqu’à 25" not in words(client_of(scene.nurse).get("/reunions/nouvelle"))
    refused = client_of(scene.nurse).post("/reunions/nouvelle", form(max_people="25"))
    assert refused.status_code == 422


def test_the_same_form_sent_twice_plans_once(scene):
    browser, sent = client_of(scene.nurse), form(emails="invitee@exemple.test")
    answers = [browser.post("/reunions/nouvelle", sent) for _ in range(2)]
    assert answers[0].url == answers[1].url
    assert (Meeting.objects.count(), Message.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"date": "2020-01-02", "time": "10:00"}, "Cette heure est passée."),
        ({"date": "2199-01-02", "time": "10:00"}, "à plus d’un an"),
        ({"date": "2027-03-28", "time": "02:30"}, "Cette heure n’existe pas"),
        ({"time": "10:00"}, "Indiquez le jour de la réunion."),
        ({"emails": "pas une adresse"}, "n’est pas une adresse e-mail"),
        ({"emails": f"a@{'exemple.' * 32}test"}, "n’est pas une adresse e-mail"),  # longer than the database keeps
        ({"title": ""}, "Ce champ est obligatoire."),
    ],
)
def test_what_cannot_be_planned_gets_a_sentence(scene, typed, sentence):
    answer = client_of(scene.nurse).post("/reunions/nouvelle", form(**typed))
    assert (answer.status_code, sentence in words(answer)) == (422, True)
    assert not Meeting.objects.exists()


def test_those_invited_get_an_hour_a_link_and_the_calendar_file_and_never_the_title(scene):
    start = timezone.now() + timedelta(days=1)
    emails = (scene.geriatrician.user.email, "dehors@exemple.test")
    meeting = plan(scene.nurse, starts_at=start, emails=emails)
    by_address = {message.address: message for message in Message.objects.filter(type=INVITED)}
    assert set(by_address) == set(emails)
    for address, message in by_address.items():
        secret = vault.unseal(message.secret) if message.secret else {}
        rendered = registry.TYPES[INVITED].render(message, secret)
        file = rendered.attachments[0].content.decode()
        assert TITLE not in rendered.subject + rendered.text + file
        assert "SUMMARY:Rendez-vous vidéo" in file
        assert links.secret_of(meeting.pk, 0) not in file
        known = address == scene.geriatrician.user.email
        assert (f"/reunions/{meeting.pk}/" in rendered.text, "#" in rendered.text) == (True, not known)
        assert links.secret_of(meeting.pk, 0) not in str(message.context)


@pytest.mark.parametrize("typed", ["", " , "])
def test_an_invitation_to_nobody_asks_for_an_address(scene, typed):
    meeting = plan(scene.nurse)
    answer = client_of(scene.nurse).post(f"/reunions/{meeting.pk}/inviter", {"emails": typed})
    assert (answer.status_code, "Écrivez au moins une adresse." in words(answer)) == (422, True)
    assert not Message.objects.filter(type=INVITED).exists()


def test_a_professional_invited_enters_at_once_and_lets_guests_in_whoever_is_not_finds_nothing(scene):
    meeting = plan(scene.nurse, emails=(scene.geriatrician.user.email,))
    room = meetings.enter(actor=actor_for(scene.geriatrician), meeting=meeting)
    assert room.invitations.get().part == Part.HOST
    for url in ("", "appel"):
        assert client_of(scene.stranger).get(f"/reunions/{meeting.pk}/{url}").status_code == 404
    for verb in ("entrer", "annuler", "terminer", "lien", "inviter"):
        assert client_of(scene.stranger).post(f"/reunions/{meeting.pk}/{verb}").status_code == 404
    with pytest.raises(NotFound):
        meetings.enter(actor=actor_for(scene.stranger), meeting=meeting)
    with pytest.raises(NotFound):
        meetings.cancel(actor=actor_for(scene.geriatrician), meeting=meeting)


def test_who_works_nowhere_any_more_is_not_invited(scene):
    remove_member(actor=SYSTEM_ACTOR, membership_id=scene.geriatrician.pk)
    with pytest.raises(Refused, match="ne travaille plus"):
        plan(scene.nurse, emails=(scene.geriatrician.user.email,))


def test_a_guest_says_a_name_and_waits_until_a_host_lets_them_in(scene):
    meeting = plan(scene.nurse)
    browser, answer = come(meeting)
    assert (answer.status_code, answer.url) == (302, "/p/reunions/appel/")
    assert "Salle d’attente" in words(browser.get("/p/reunions/appel/"))
    room, guest = Room.objects.get(), Invitation.objects.get()
    assert (guest.part, guest.authenticated, guest.admitted_at) == (Part.GUEST, False, None)
    meetings.enter(actor=actor_for(scene.nurse), meeting=meeting)
    rooms.join(actor=actor_for(scene.nurse), room=room)
    enter = f"/p/salles/{room.pk}/entrer"
    assert browser.post(enter, headers={"accept": "application/json"}).status_code == 409
    browser.post("/p/salles/presence", {"about": str(meeting.pk), "place": "waiting"})
    host = client_of(scene.nurse)
    assert host.get(f"/salles/{room.pk}/etat").json()["waiting"][0]["name"] == "Anne Vasseur, gériatre"
    assert "Non authentifié" in words(host.get(f"/salles/{room.pk}/personnes"))
    host.post(f"/salles/{room.pk}/personnes/{guest.pk}/admettre")
    assert browser.post(enter).status_code == 200


def test_the_host_who_is_not_there_yet_hears_that_a_guest_waits(scene):
    meeting = plan(scene.nurse)
    browser, _answer = come(meeting)
    browser.post("/p/salles/presence", {"about": str(meeting.pk), "place": "waiting"})
    said = f"Anne Vasseur, gériatre attend à la porte de la réunion {TITLE}"
    assert said in client_of(scene.nurse).get("/").content.decode()
    assert said not in client_of(scene.stranger).get("/").content.decode()


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [("", "Ouvrez le lien entier"), ("faux", "Ce lien n’ouvre pas de réunion"), ("à côté", "Ce lien n’ouvre pas")],
)
def test_a_link_without_its_secret_opens_nothing_and_says_the_same_for_no_meeting(scene, secret, sentence):
    meeting = plan(scene.nurse)
    told = []
    for pk in (meeting.pk, uuid.uuid4()):
        assert Client().get(f"/p/reunions/{pk}/").status_code == 200
        answer = Client().post(f"/p/reunions/{pk}/", {"name": "Anne", "secret": secret})
        assert answer.status_code == 422
        told.append(sentence in words(answer))
    assert told == [True, True]
    assert not Guest.objects.exists()


def test_a_link_that_was_replaced_opens_nothing_and_who_is_inside_stays(scene):
    meeting = plan(scene.nurse)
    browser, _answer = come(meeting)
    meetings.enter(actor=actor_for(scene.nurse), meeting=meeting)
    rooms.admit(actor=actor_for(scene.nurse), invitation=Invitation.objects.get(part=Part.GUEST))
    old = guest_link(meeting).split("#")[1]
    meetings.renew_link(actor=actor_for(scene.nurse), meeting=meeting)
    assert Client().post(f"/p/reunions/{meeting.pk}/", {"name": "Anne", "secret": old}).status_code == 422
    meeting.refresh_from_db()
    assert come(meeting)[1].status_code == 302
    assert browser.get("/p/reunions/appel/").status_code == 200


def test_a_guest_sees_this_meeting_and_nothing_else(scene):
    meeting, other = plan(scene.nurse), plan(scene.stranger)
    browser, _answer = come(meeting)
    meetings.enter(actor=actor_for(scene.stranger), meeting=other)
    room = Room.objects.get(about=other.pk)
    for url in (f"/p/salles/{room.pk}/", f"/p/salles/{room.pk}/etat"):
        assert browser.get(url).status_code == 404
    assert browser.get(f"/reunions/{meeting.pk}/").url.startswith("/connexion/")
    assert browser.get("/p/rendez-vous/").status_code in (302, 404)


def test_a_patient_s_own_space_is_untouched_by_a_guest_s_cookie(scene):
    grant, _secrets = make_grant()
    browser, _answer = come(plan(scene.nurse), browser=let_in(Client(), grant))
    assert browser.get("/p/reunions/appel/").status_code == 200
    assert browser.get(f"/p/{grant.pk}/").url == "/p/rendez-vous/"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"starts_at": timedelta(days=1)}, "Vous pourrez entrer 30 minutes avant"),
        ({"starts_at": -timedelta(days=1)}, "elle est passée. Demandez un nouveau lien."),
        ({"state": State.ENDED}, "Cette réunion est terminée."),
        ({"state": State.CANCELLED}, "Cette réunion est annulée."),
    ],
)
def test_too_early_too_late_ended_and_cancelled_get_a_sentence_each(scene, change, sentence):
    meeting = plan(scene.nurse)
    if shift := change.get("starts_at"):
        start = timezone.now() + shift
        Meeting.objects.update(starts_at=start, ends_at=start + timedelta(minutes=30))
    else:
        Meeting.objects.update(**change)
    assert sentence in words(come(meeting)[1])
    assert sentence in words(client_of(scene.nurse).get(f"/reunions/{meeting.pk}/"))
    with pytest.raises(Refused, match=sentence[:20]):
        meetings.enter(actor=actor_for(scene.nurse), meeting=meeting)


def test_people_enter_from_thirty_minutes_before_that_instant_included(scene):
    meeting = plan(scene.nurse, starts_at=timezone.now() + timedelta(minutes=29))
    assert come(meeting)[1].status_code == 302


def test_a_meeting_that_ends_is_over_for_all_and_what_was_written_is_gone(scene):
    meeting = plan(scene.nurse)
    room = meetings.enter(actor=actor_for(scene.nurse), meeting=meeting)
    rooms.join(actor=actor_for(scene.nurse), room=room)
    rooms.say(actor=actor_for(scene.nurse), room=room, text="Bonjour")
    browser, _answer = come(meeting)
    client_of(scene.nurse).post(f"/reunions/{meeting.pk}/terminer")
    room.refresh_from_db()
    assert room.ended_at is not None
    assert not Line.objects.exists()
    assert browser.get("/p/reunions/appel/").status_code == 302, "the cookie opens nothing any more"


def test_a_meeting_that_is_called_off_tells_those_invited_and_takes_the_entry_back(scene):
    meeting = plan(scene.nurse, starts_at=timezone.now() + timedelta(days=1), emails=("dehors@exemple.test",))
    client_of(scene.nurse).post(f"/reunions/{meeting.pk}/annuler")
    message = Message.objects.get(type="meetings.cancelled")
    text: Text = registry.TYPES[message.type]
    assert text.still_wanted(message)
    assert "METHOD:CANCEL" in text.render(message, {}).attachments[0].content.decode()
    invited = Message.objects.get(type=INVITED)
    assert not text.__class__.still_wanted(registry.TYPES[INVITED], invited)


def test_a_meeting_with_somebody_inside_is_ended_rather_than_called_off(scene):
    meeting = plan(scene.nurse)
    rooms.join(actor=actor_for(scene.nurse), room=meetings.enter(actor=actor_for(scene.nurse), meeting=meeting))
    with pytest.raises(Refused, match="Terminez-la"):
        meetings.cancel(actor=actor_for(scene.nurse), meeting=meeting)


def test_where_its_organiser_left_the_managers_of_the_place_call_it_off(scene):
    meeting = plan(scene.nurse)
    remove_member(actor=SYSTEM_ACTOR, membership_id=scene.nurse.pk)
    with pytest.raises(NotFound):
        meetings.cancel(actor=actor_for(scene.geriatrician), meeting=meeting)
    manager = make_member(scene.home, Role.MANAGER)
    assert meetings.cancel(actor=actor_for(manager), meeting=meeting).state == State.CANCELLED


def test_whoever_left_the_establishment_is_out_of_the_meeting_at_the_next_request(scene):
    member = make_practitioner(make_establishment("Ici"))
    browser = client_of(make_member(make_establishment("Ailleurs"), user=member.user))
    meeting = plan(scene.nurse, emails=(member.user.email,))
    room = meetings.enter(actor=actor_for(member), meeting=meeting)
    assert browser.get(f"/salles/{room.pk}/etat").json()["admitted"] is True
    remove_member(actor=SYSTEM_ACTOR, membership_id=member.pk)
    assert browser.get(f"/salles/{room.pk}/etat").json()["revoked"] is True


def test_a_meeting_that_is_long_over_ends_by_itself_once_nobody_is_there(scene):
    meeting = plan(scene.nurse)
    rooms.join(actor=actor_for(scene.nurse), room=meetings.enter(actor=actor_for(scene.nurse), meeting=meeting))
    start = timezone.now() - timedelta(hours=6)
    Meeting.objects.update(starts_at=start, ends_at=start + timedelta(minutes=30))
    assert meetings.end_past() == 0
    Peer.objects.update(seen_at=start)
    Presence.objects.update(seen_at=start)
    assert meetings.end_past() == 1
    meeting.refresh_from_db()
    assert meeting.state == State.ENDED


def test_a_meeting_that_cannot_be_ended_holds_back_no_other(scene, monkeypatch):
    bad, good = plan(scene.nurse), plan(scene.regulator)
    start = timezone.now() - timedelta(hours=6)
    Meeting.objects.update(starts_at=start, ends_at=start + timedelta(minutes=30))
    plain = meetings.end

    def broken(*, actor, meeting):
        if meeting == bad:
            raise Refused("« Terminer » n’est plus possible")
        plain(actor=actor, meeting=meeting)

    monkeypatch.setattr(meetings, "end", broken)
    assert meetings.end_past() == 1
    assert set(Meeting.objects.values_list("pk", "state")) == {(bad.pk, State.PLANNED), (good.pk, State.ENDED)}


def test_a_link_lets_in_a_hundred_people_at_most(scene, monkeypatch):
    monkeypatch.setattr(guests, "MOST", 1)
    meeting = plan(scene.nurse)
    assert come(meeting)[1].status_code == 302
    assert "Trop de personnes" in words(come(meeting)[1])


def test_another_link_has_a_hundred_places_of_its_own_and_forgets_who_was_never_let_in(scene, monkeypatch):
    monkeypatch.setattr(guests, "MOST", 1)
    meeting = plan(scene.nurse)
    room = meetings.enter(actor=actor_for(scene.nurse), meeting=meeting)
    inside, _answer = come(meeting, "Anne")
    rooms.admit(actor=actor_for(scene.nurse), invitation=Invitation.objects.get(name="Anne"))
    meetings.renew_link(actor=actor_for(scene.nurse), meeting=meeting)
    meeting.refresh_from_db()
    stranger, answer = come(meeting, "Inconnu")
    assert answer.status_code == 302
    meetings.renew_link(actor=actor_for(scene.nurse), meeting=meeting)
    assert [guest.name for guest in meeting.guests.all()] == ["Anne"]
    assert not Invitation.objects.filter(name="Inconnu").exists()
    assert inside.get(f"/p/salles/{room.pk}/etat").json()["admitted"]
    assert stranger.get(f"/p/salles/{room.pk}/etat").status_code != 200


def test_the_list_takes_the_same_queries_with_one_meeting_as_with_three(scene, django_assert_num_queries):
    browser = client_of(scene.nurse)
    plan(scene.nurse)
    browser.get("/reunions/")
    with CaptureQueriesContext(connection) as one:
        browser.get("/reunions/")
    for _ in range(2):
        plan(scene.nurse, emails=("dehors@exemple.test",))
    with django_assert_num_queries(len(one)):
        browser.get("/reunions/")
