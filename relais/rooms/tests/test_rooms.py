"""Opening and ending a room, inviting, admitting and sending away."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for
from relais.core.errors import NotFound, Refused
from relais.rooms import actions
from relais.rooms.models import Line, Part, Peer, Room, Signal
from relais.rooms.queries import people, who_is_inside
from relais.rooms.tests.conftest import SYSTEM, Scene

pytestmark = pytest.mark.django_db


def pings(queries: list[dict[str, str]]) -> str:
    return " ".join(query["sql"] for query in queries if "pg_notify" in query["sql"])


def test_opening_twice_gives_the_same_room_with_the_latest_wishes() -> None:
    about = uuid.uuid4()
    first = actions.open_room(actor=SYSTEM, about=about)
    second = actions.open_room(actor=SYSTEM, about=about, relay_only=True, max_people=3, topics=["day:1"])
    assert first.pk == second.pk
    assert Room.objects.values_list("relay_only", "max_people", "topics").get(about=about) == (True, 3, ["day:1"])


def test_patients_and_guests_never_open_end_or_invite(scene: Scene) -> None:
    for actor in (scene.patient_actor, scene.guest_actor):
        with pytest.raises(NotFound):
            actions.open_room(actor=actor, about=uuid.uuid4())
        with pytest.raises(NotFound):
            actions.end_room(actor=actor, about=scene.about)
        with pytest.raises(NotFound):
            actions.reopen_room(actor=actor, about=scene.about)
        with pytest.raises(NotFound):
            actions.invite(
                actor=actor, room=scene.room, holder_id=uuid.uuid4(), part=Part.HOST, name="X", authenticated=True
            )


def test_inviting_again_renames_and_admits_but_never_brings_back(scene: Scene) -> None:
    def invite(name: str) -> None:
        actions.invite(
            actor=SYSTEM,
            room=scene.room,
            holder_id=scene.guest.holder_id,
            part=Part.GUEST,
            name=name,
            authenticated=True,
            admitted=True,
        )

    invite("Alex Morel")
    scene.guest.refresh_from_db()
    assert (scene.guest.name, scene.guest.authenticated) == ("Alex Morel", True)
    assert scene.guest.admitted_at is not None
    actions.revoke(actor=scene.doctor_actor, invitation=scene.guest)
    invite("Alex")
    scene.guest.refresh_from_db()
    assert scene.guest.revoked_at is not None
    assert scene.guest.admitted_at is None


@pytest.mark.req("TC-35")
def test_only_a_host_admits_and_sends_away(scene: Scene, stranger: Membership) -> None:
    for actor in (scene.patient_actor, scene.guest_actor, actor_for(stranger)):
        with pytest.raises(NotFound):
            actions.admit(actor=actor, invitation=scene.guest)
        with pytest.raises(NotFound):
            actions.revoke(actor=actor, invitation=scene.patient)
    assert actions.admit(actor=scene.doctor_actor, invitation=scene.guest).admitted_at
    assert actions.revoke(actor=scene.doctor_actor, invitation=scene.guest).revoked_at
    back = actions.admit(actor=scene.doctor_actor, invitation=scene.guest)
    assert (back.revoked_at, bool(back.admitted_at)) == (None, True)


def test_a_host_cannot_be_sent_away(scene: Scene) -> None:
    with pytest.raises(Refused):
        actions.revoke(actor=scene.doctor_actor, invitation=scene.host)


def test_who_is_sent_away_leaves_the_call_at_once_and_may_not_return(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    scene.join(scene.patient_actor)
    assert who_is_inside(scene.about) == ["Dr Claire Martin", "Camille Durand"]
    actions.revoke(actor=scene.doctor_actor, invitation=scene.patient)
    assert who_is_inside(scene.about) == ["Dr Claire Martin"]
    with pytest.raises(Refused):
        scene.join(scene.patient_actor)


@pytest.mark.req("TC-54")
def test_ending_sends_everybody_out_and_forgets_the_signals_but_not_the_lines(scene: Scene) -> None:
    doctor, patient = scene.join(scene.doctor_actor), scene.join(scene.patient_actor)
    message = {"to": str(patient.pk), "payload": {"type": "offer", "sdp": "v=0"}}
    actions.signal(actor=scene.doctor_actor, peer_id=doctor.pk, messages=[message])
    actions.say(actor=scene.doctor_actor, room=scene.room, text="Bonjour")
    actions.end_room(actor=scene.doctor_actor, about=scene.about)
    assert who_is_inside(scene.about) == []
    assert (Signal.objects.count(), Line.objects.count(), Peer.objects.filter(left_at=None).count()) == (0, 1, 0)
    for actor in (scene.doctor_actor, scene.patient_actor):
        with pytest.raises(Refused, match="terminé"):
            scene.join(actor)
    with pytest.raises(Refused):
        actions.admit(actor=scene.doctor_actor, invitation=scene.guest)


def test_ending_twice_or_what_was_never_opened_does_nothing(scene: Scene) -> None:
    actions.end_room(actor=SYSTEM, about=scene.about)
    ended = Room.objects.get(pk=scene.room.pk).ended_at
    actions.end_room(actor=SYSTEM, about=scene.about)
    actions.end_room(actor=SYSTEM, about=uuid.uuid4())
    assert Room.objects.get(pk=scene.room.pk).ended_at == ended


def test_a_room_reopened_lets_in_again(scene: Scene) -> None:
    actions.end_room(actor=SYSTEM, about=scene.about)
    actions.reopen_room(actor=SYSTEM, about=scene.about)
    assert scene.join(scene.doctor_actor).left_at is None


def test_everything_that_changes_the_room_is_pinged(scene: Scene) -> None:
    actions.open_room(actor=SYSTEM, about=scene.about, topics=["day:7"])
    scene.room.refresh_from_db()
    with CaptureQueriesContext(connection) as seen:
        scene.join(scene.doctor_actor)
    told = pings(seen.captured_queries)
    for topic in (f"room:{scene.room.pk}", f"presence:{scene.about}", "day:7"):
        assert topic in told


def test_the_list_of_people_takes_the_same_queries_for_three_as_for_one(scene: Scene) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            people(scene.room)
        return len(seen)

    before = count()
    for number in range(3):
        actions.invite(
            actor=SYSTEM,
            room=scene.room,
            holder_id=uuid.uuid4(),
            part=Part.GUEST,
            name=f"N{number}",
            authenticated=False,
        )
    assert count() == before


def test_a_page_silent_for_thirty_seconds_is_no_longer_inside(scene: Scene) -> None:
    peer = scene.join(scene.doctor_actor)
    Peer.objects.filter(pk=peer.pk).update(seen_at=timezone.now() - timedelta(seconds=31))
    assert who_is_inside(scene.about) == []
    actions.stay(actor=scene.doctor_actor, peer_id=peer.pk)
    assert who_is_inside(scene.about) == ["Dr Claire Martin"]
