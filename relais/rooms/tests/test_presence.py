"""Presence: who is seen where, until 30 seconds of silence, and who is told."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound
from relais.rooms import actions
from relais.rooms.actions import presence as module
from relais.rooms.models import Presence
from relais.rooms.queries import presence_of, presences, present
from relais.rooms.tests.conftest import Scene, make_scene

pytestmark = pytest.mark.django_db


def told(scene: Scene, place: str = "space", *, left: bool = False) -> str:
    """What was pinged by the patient's heartbeat at `place`."""
    act = actions.leave if left else actions.beat
    with CaptureQueriesContext(connection) as seen:
        act(actor=scene.patient_actor, about=scene.about, place=place)
    return " ".join(query["sql"] for query in seen if "pg_notify" in query["sql"])


def silent_for(seconds: float) -> None:
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.req("TC-09")
def test_the_first_heartbeat_is_told_and_the_next_ones_are_not(scene: Scene) -> None:
    assert f"presence:{scene.about}" in told(scene)
    assert told(scene) == ""
    assert [here.place for here in present(scene.about)] == ["space"]


def test_entering_the_waiting_room_is_told_urgently(scene: Scene) -> None:
    assert "true" not in told(scene)
    assert "true" in told(scene, "waiting")


@pytest.mark.req("TC-09")
def test_absent_after_thirty_seconds_present_again_with_the_next_heartbeat(scene: Scene) -> None:
    told(scene)
    silent_for(29)
    assert present(scene.about)
    silent_for(31)
    assert present(scene.about) == []
    assert f"presence:{scene.about}" in told(scene)
    assert present(scene.about)


def test_a_reload_is_no_absence(scene: Scene) -> None:
    told(scene, "waiting")
    since = present(scene.about)[0].since
    told(scene, "waiting", left=True)
    assert told(scene, "waiting") == ""
    assert present(scene.about)[0].since == since


def test_a_page_that_closed_is_absent_five_seconds_later(scene: Scene) -> None:
    told(scene, "waiting")
    told(scene, "waiting", left=True)
    row = Presence.objects.get()
    assert timedelta(seconds=24) < timezone.now() - row.seen_at < timedelta(seconds=30)


def test_the_nearest_place_counts(scene: Scene) -> None:
    told(scene, "space")
    told(scene, "waiting")
    assert [here.place for here in present(scene.about)] == ["waiting"]
    here = presence_of(scene.about, [scene.grant.pk])
    assert here is not None
    assert (here.label, here.waits) == ("En salle d’attente", True)
    assert presence_of(scene.about, [uuid.uuid4()]) is None


def test_nobody_is_in_a_room_that_has_ended(scene: Scene) -> None:
    scene.join(scene.doctor_actor)
    scene.join(scene.patient_actor)
    told(scene, "waiting")
    told(scene, "space")
    assert [here.place for here in present(scene.about)] == ["call", "call"]
    actions.end_room(actor=SYSTEM_ACTOR, about=scene.about)
    assert [(here.holder_id, here.place) for here in present(scene.about)] == [(scene.grant.pk, "space")]
    silent_for(10)
    actions.reopen_room(actor=SYSTEM_ACTOR, about=scene.about)
    told(scene, "waiting")
    assert "waiting" in [here.place for here in Presence.objects.filter(holder_id=scene.grant.pk)]


def test_strangers_are_present_nowhere(scene: Scene, stranger: Membership) -> None:
    other = make_scene()
    for actor in (actor_for(stranger), other.patient_actor):
        with pytest.raises(NotFound):
            actions.beat(actor=actor, about=scene.about, place="waiting")
    with pytest.raises(NotFound):
        actions.beat(actor=scene.patient_actor, about=scene.about, place="kitchen")
    assert not Presence.objects.exists()


def test_absences_are_told_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_told_until", None)
    told(scene)
    silent_for(31)

    def sweep() -> str:
        with CaptureQueriesContext(connection) as seen:
            actions.tell_absences()
        return " ".join(query["sql"] for query in seen if "pg_notify" in query["sql"])

    assert f"presence:{scene.about}" in sweep()
    assert sweep() == ""


def test_presences_of_many_take_one_query() -> None:
    scenes = [make_scene() for _ in range(3)]
    for scene in scenes:
        told(scene)
    with CaptureQueriesContext(connection) as seen:
        found = presences([scene.about for scene in scenes])
    assert (len(seen), len(found)) == (1, 3)
