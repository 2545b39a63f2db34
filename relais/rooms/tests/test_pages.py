"""Rooms over HTTP: both sides, strangers, bad input, the self-test and its report."""

import json
import time
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from relais.accounts.models import Membership
from relais.accounts.testing import client_of
from relais.rooms import actions, permissions, turn
from relais.rooms.models import DeviceTest, Invitation, Line
from relais.rooms.queries import last_test
from relais.rooms.tests.conftest import Scene

pytestmark = pytest.mark.django_db
PARTS = {name: {"result": "ok", "note": "bien"} for name in ("browser", "camera", "microphone", "speaker", "network")}
FACTS = {"delay_ms": 40, "down_kbps": 8000, "up_kbps": 2000}


def send(client: Client, path: str, data: Any) -> Any:
    return client.post(path, json.dumps(data), content_type="application/json", headers={"Accept": "application/json"})


def test_each_side_reaches_the_call_at_its_own_address(scene: Scene) -> None:
    doctor = scene.doctor_client().get(f"/salles/{scene.room.pk}/")
    patient = scene.patient_client().get(f"/p/salles/{scene.room.pk}/")
    assert (doctor.status_code, patient.status_code) == (200, 200)
    assert f"/salles/{scene.room.pk}/entrer" in doctor.content.decode()
    assert f"/p/salles/{scene.room.pk}/entrer" in patient.content.decode()
    assert "Le professionnel est prévenu. Gardez cette page ouverte." in patient.content.decode()
    assert 'data-panel="dossier"' not in patient.content.decode()


@pytest.mark.parametrize("by", ["dismissal", "gate"])
def test_whoever_was_dismissed_learns_nobodys_name_from_the_state_of_a_room(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    actions.beat(actor=scene.guest_actor, about=scene.about, place="waiting")
    scene.join(scene.doctor_actor)
    client, path = scene.doctor_client(), f"/salles/{scene.room.pk}/etat"
    before = client.get(path).json()
    assert ([one["name"] for one in before["waiting"]], len(before["people"])) == (["Alex (interprète)"], 1)
    if by == "gate":
        monkeypatch.setattr(permissions, "gates", [lambda invitation: not invitation.is_host])
    else:
        place = scene.doctor.establishment_id
        Invitation.objects.filter(pk=scene.host.pk).update(establishment_id=place)
        actions.dismiss(holder_id=scene.doctor.user_id, establishment_id=place)
    after = client.get(path).json()
    assert (after["revoked"], after["waiting"], after["people"]) == (True, [], [])


PAGES = ["", "etat", "personnes", "messages"]
POSTS = ["entrer", "rester", "signaux", "ecrire", "image/demander", "quitter"]


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_finds_no_room(scene: Scene, stranger: Membership, page: str) -> None:
    path = f"/salles/{scene.room.pk}/{page}"
    assert client_of(stranger).get(path).status_code == 404
    assert client_of(stranger).get(f"/salles/{uuid.uuid4()}/{page}").status_code == 404
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize("page", POSTS)
def test_a_stranger_changes_nothing(scene: Scene, stranger: Membership, page: str) -> None:
    body = {"peer": str(uuid.uuid4()), "messages": [], "text": "x", "subject": str(scene.patient.pk), "kind": "photo"}
    answer = send(client_of(stranger), f"/salles/{scene.room.pk}/{page}", body)
    assert answer.status_code == 404


def test_a_guest_at_the_door_reads_neither_people_nor_messages(scene: Scene) -> None:
    actions.say(actor=scene.doctor_actor, room=scene.room, text="Secret")
    guest = scene.guest_client()
    page = guest.get(f"/p/salles/{scene.room.pk}/").content.decode()
    assert "Secret" not in page
    assert "Camille" not in page
    listed = guest.get(f"/p/salles/{scene.room.pk}/personnes")
    assert (listed.status_code, listed.content) == (204, b"")
    assert "Secret" not in guest.get(f"/p/salles/{scene.room.pk}/messages").content.decode()
    assert guest.get(f"/p/salles/{scene.room.pk}/etat").json()["people"] == []


def test_entering_gives_the_page_its_servers_and_the_others(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    answer = send(scene.patient_client(), f"/p/salles/{scene.room.pk}/entrer", {}).json()
    assert answer["servers"] == []
    assert [person["name"] for person in answer["state"]["people"]] == ["Dr Claire Martin", "Camille Durand"]
    assert answer["state"]["inside"] is True


def test_entering_too_early_answers_a_sentence(scene: Scene) -> None:
    answer = send(scene.patient_client(), f"/p/salles/{scene.room.pk}/entrer", {})
    assert (answer.status_code, answer.json()["error"]) == (
        409,
        "Le professionnel n’est pas encore dans l’appel. Gardez cette page ouverte.",
    )


def test_the_host_admits_and_sends_away_from_the_list(scene: Scene) -> None:
    doctor, base = scene.doctor_client(), f"/salles/{scene.room.pk}/personnes"
    listed = doctor.get(base).content.decode()
    assert "Non authentifié" in listed
    assert "Faire entrer" in listed
    assert "Retirer de l’appel" in doctor.post(f"{base}/{scene.guest.pk}/admettre").content.decode()
    assert "Accès retiré" in doctor.post(f"{base}/{scene.guest.pk}/retirer").content.decode()
    assert doctor.post(f"{base}/{uuid.uuid4()}/admettre").status_code == 404
    patient = scene.patient_client()
    assert patient.post(f"/p{base}/{scene.guest.pk}/admettre").status_code == 404
    assert "Faire entrer" not in patient.get(f"/p{base}").content.decode()


@pytest.mark.req("TC-43")
def test_a_message_is_seen_by_the_other_side_as_text(scene: Scene) -> None:
    doctor = scene.doctor_client().post(f"/salles/{scene.room.pk}/ecrire", {"text": "<b>Toussez</b>"})
    assert "&lt;b&gt;Toussez" in doctor.content.decode()
    patient = scene.patient_client().get(f"/p/salles/{scene.room.pk}/messages").content.decode()
    assert "Dr Claire Martin" in patient
    assert "&lt;b&gt;Toussez" in patient
    assert Line.objects.count() == 1


@pytest.mark.parametrize("body", ["", "[]", "{", '"x"'])
def test_what_is_no_object_is_refused_with_a_sentence(scene: Scene, body: str) -> None:
    answer = scene.doctor_client().post(
        f"/salles/{scene.room.pk}/signaux",
        body,
        content_type="application/json",
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 409


UNKEPT = {
    "NUL": r'"\u0000"', "half a pair": r'"\ud800"', "no number": "NaN", "infinite": "-Infinity", "too large": "1e400",
    "nested": "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("value", UNKEPT.values(), ids=UNKEPT)
def test_what_no_database_keeps_is_refused_with_a_sentence(scene: Scene, value: str) -> None:
    mine, theirs = scene.join(scene.doctor_actor).pk, scene.join(scene.patient_actor).pk
    signal = f'{{"peer": "{mine}", "messages": [{{"to": "{theirs}", "payload": {{"type": "offer", "sdp": %s}}}}]}}'
    tested = '{"parts": {"camera": {"result": "ok", "note": %s}}, "facts": {}}'
    for client, path, body in (
        (scene.doctor_client(), f"/salles/{scene.room.pk}/signaux", signal),
        (scene.patient_client(), "/p/salles/test/resultat", tested),
    ):
        said = {"content_type": "application/json", "headers": {"Accept": "application/json"}}
        refused = client.post(path, body % value, **said)
        assert (refused.status_code, "Rechargez-la" in refused.json()["error"]) == (409, True)
        assert client.post(path, body % r'"\\u0000"', **said).status_code == 200, "six characters, and no NUL"


def test_a_number_that_cannot_be_is_no_place_in_the_signals(scene: Scene) -> None:
    peer, path = scene.join(scene.doctor_actor).pk, f"/salles/{scene.room.pk}/"
    assert scene.doctor_client().get(f"{path}etat", {"peer": peer, "after": "9" * 5000}).status_code == 200
    assert send(scene.doctor_client(), f"{path}rester", {"peer": str(peer), "read": 10**30}).status_code == 200


@pytest.mark.req("TC-09")
def test_heartbeats_come_from_the_patients_side(scene: Scene, stranger: Membership) -> None:
    fields = {"about": str(scene.about), "place": "waiting"}
    assert scene.patient_client().post("/p/salles/presence", fields).status_code == 204
    assert client_of(stranger).post("/salles/presence", fields).status_code == 404
    assert scene.patient_client().post("/p/salles/presence", {"about": "x"}).status_code == 404


def test_relay_credentials_live_for_a_time_and_name_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"TURN_URLS": ["turn:relay.exemple.test:3478"], "TURN_SECRET": "s3cret", "STUN_URLS": ["stun:s.test"]}
    monkeypatch.setattr(settings, "ENV", settings.ENV | values)
    stun, relay = turn.credentials(scene.patient.pk)
    assert stun == {"urls": ["stun:s.test"]}
    expiry, opaque = relay["username"].split(":")
    assert str(scene.patient.pk) not in opaque
    assert 0 < int(expiry) - time.time() <= turn.LIFETIME
    assert len(relay["credential"]) == 28


@pytest.mark.req("TC-10", "TC-31")
def test_the_result_of_a_self_test_is_kept_with_its_report(scene: Scene) -> None:
    client = scene.patient_client()
    assert client.get("/p/salles/test/").status_code == 200
    answer = send(client, "/p/salles/test/resultat", {"parts": PARTS, "facts": FACTS})
    assert answer.json() == {"outcome": "ok"}
    test = last_test(scene.about)
    assert test is not None
    assert test.details["facts"] == FACTS
    report = client.get("/p/salles/test/rapport.txt")
    assert report["Content-Disposition"].startswith('attachment; filename="test-equipement-')
    assert "Réussi" in report.content.decode()
    assert "Durand" not in report.content.decode()


@pytest.mark.req("TC-32")
def test_one_failed_part_fails_the_test_and_skipped_parts_do_not(scene: Scene) -> None:
    client = scene.patient_client()
    parts = {"camera": {"result": "ko", "note": "Aucune caméra"}}
    assert send(client, "/p/salles/test/resultat", {"parts": parts, "facts": {}}).json() == {"outcome": "ko"}
    parts = {"browser": {"result": "ok"}}
    assert send(client, "/p/salles/test/resultat", {"parts": parts, "facts": {}}).json() == {"outcome": "ok"}
    scene.join(scene.doctor_actor)
    assert scene.join(scene.patient_actor), "a failed test never bars the call"


@pytest.mark.parametrize(
    ("parts", "facts"),
    [
        (None, {}),
        ({"nose": {"result": "ok"}}, {}),
        ({"camera": "ok"}, {}),
        ({"camera": {"result": "perhaps"}}, {}),
        ({}, []),
    ],
)
def test_a_malformed_result_is_refused(scene: Scene, parts: Any, facts: Any) -> None:
    answer = send(scene.patient_client(), "/p/salles/test/resultat", {"parts": parts, "facts": facts})
    assert answer.status_code == 409
    assert not DeviceTest.objects.exists()


def test_a_professionals_test_is_about_themselves(scene: Scene) -> None:
    doctor = scene.doctor_client()
    assert doctor.get("/salles/test/rapport.txt").status_code == 404
    send(doctor, "/salles/test/resultat", {"parts": PARTS, "facts": FACTS})
    assert last_test(scene.doctor.user_id) is not None
    assert last_test(scene.about) is None


def test_the_line_is_measured_against_this_server(scene: Scene) -> None:
    client = scene.patient_client()
    assert len(client.get("/p/salles/test/mesure").content) == 307_200
    assert client.get("/p/salles/test/mesure?size=0").content == b""
    sent = client.post("/p/salles/test/mesure", b"x" * 1000, content_type="application/octet-stream")
    assert sent.json() == {"size": 1000}
    assert client.get("/p/salles/test/serveurs").json() == {"configured": False, "servers": []}
