"""Entering the call, signals, lines, pictures: who may, and what is refused."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for
from relais.core.actor import PATIENT, Actor
from relais.core.errors import NotFound, Refused
from relais.core.testing.races import at_once
from relais.rooms import actions
from relais.rooms.actions import calls
from relais.rooms.actions.vacancies import vacate
from relais.rooms.models import Capture, Invitation, Part, Peer, Presence, Room, Signal
from relais.rooms.queries import call_state
from relais.rooms.tests.conftest import SYSTEM, Scene, make_scene

pytestmark = pytest.mark.django_db


def offer_to(peer: Peer) -> dict[str, object]:
    return {"to": str(peer.pk), "payload": {"type": "offer", "sdp": "v=0", "turn": 1}}


@pytest.mark.req("TC-35", "TC-38")
def test_the_patient_enters_once_the_doctor_is_inside(scene: Scene) -> None:
    with pytest.raises(Refused, match="pas encore dans l’appel"):
        scene.join(scene.patient_actor)
    scene.join(scene.doctor_actor)
    assert scene.join(scene.patient_actor).left_at is None


def test_a_guest_waits_until_admitted(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    with pytest.raises(Refused, match="pas encore fait entrer"):
        scene.join(scene.guest_actor)
    actions.admit(actor=scene.doctor_actor, invitation=scene.guest)
    assert scene.join(scene.guest_actor).left_at is None


def test_who_was_not_invited_finds_nothing(scene: Scene, stranger: Membership) -> None:
    for actor in (actor_for(stranger), Actor(PATIENT, grant_id=uuid.uuid4(), about=uuid.uuid4()), SYSTEM):
        with pytest.raises(NotFound):
            scene.join(actor)


def test_a_second_page_of_the_same_person_takes_the_place_of_the_first(scene: Scene) -> None:
    first, second = scene.join(scene.doctor_actor), scene.join(scene.doctor_actor)
    assert list(Peer.objects.filter(left_at=None)) == [second]
    assert call_state(scene.room, scene.host, first.pk, 0)["replaced"] is True
    assert call_state(scene.room, scene.host, second.pk, 0)["inside"] is True
    assert actions.stay(actor=scene.doctor_actor, peer_id=second.pk) is True
    assert actions.stay(actor=scene.doctor_actor, peer_id=first.pk) is False


@pytest.mark.django_db(transaction=True)
def test_of_many_who_enter_at_once_no_more_than_four_get_in() -> None:
    scene = make_scene(max_people=4)
    scene.join(scene.doctor_actor)
    people = [Actor(PATIENT, grant_id=uuid.uuid4(), about=scene.about) for _ in range(10)]
    for number, actor in enumerate(people):
        actions.invite(
            actor=SYSTEM,
            room=scene.room,
            holder_id=actor.grant_id,  # type: ignore[arg-type]
            part=Part.GUEST,
            name=f"Invité {number}",
            authenticated=False,
            admitted=True,
        )
    start, outcomes = threading.Barrier(10), []

    def enter(actor: Actor) -> None:
        try:
            start.wait()
            outcomes.append(bool(scene.join(actor)))
        except Refused:
            outcomes.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=enter, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count(True), outcomes.count(False)) == (3, 7)
    assert Peer.objects.filter(left_at=None).count() == 4


def test_a_silent_page_gives_up_its_place(scene: Scene) -> None:
    actions.open_room(actor=SYSTEM, about=scene.about, max_people=2)
    scene.join(scene.doctor_actor)
    gone = scene.join(scene.patient_actor)
    actions.admit(actor=scene.doctor_actor, invitation=scene.guest)
    with pytest.raises(Refused, match="complet"):
        scene.join(scene.guest_actor)
    Peer.objects.filter(pk=gone.pk).update(seen_at=timezone.now() - timedelta(seconds=31))
    scene.join(scene.guest_actor)
    gone.refresh_from_db()
    assert gone.left_at is not None


@pytest.mark.req("TC-38")
def test_who_was_let_in_waits_for_a_place_while_the_call_is_full_and_not_at_the_door(scene: Scene) -> None:
    actions.open_room(actor=SYSTEM, about=scene.about, max_people=2)
    scene.room.refresh_from_db()
    scene.join(scene.doctor_actor)
    inside = scene.join(scene.patient_actor)
    actions.admit(actor=scene.doctor_actor, invitation=scene.guest)
    actions.beat(actor=scene.guest_actor, about=scene.about, place="waiting")
    assert call_state(scene.room, scene.guest, None, 0)["full"] is True
    assert call_state(scene.room, scene.patient, inside.pk, 0)["full"] is False, "one's own place is no obstacle"
    listed = scene.doctor_client().get(f"/salles/{scene.room.pk}/personnes").content.decode()
    assert ("Attend une place" in listed, "Attend à la porte" in listed) == (True, False)
    actions.leave_call(actor=scene.patient_actor, peer_id=inside.pk)
    assert call_state(scene.room, scene.guest, None, 0)["full"] is False
    listed = scene.doctor_client().get(f"/salles/{scene.room.pk}/personnes").content.decode()
    assert "Attend une place" not in listed


def test_signals_reach_the_page_they_are_for_in_order_and_once(scene: Scene) -> None:
    doctor, patient = scene.join(scene.doctor_actor), scene.join(scene.patient_actor)
    messages = [offer_to(patient), {"to": str(patient.pk), "payload": {"type": "candidates", "candidates": []}}]
    actions.signal(actor=scene.doctor_actor, peer_id=doctor.pk, messages=messages)
    inbox = call_state(scene.room, scene.patient, patient.pk, 0)["signals"]
    assert [one["payload"]["type"] for one in inbox] == ["offer", "candidates"]
    assert {one["from"] for one in inbox} == {str(doctor.pk)}
    assert call_state(scene.room, scene.patient, patient.pk, inbox[0]["id"])["signals"] == inbox[1:]
    assert call_state(scene.room, scene.host, doctor.pk, 0)["signals"] == []
    actions.stay(actor=scene.patient_actor, peer_id=patient.pk, read=inbox[1]["id"])
    assert not Signal.objects.exists()


def test_signals_are_sent_by_those_inside_only(scene: Scene, stranger: Membership) -> None:
    doctor, patient = scene.join(scene.doctor_actor), scene.join(scene.patient_actor)
    for actor in (scene.patient_actor, scene.guest_actor, actor_for(stranger)):
        with pytest.raises(NotFound):
            actions.signal(actor=actor, peer_id=doctor.pk, messages=[offer_to(patient)])
    actions.leave_call(actor=scene.doctor_actor, peer_id=doctor.pk)
    assert actions.signal(actor=scene.doctor_actor, peer_id=doctor.pk, messages=[offer_to(patient)]) is False
    assert not Signal.objects.exists()


def test_signals_to_another_room_go_nowhere(scene: Scene) -> None:
    other = make_scene()
    doctor, elsewhere = scene.join(scene.doctor_actor), other.join(other.doctor_actor)
    actions.signal(actor=scene.doctor_actor, peer_id=doctor.pk, messages=[offer_to(elsewhere)])
    assert not Signal.objects.exists()


@pytest.mark.parametrize(
    "message",
    [
        "text",
        {},
        {"to": 3, "payload": {"type": "offer"}},
        {"to": "x", "payload": "offer"},
        {"to": "x", "payload": {"type": "else"}},
        {"to": "x", "payload": {"type": "offer", "sdp": "v" * 70_000}},
    ],
)
def test_malformed_signals_are_refused(scene: Scene, message: object) -> None:
    doctor = scene.join(scene.doctor_actor)
    with pytest.raises(Refused):
        actions.signal(actor=scene.doctor_actor, peer_id=doctor.pk, messages=[message])  # type: ignore[list-item]


def test_a_person_at_the_door_learns_no_name(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    state = call_state(scene.room, scene.guest, None, 0)
    assert (state["host_here"], state["admitted"], state["people"], state["waiting"]) == (True, False, [], [])


def test_the_host_sees_who_waits_to_be_admitted(scene: Scene) -> None:
    actions.beat(actor=scene.guest_actor, about=scene.about, place="waiting")
    actions.beat(actor=scene.patient_actor, about=scene.about, place="waiting")
    waiting = call_state(scene.room, scene.host, None, 0)["waiting"]
    assert [one["name"] for one in waiting] == ["Alex (interprète)"], "the patient is admitted already"


def test_being_in_the_call_is_being_present(scene: Scene) -> None:
    peer = scene.join(scene.doctor_actor)
    assert Presence.objects.get(about=scene.about).place == "call"
    actions.leave_call(actor=scene.doctor_actor, peer_id=peer.pk)
    assert Presence.objects.get(about=scene.about).seen_at < timezone.now() - timedelta(seconds=24)


@pytest.mark.req("TC-43")
def test_those_who_may_enter_write_to_each_other(scene: Scene) -> None:
    assert actions.say(actor=scene.patient_actor, room=scene.room, text="  Bonjour  ").text == "Bonjour"
    with pytest.raises(Refused, match="pas encore fait entrer"):
        actions.say(actor=scene.guest_actor, room=scene.room, text="Bonjour")
    for text in ("   ", "x" * 1001):
        with pytest.raises(Refused):
            actions.say(actor=scene.doctor_actor, room=scene.room, text=text)


@pytest.mark.req("TC-42")
def test_a_picture_needs_the_agreement_of_the_person_seen(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    scene.join(scene.patient_actor)
    asked = actions.ask_capture(actor=scene.doctor_actor, room=scene.room, subject_id=scene.patient.pk, kind="photo")
    again = actions.ask_capture(actor=scene.doctor_actor, room=scene.room, subject_id=scene.patient.pk, kind="photo")
    assert asked == again
    with pytest.raises(Refused, match="accord"):
        actions.keep_capture(actor=scene.doctor_actor, about=scene.about, capture_id=asked.pk)
    with pytest.raises(NotFound):
        actions.answer_capture(actor=scene.doctor_actor, capture_id=asked.pk, agreed=True)
    actions.answer_capture(actor=scene.patient_actor, capture_id=asked.pk, agreed=True)
    actions.answer_capture(actor=scene.patient_actor, capture_id=asked.pk, agreed=False)
    with pytest.raises(Refused, match="accord"):
        actions.keep_capture(actor=scene.doctor_actor, about=uuid.uuid4(), capture_id=asked.pk)
    kept = actions.keep_capture(actor=scene.doctor_actor, about=scene.about, capture_id=asked.pk)
    assert (kept.subject, kept.asked_by, kept.kind) == (scene.patient, scene.host, "photo")
    with pytest.raises(Refused, match="déjà dans le dossier"):
        actions.keep_capture(actor=scene.doctor_actor, about=scene.about, capture_id=asked.pk)


def test_a_refused_picture_is_not_agreed(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    scene.join(scene.patient_actor)
    asked = actions.ask_capture(actor=scene.doctor_actor, room=scene.room, subject_id=scene.patient.pk, kind="clip")
    actions.answer_capture(actor=scene.patient_actor, capture_id=asked.pk, agreed=False)
    with pytest.raises(Refused, match="accord"):
        actions.keep_capture(actor=scene.doctor_actor, about=scene.about, capture_id=asked.pk)


def test_only_a_host_asks_for_a_picture_and_only_of_somebody_inside(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    with pytest.raises(NotFound):
        actions.ask_capture(actor=scene.patient_actor, room=scene.room, subject_id=scene.host.pk, kind="photo")
    with pytest.raises(Refused):
        actions.ask_capture(actor=scene.doctor_actor, room=scene.room, subject_id=scene.patient.pk, kind="photo")
    with pytest.raises(NotFound):
        actions.ask_capture(actor=scene.doctor_actor, room=scene.room, subject_id=scene.patient.pk, kind="film")
    assert not Capture.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_page_that_may_stay_no_more_is_let_go_before_its_room_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody else holds the room before its pages: the other way round two would wait for each other."""
    scene = make_scene(max_people=25)
    scene.join(scene.doctor_actor)
    peer = scene.join(scene.patient_actor)
    Invitation.objects.filter(pk=scene.patient.pk).update(revoked_at=timezone.now())

    def hold() -> None:
        with transaction.atomic():
            Peer.objects.select_for_update(nowait=True).get(pk=peer.pk)

    def seen_out(room: Room, pages: QuerySet[Peer]) -> int:
        at_once(hold)
        return vacate(room, pages)

    monkeypatch.setattr(calls, "vacate", seen_out)
    assert not actions.stay(actor=scene.patient_actor, peer_id=peer.pk)
    assert Peer.objects.get(pk=peer.pk).left_at is not None


def test_of_two_questions_for_one_picture_one_stands(scene: Scene) -> None:
    asked = {"asked_by": scene.host, "subject": scene.patient}
    for kind in ("photo", "clip"):
        Capture.objects.create(**asked, kind=kind)
    with pytest.raises(IntegrityError), transaction.atomic():
        Capture.objects.create(**asked, kind="photo")
    Capture.objects.update(agreed=False, answered_at=timezone.now())
    assert Capture.objects.create(**asked, kind="photo")


@pytest.mark.django_db(transaction=True)
def test_two_pages_that_signal_to_each_other_at_once_never_lock_each_other_out() -> None:
    scene = make_scene()
    doctor, patient = scene.join(scene.doctor_actor), scene.join(scene.patient_actor)
    pairs = [(scene.doctor_actor, doctor, patient), (scene.patient_actor, patient, doctor)]
    start, failures = threading.Barrier(2), []

    def chatter(actor: Actor, own: Peer, other: Peer) -> None:
        try:
            start.wait()
            for _ in range(30):
                actions.signal(actor=actor, peer_id=own.pk, messages=[offer_to(other)])
        except Exception as error:  # noqa: BLE001 (any failure is one)
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=chatter, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Signal.objects.count() == 60
