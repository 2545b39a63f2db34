"""The whole matrix: every state, every verb, every role (requirements A14.3)."""

import itertools

import pytest

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core import workflow
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.teleconsultation.testing import make_tele
from relais.teleconsultation.workflow import TRANSITIONS, State

pytestmark = pytest.mark.django_db

# verb -> (states it starts from, state it leads to, roles of the establishment that may)
TABLE = {
    "join": ({"planned", "in_call"}, "in_call", {"practitioner", "caregiver"}),
    "finish": ({"in_call"}, "done", {"practitioner"}),
    "continue_by_phone": ({"planned", "in_call"}, "incident", {"practitioner"}),
    "patient_absent": ({"planned", "in_call"}, "absent_patient", {"practitioner"}),
    "doctor_absent": ({"planned"}, "absent_doctor", {"practitioner", "caregiver", "secretary", "manager"}),
    "cancel": ({"planned"}, "cancelled", {"practitioner", "caregiver", "secretary", "manager"}),
    "died": ({"planned"}, "cancelled", {"system"}),
    "reopen": ({"absent_patient", "absent_doctor"}, "planned", {"practitioner"}),
    "close": ({"done", "incident", "absent_patient", "absent_doctor"}, "closed", {"practitioner"}),
}
ROLES = [*Role.values, "stranger", "patient", "system"]


@pytest.fixture
def people():
    """One actor a role around one establishment; the stranger is a practitioner elsewhere."""
    here = make_establishment()
    doctor = make_practitioner(here)
    actors = {role: actor_for(make_member(here, role)) for role in Role.values if role != "practitioner"}
    actors["practitioner"] = actor_for(doctor)
    actors["system"] = SYSTEM_ACTOR
    actors["stranger"] = actor_for(make_practitioner(make_establishment("Autre centre")))
    return doctor, actors


def test_the_table_has_these_verbs_and_no_other():
    assert set(TRANSITIONS) == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
def test_every_state_and_verb_for(people, role):
    """A verb works from its states for its roles, is refused from other states, and does not exist for other roles."""
    doctor, actors = people
    for state, verb in itertools.product(State.values, TABLE):
        sources, target, allowed = TABLE[verb]
        why = {"cancel_reason": "x"}
        extra = {"cancel": why, "died": why, "continue_by_phone": {"incident": "x"}}.get(verb, {})
        scene = make_tele(practitioner=doctor, state=state)
        actor = actors.get(role) or Actor(
            kind="patient", grant_id=scene.grant.pk, patient_id=scene.patient.pk, about=scene.tele.pk, assurance=1
        )
        may = role in allowed
        assert (verb in workflow.possible(scene.tele, actor)) == (may and state in sources), (state, verb)
        if not may:
            with pytest.raises(NotFound):
                workflow.apply(scene.tele, verb, actor, lambda *_: None, **extra)
        elif state not in sources:
            with pytest.raises(Refused):
                workflow.apply(scene.tele, verb, actor, lambda *_: None, **extra)
        else:
            moved = workflow.apply(scene.tele, verb, actor, lambda *_: None, **extra)
            assert moved.state == target
        scene.tele.refresh_from_db()
        scene.tele.delete()  # its slot is free for the next case
