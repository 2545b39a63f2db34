"""A room with its doctor, its patient and a guest at the door."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for, client_of, make_practitioner
from relais.core.actor import GUEST, PATIENT, SYSTEM_ACTOR, Actor
from relais.patients.models import Grant
from relais.patients.testing import let_in, make_grant
from relais.rooms import actions
from relais.rooms.models import Invitation, Part, Peer, Room

SYSTEM = SYSTEM_ACTOR


@dataclass
class Scene:
    """Dr Martin receives Camille Durand; Alex, an interpreter, was invited by link."""

    room: Room
    doctor: Membership
    grant: Grant
    guest_grant: Grant
    host: Invitation
    patient: Invitation
    guest: Invitation

    @property
    def about(self) -> uuid.UUID:
        return self.room.about

    @property
    def doctor_actor(self) -> Actor:
        return actor_for(self.doctor)

    @property
    def patient_actor(self) -> Actor:
        return Actor(PATIENT, grant_id=self.grant.pk, patient_id=self.grant.patient_id, about=self.about)

    @property
    def guest_actor(self) -> Actor:
        return Actor(GUEST, grant_id=self.guest_grant.pk, about=self.about)

    def join(self, actor: Actor) -> Peer:
        return actions.join(actor=actor, room=self.room)

    def doctor_client(self) -> Client:
        return client_of(self.doctor)

    def patient_client(self) -> Client:
        return let_in(Client(), self.grant)

    def guest_client(self) -> Client:
        return let_in(Client(), self.guest_grant)


def make_scene(**room: Any) -> Scene:
    doctor = make_practitioner(title="Dr", family_name="Martin", given_name="Claire")
    about = uuid.uuid4()
    grant, _ = make_grant(about=about)
    guest_grant, _ = make_grant(grant.patient, about=about)
    opened = actions.open_room(actor=SYSTEM, about=about, **room)
    common: dict[str, Any] = {"actor": SYSTEM, "room": opened}
    return Scene(
        opened,
        doctor,
        grant,
        guest_grant,
        actions.invite(holder_id=doctor.user_id, part=Part.HOST, name="Dr Claire Martin", authenticated=True, **common),
        actions.invite(
            holder_id=grant.pk, part=Part.PATIENT, name="Camille Durand", authenticated=True, admitted=True, **common
        ),
        actions.invite(
            holder_id=guest_grant.pk, part=Part.GUEST, name="Alex (interprète)", authenticated=False, **common
        ),
    )


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


@pytest.fixture
def stranger() -> Membership:
    """A doctor of another place who was invited to nothing."""
    return make_practitioner(family_name="Petit")
