"""Rooms of many: who gets a place at the video relay, how many, and what happens without one. With a real Janus where there is one."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import client_of
from relais.core.errors import Refused
from relais.patients.testing import make_grant
from relais.rooms import actions, sfu
from relais.rooms.janus import Failed, Janus, Unreachable
from relais.rooms.management.commands.sfu import configuration
from relais.rooms.models import ABSENT_AFTER, Carrier, Invitation, Part, Peer, Room, Seat
from relais.rooms.queries import call_state
from relais.rooms.testing import NO_JANUS, SECRET, Relay, installed
from relais.rooms.tests.conftest import SYSTEM, Scene, make_scene

pytestmark = pytest.mark.django_db
needs_janus = pytest.mark.skipif(not installed(), reason=NO_JANUS)

# What a page that sends sound offers.
OFFER = "\r\n".join([
    *("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
    *("c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=setup:actpass", "a=mid:0"),
    *("a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=sendonly", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", ""),
])  # fmt: skip


@pytest.fixture(scope="module")
def janus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    relay = Relay(tmp_path_factory.mktemp("janus") / "janus.log")
    relay.start()
    yield relay
    relay.stop()


def know(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    monkeypatch.setattr(settings, "ENV", settings.ENV | values)


@pytest.fixture
def relay(janus: Relay, monkeypatch: pytest.MonkeyPatch) -> Relay:
    know(monkeypatch, SFU_PORT=janus.port, SFU_SECRET=SECRET)
    return janus


@pytest.fixture
def many(db: None) -> Scene:
    """A room of 25."""
    return make_scene(max_people=25)


def send(client: Client, path: str, data: dict[str, Any]) -> Any:
    return client.post(path, json.dumps(data), content_type="application/json", headers={"Accept": "application/json"})


def publish(client: Client, path: str, page: str, **more: Any) -> Any:
    return send(client, f"{path}relais/envoyer", {"peer": page, "sdp": OFFER, **more})


def receive(client: Client, path: str, page: str, *seats: uuid.UUID) -> Any:
    return send(client, f"{path}relais/recevoir", {"peer": page, "seats": [str(one) for one in seats]})


def enter(client: Client, path: str) -> Any:
    return send(client, f"{path}entrer", {"closes": True}).json()


def there(relay: Relay, room: Room) -> int:
    """How many pages Janus has in this room."""
    session = relay.janus.open()
    handle = relay.janus.attach(session)
    answer = relay.janus.tell(session, handle, {"request": "listparticipants", "room": str(room.pk)})
    relay.janus.close(session)
    return len(answer.data["participants"])


def left(relay: Relay, room: Room, expected: int) -> int:
    """The same once places were closed: Janus says that a session is over before it has taken its pages out of the room."""
    deadline = time.monotonic() + 20
    while (pages := there(relay, room)) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return pages


def path_of(scene: Scene) -> str:
    return f"/salles/{scene.room.pk}/"


@pytest.mark.parametrize(
    ("people", "carrier"), [(2, Carrier.MESH), (4, Carrier.MESH), (5, Carrier.SFU), (25, Carrier.SFU)]
)
def test_how_a_room_is_carried_is_chosen_by_its_size(db: None, people: int, carrier: str) -> None:
    assert actions.open_room(actor=SYSTEM, about=uuid.uuid4(), max_people=people).carrier == carrier


def test_a_room_larger_than_the_installation_allows_is_refused(db: None) -> None:
    with pytest.raises(Refused, match="25 personnes au plus"):
        actions.open_room(actor=SYSTEM, about=uuid.uuid4(), max_people=26)
    assert not Room.objects.exists()


def test_the_26th_person_is_refused_in_one_sentence(many: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9"])
    for number in range(24):
        grant, _secrets = make_grant(many.grant.patient, about=many.about)
        invitation = Invitation.objects.create(
            room=many.room, holder_id=grant.pk, part=Part.GUEST, name=f"Invité {number}", admitted_at=timezone.now()
        )
        Peer.objects.create(invitation=invitation)
    many.join(many.doctor_actor)
    answer = send(many.patient_client(), f"/p/salles/{many.room.pk}/entrer", {"closes": True})
    assert answer.status_code == 409
    assert (
        answer.json()["error"]
        == "L’appel est complet : 25 personnes au plus. Vous entrerez dès qu’une place sera libre."
    )
    actions.leave_call(actor=many.doctor_actor, peer_id=Peer.objects.get(invitation=many.host).pk)
    Invitation.objects.filter(part=Part.GUEST).update(part=Part.HOST)
    assert many.join(many.patient_actor).left_at is None


@needs_janus
def test_two_pages_send_and_receive_and_leaving_frees_the_place(
    many: Scene, relay: Relay, django_capture_on_commit_callbacks: Any
) -> None:
    doctor, patient = many.doctor_client(), many.patient_client()
    path, patient_path = path_of(many), f"/p/salles/{many.room.pk}/"
    first, second = enter(doctor, path)["peer"], enter(patient, patient_path)["peer"]
    answer = publish(doctor, path, first).json()
    assert answer["inside"]
    assert "a=fingerprint" in answer["sdp"]
    assert "a=recvonly" in answer["sdp"]
    publish(patient, patient_path, second)
    assert there(relay, many.room) == 2
    state = call_state(Room.objects.get(), many.host, uuid.UUID(first), 0)
    assert state["relay"]["seats"] == {}, "nobody's line stands yet"
    send(patient, f"{patient_path}rester", {"peer": second, "up": True})
    seat = Seat.objects.get(peer_id=second)
    state = call_state(Room.objects.get(), many.host, uuid.UUID(first), 0)
    assert state["relay"]["seats"] == {second: str(seat.pk)}

    key = state["relay"]["key"]
    with django_capture_on_commit_callbacks(execute=True):
        patient.post(f"{patient_path}quitter", {"peer": second})
    assert left(relay, many.room, 1) == 1
    after = call_state(Room.objects.get(), many.host, uuid.UUID(first), 0)["relay"]
    assert after["key"]["number"] == key["number"] + 1
    assert after["key"]["value"] != key["value"]
    assert after["seats"] == {}
    assert receive(doctor, path, first, seat.pk).json()["inside"], "who was wanted has gone"


@needs_janus
def test_who_is_not_invited_gets_no_place_at_the_relay(many: Scene, relay: Relay, stranger: Membership) -> None:
    path, client = path_of(many), client_of(stranger)
    page = enter(many.doctor_client(), path)["peer"]
    publish(many.doctor_client(), path, page)
    for answer in (
        publish(client, path, page),
        receive(client, path, page),
        send(client, f"{path}relais/repondre", {"peer": page, "sdp": OFFER}),
        publish(many.patient_client(), f"/p/salles/{many.room.pk}/", page),
        publish(Client(), path, page),
    ):
        assert answer.status_code in (401, 404, 302), answer.content
    assert Seat.objects.count() == 1
    assert there(relay, many.room) == 1


@needs_janus
def test_who_was_sent_away_has_no_place_left(
    many: Scene, relay: Relay, django_capture_on_commit_callbacks: Any
) -> None:
    many.join(many.doctor_actor)
    actions.admit(actor=many.doctor_actor, invitation=many.guest)
    guest, path = many.guest_client(), f"/p/salles/{many.room.pk}/"
    page = enter(guest, path)["peer"]
    assert publish(guest, path, page).json()["inside"]
    with django_capture_on_commit_callbacks(execute=True):
        actions.revoke(actor=many.doctor_actor, invitation=many.guest)
    assert left(relay, many.room, 0) == 0
    assert publish(guest, path, page).json() == {"inside": False, "sdp": None}
    assert receive(guest, path, page).json() == {"inside": False}


@needs_janus
def test_one_receives_the_others_of_the_same_room_alone(
    many: Scene, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_scene(max_people=25)
    pages = [
        (other.doctor_client(), path_of(other)),
        (many.patient_client(), f"/p/salles/{many.room.pk}/"),
        (many.doctor_client(), path_of(many)),
    ]
    seats = []
    many.join(many.doctor_actor)  # patients enter once a professional is inside
    for client, path in pages:
        page = enter(client, path)["peer"]
        publish(client, path, page)
        send(client, f"{path}rester", {"peer": page, "up": True})
        seats.append(Seat.objects.get(peer_id=page).pk)
    asked: list[list[str]] = []
    monkeypatch.setattr(sfu, "receive", lambda place, room, wanted, held: asked.append(list(wanted)))
    assert receive(*pages[2], page, *seats).json() == {
        "inside": True,
        "sdp": "",
        "lines": {},
        "fresh": True,
        "seats": [],
    }
    assert asked == [[str(seats[1])]], "neither oneself nor another room"


@needs_janus
def test_an_offer_that_was_never_answered_is_made_again_on_a_fresh_connection(
    many: Scene, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor, path = many.doctor_client(), path_of(many)
    page = enter(doctor, path)["peer"]
    publish(doctor, path, page)
    patient, patient_path = many.patient_client(), f"/p/salles/{many.room.pk}/"
    theirs = enter(patient, patient_path)["peer"]
    publish(patient, patient_path, theirs)
    send(patient, f"{patient_path}rester", {"peer": theirs, "up": True})
    seat = Seat.objects.get(peer_id=theirs).pk
    held: list[list[str]] = []

    def offer(place: sfu.Place, room: str, wanted: Iterator[str], before: Iterator[str]) -> sfu.Reception:
        held.append(list(before))
        return sfu.Reception("v=0", {"0": str(seat)})

    monkeypatch.setattr(sfu, "receive", offer)
    handle = Seat.objects.get(peer_id=page).receives
    assert receive(doctor, path, page, seat).json()["fresh"]
    assert receive(doctor, path, page, seat).json()["fresh"], "the first answer never came"
    assert Seat.objects.get(peer_id=page).receives != handle
    monkeypatch.setattr(sfu, "start", lambda place, answer: None)
    assert send(doctor, f"{path}relais/repondre", {"peer": page, "sdp": OFFER}).json() == {"inside": True}
    assert not receive(doctor, path, page, seat).json()["fresh"]
    assert held == [[], [], [str(seat)]]


def seated(many: Scene, **fields: Any) -> tuple[Client, str, str]:
    """The doctor inside with a place at a relay that nobody asks."""
    Room.objects.update(node="here")
    page = str(many.join(many.doctor_actor).pk)
    values: dict[str, Any] = {"node": "here", "session": 1, "sends": 2, "receives": 3, "up": True}
    Seat.objects.create(peer_id=page, **{**values, **fields})
    return many.doctor_client(), path_of(many), page


def outside(answer: Any) -> Any:
    """What a relay answers, that is asked in no transaction but the test's own."""

    def asked(*_given: Any) -> Any:
        assert not connection.savepoint_ids
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asked


def test_what_the_relay_answers_too_late_is_asked_anew_on_a_fresh_connection_and_outside_of_transactions(
    many: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9"])
    client, path, page = seated(many)
    theirs = Seat.objects.create(
        peer=many.join(many.patient_actor), node="here", session=4, sends=5, receives=6, up=True
    )
    monkeypatch.setattr(sfu, "receive", outside(Unreachable()))
    assert receive(client, path, page, theirs.pk).json()["lost"]
    monkeypatch.setattr(sfu, "receive_anew", outside(sfu.Place("here", 1, 2, 7)))
    monkeypatch.setattr(sfu, "receive", outside(sfu.Reception("v=0", {"0": str(theirs.pk)})))
    found = receive(client, path, page, theirs.pk).json()
    assert (found["fresh"], found["seats"]) == (True, [str(theirs.pk)])
    seat = Seat.objects.get(peer_id=page)
    assert (seat.receives, seat.feeds, seat.unanswered) == (7, [theirs.pk], True)
    monkeypatch.setattr(sfu, "start", outside(None))
    assert send(client, f"{path}relais/repondre", {"peer": page, "sdp": OFFER}).json() == {"inside": True}
    assert not Seat.objects.get(peer_id=page).unanswered


def test_what_comes_for_a_place_that_was_given_up_meanwhile_is_lost(
    many: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9"])
    client, path, page = seated(many)

    def given_up(*_asked: Any) -> sfu.Reception:
        Seat.objects.filter(peer_id=page).delete()
        return sfu.Reception("v=0", {})

    monkeypatch.setattr(sfu, "receive", given_up)
    assert receive(client, path, page).json()["lost"]
    assert not Seat.objects.exists()


def test_a_room_that_is_made_for_four_again_gives_up_the_places_of_pages_that_went_without_a_word(
    many: Scene, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9"])
    seated(many)
    closed: list[sfu.Place] = []
    monkeypatch.setattr(sfu, "close", closed.append)
    with django_capture_on_commit_callbacks(execute=True):
        actions.open_room(actor=SYSTEM, about=many.about, max_people=25)
    assert Seat.objects.exists(), "nothing has changed"
    with django_capture_on_commit_callbacks(execute=True):
        actions.open_room(actor=SYSTEM, about=many.about)
    assert (closed, Seat.objects.exists()) == ([sfu.Place("here", 1, 2, 3)], False)


def test_a_connection_that_is_gone_already_is_no_obstacle_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    class Restarted:
        def detach(self, session: int, handle: int) -> None:
            raise Failed(459, "No such handle")

        def attach(self, session: int) -> int:
            return 8

    monkeypatch.setattr(sfu, "node", lambda name: Restarted())
    assert sfu.receive_anew(sfu.Place("here", 1, 2, 3)).receives == 8


def test_a_fallen_room_tries_the_relay_before_it_locks_its_row(many: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9"])
    Room.objects.update(fallen_at=timezone.now())
    many.room.refresh_from_db()
    monkeypatch.setattr(sfu, "choose", outside("here"))
    many.join(many.doctor_actor)
    assert Room.objects.get().fallen_at is None


def test_a_place_at_a_relay_that_the_room_has_left_is_no_place_and_nobody_receives_it(
    many: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9", "there=http://127.0.0.1:9"])
    client, path, page = seated(many)
    monkeypatch.setattr(sfu, "keep", lambda place: True)
    assert send(client, f"{path}rester", {"peer": page}).json()["seated"]
    assert client.get(f"{path}etat", {"peer": page}).json()["relay"]["seats"]
    Room.objects.update(node="there")
    assert not send(client, f"{path}rester", {"peer": page}).json()["seated"]
    assert not client.get(f"{path}etat", {"peer": page}).json()["relay"]["seats"]


def test_of_two_pages_that_find_two_relays_the_slower_gives_its_place_back(
    many: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, SFU_URLS=["here=http://127.0.0.1:9"])
    page = str(many.join(many.doctor_actor).pk)
    place = sfu.Place("here", 1, 2, 3)

    def slow(*_asked: Any) -> str:
        Room.objects.update(node="there")
        return "v=0"

    closed: list[sfu.Place] = []
    for name, fake in {
        "choose": lambda *_: "here", "open_place": lambda *_: place, "publish": slow, "close": closed.append
    }.items():  # fmt: skip
        monkeypatch.setattr(sfu, name, fake)
    assert publish(many.doctor_client(), path_of(many), page).json()["lost"]
    assert closed == [place]


def test_whoever_changes_network_finds_a_place_in_a_full_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Janus counts the last place until it is given up: each person of the room may send twice for a moment."""
    told: list[dict[str, Any]] = []

    class Full:
        def open(self) -> int:
            return 1

        def attach(self, session: int) -> int:
            return 2

        def tell(self, session: int, handle: int, body: dict[str, Any]) -> None:
            told.append(body)

    monkeypatch.setattr(sfu, "node", lambda name: Full())
    sfu.open_place("here", "room", 25)
    assert told[0]["publishers"] == 2 * 25


@needs_janus
def test_ending_the_call_turns_everybody_out(
    many: Scene, relay: Relay, django_capture_on_commit_callbacks: Any
) -> None:
    doctor, path = many.doctor_client(), path_of(many)
    publish(doctor, path, enter(doctor, path)["peer"])
    with django_capture_on_commit_callbacks(execute=True):
        actions.end_room(actor=many.doctor_actor, about=many.about)
    assert not Seat.objects.exists()
    assert Room.objects.get().frames_key == ""
    with pytest.raises(Failed):
        there(relay, many.room)


@needs_janus
def test_a_page_whose_place_was_lost_learns_it_and_takes_another(many: Scene, relay: Relay) -> None:
    doctor, path = many.doctor_client(), path_of(many)
    page = enter(doctor, path)["peer"]
    publish(doctor, path, page)
    assert send(doctor, f"{path}rester", {"peer": page}).json() == {"inside": True, "seated": True}
    sfu.close(sfu.Place(sfu.LOCAL, Seat.objects.get().session, 0, 0))
    assert send(doctor, f"{path}rester", {"peer": page}).json() == {"inside": True, "seated": False}
    assert receive(doctor, path, page, uuid.uuid4()).json()["inside"]
    assert publish(doctor, path, page).json()["inside"]
    assert Seat.objects.count() == 1
    assert send(doctor, f"{path}rester", {"peer": page}).json()["seated"]


@needs_janus
def test_a_room_goes_to_another_relay_when_its_own_is_away(
    many: Scene, janus: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    Room.objects.update(node="gone")
    know(monkeypatch, SFU_URLS=["gone=http://127.0.0.1:9", f"there=http://127.0.0.1:{janus.port}"], SFU_SECRET=SECRET)
    doctor, path = many.doctor_client(), path_of(many)
    assert publish(doctor, path, enter(doctor, path)["peer"]).json()["sdp"]
    assert (Room.objects.get().node, Seat.objects.get().node) == ("there", "there")


@needs_janus
def test_the_relay_answers_nobody_without_the_secret(janus: Relay) -> None:
    with pytest.raises(Failed, match="403"):
        Janus(janus.janus.base, "another").open()


def test_the_configuration_is_ours_and_stays_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, SFU_SECRET=SECRET, SFU_MEDIA_PORTS="20000-24999", SFU_PUBLIC_ADDRESS="192.0.2.7")
    library = tmp_path / "janus"
    for folder, names in {"plugins": ("videoroom", "echotest"), "transports": ("http", "mqtt")}.items():
        (library / folder).mkdir(parents=True)
        for name in names:
            (library / folder / f"libjanus_{name}.so").touch()
    files = configuration(tmp_path, library, "127.0.0.1", 18188)
    assert 'ip = "127.0.0.1"' in files["janus.transport.http.jcfg"]
    assert "port = 18188" in files["janus.transport.http.jcfg"]
    assert "admin_http = false" in files["janus.transport.http.jcfg"]
    core = files["janus.jcfg"]
    for line in (
        f'api_secret = "{SECRET}"',
        'disable = "libjanus_echotest.so"',
        'disable = "libjanus_mqtt.so"',
        'rtp_port_range = "20000-24999"',
        'nat_1_1_mapping = "192.0.2.7"',
    ):
        assert line in core
    assert "/etc/janus" not in "".join(files.values())


def test_without_a_relay_a_room_of_many_falls_back_and_a_fifth_person_waits(many: Scene) -> None:
    page = enter(many.doctor_client(), path_of(many))
    assert (page["state"]["carrier"], page["state"]["fallen"]) == ("mesh", True)
    for _number in range(3):
        invitation = Invitation.objects.create(
            room=many.room, holder_id=uuid.uuid4(), part=Part.GUEST, name="Invité", admitted_at=timezone.now()
        )
        Peer.objects.create(invitation=invitation)
    with pytest.raises(Refused, match="Le relais vidéo ne répond pas : l’appel est limité à 4 personnes"):
        many.join(many.patient_actor)


def test_whoever_was_inside_when_the_relay_went_away_comes_back_through_a_reload(
    many: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, SFU_URLS=["gone=http://127.0.0.1:9"])
    doctor, path = many.doctor_client(), path_of(many)
    page = enter(doctor, path)["peer"]
    many.join(many.patient_actor)
    for _number in range(4):
        invitation = Invitation.objects.create(room=many.room, holder_id=uuid.uuid4(), part=Part.GUEST, name="Invité")
        Peer.objects.create(invitation=invitation)
    assert publish(doctor, path, page).json() == {"inside": True, "lost": True}
    assert not Room.objects.get().fallen_at, "one page's word is not enough: it tries for some seconds"
    assert publish(doctor, path, page, last=True).json() == {"inside": False, "sdp": None}
    assert Room.objects.get().fallen_at
    assert many.join(many.patient_actor).left_at is None
    actions.admit(actor=many.doctor_actor, invitation=many.guest)
    with pytest.raises(Refused, match="relais vidéo"):
        many.join(many.guest_actor)


@needs_janus
def test_the_first_who_comes_back_to_a_fallen_room_tries_the_relay_again(many: Scene, relay: Relay) -> None:
    Room.objects.update(fallen_at=timezone.now())
    assert enter(many.doctor_client(), path_of(many))["state"]["carrier"] == "sfu"
    Room.objects.update(fallen_at=timezone.now())
    assert enter(many.patient_client(), f"/p/salles/{many.room.pk}/")["state"]["carrier"] == "mesh", (
        "not while somebody is inside"
    )


def test_a_call_of_many_is_closed_to_the_relay_unless_a_browser_inside_cannot(
    many: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, SFU_URLS=["gone=http://127.0.0.1:9"])
    assert enter(many.doctor_client(), path_of(many))["state"]["relay"]["closed"]
    old = send(many.patient_client(), f"/p/salles/{many.room.pk}/entrer", {}).json()
    assert not old["state"]["relay"]["closed"]
    with_key = call_state(Room.objects.get(), many.host, Peer.objects.get(invitation=many.host).pk, 0)
    assert len(with_key["relay"]["key"]["value"]) == 44
    assert "relay" not in call_state(Room.objects.get(), many.guest, None, 0), "who waits has no key"


def test_a_page_that_fell_silent_leaves_a_relayed_call(many: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, SFU_URLS=["gone=http://127.0.0.1:9"])
    many.join(many.doctor_actor)
    peer = many.join(many.patient_actor)
    number = Room.objects.get().frames_key_number
    Peer.objects.filter(pk=peer.pk).update(seen_at=timezone.now() - ABSENT_AFTER - timedelta(seconds=1))
    actions.tell_absences()
    assert Peer.objects.get(pk=peer.pk).left_at
    assert Room.objects.get().frames_key_number == number + 1
