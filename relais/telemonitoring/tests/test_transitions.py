"""The whole matrix: every state, every verb, every role, for alerts and for follow-ups."""

import itertools

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core import workflow
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.telemonitoring.models import Alert, FollowUp
from relais.telemonitoring.testing import join, make_cell, make_follow_up
from relais.telemonitoring.workflow import ALERT_TRANSITIONS, OPEN, TRANSITIONS, AlertState, State

pytestmark = pytest.mark.django_db

TEAM, DOCTOR, SYSTEM = {"practitioner", "caregiver"}, {"practitioner"}, {"system"}
ANY = {str(state) for state in OPEN}
# verb -> (states it starts from, state it leads to, members of the cell that may on an orange, on a red)
ALERTS = {
    "take": ({"new"}, "taken", TEAM, TEAM),
    "give_back": ({"taken"}, "new", TEAM, TEAM),
    "call": ({"taken", "unreached", "escalated", "reached"}, "calling", TEAM, TEAM),
    "reached": ({"calling"}, "reached", TEAM, TEAM),
    "unreached": ({"calling"}, "unreached", TEAM, TEAM),
    "escalate": ({"taken", "calling", "reached", "unreached"}, "escalated", TEAM | SYSTEM, TEAM | SYSTEM),
    "check": ({"taken", "unreached", "escalated"}, "unreached", DOCTOR, DOCTOR),
    "finish": ({"reached", "escalated"}, "closed", TEAM, DOCTOR),
    "mistake": (ANY, "cancelled", TEAM, DOCTOR),
    "settle": (ANY, "closed", SYSTEM, SYSTEM),
    "again": ({"reached"}, "taken", SYSTEM, SYSTEM),
    "hand_over": ({"taken", "unreached"}, "new", SYSTEM, SYSTEM),
}
FOLLOW_UPS = {
    "pause": ({"active"}, "paused", TEAM | SYSTEM),
    "resume": ({"paused"}, "active", TEAM | SYSTEM),
    "close": ({"active", "paused"}, "closed", DOCTOR),
    "died": ({"active", "paused"}, "closed", SYSTEM),
}
ROLES = [
    "practitioner",
    "caregiver",
    "colleague",
    "secretary",
    "manager",
    "stranger",
    "other_cell",
    "patient",
    "system",
]


@pytest.fixture
def people():
    """A cell with a doctor and a nurse; a colleague of the place who is not in it, and everybody else."""
    cell, doctor = make_cell()
    place = cell.establishment
    nurse = make_member(place, Role.CAREGIVER)
    join(cell, nurse)
    _cell, other = make_cell()
    actors = {
        "practitioner": actor_for(doctor),
        "caregiver": actor_for(nurse),
        "colleague": actor_for(make_practitioner(place)),
        "secretary": actor_for(make_member(place, Role.SECRETARY)),
        "manager": actor_for(make_member(place, Role.MANAGER)),
        "stranger": actor_for(make_practitioner(make_establishment("Autre centre"))),
        "other_cell": actor_for(other),
        "system": SYSTEM_ACTOR,
    }
    scene = make_follow_up(cell=cell, member=doctor)
    return scene, {**actors, "patient": scene.holder}


def test_the_tables_have_these_verbs_and_no_other():
    assert (set(ALERT_TRANSITIONS), set(TRANSITIONS)) == (set(ALERTS), set(FOLLOW_UPS))


def tried(obj, verb, actor, sources, target, *, may, **changes):
    """One case: what the buttons say and what the verb does agree."""
    source = obj.state
    case = (source, verb)
    assert (verb in workflow.possible(obj, actor)) == (may and source in sources), case
    if not may:
        with pytest.raises(NotFound):
            workflow.apply(obj, verb, actor, lambda *_: None, **changes)
    elif source not in sources:
        with pytest.raises(Refused):
            workflow.apply(obj, verb, actor, lambda *_: None, **changes)
    else:
        assert workflow.apply(obj, verb, actor, lambda *_: None, **changes).state == target, case


@pytest.mark.parametrize("level", ["orange", "rouge"])
@pytest.mark.parametrize("role", ROLES)
def test_every_state_and_verb_of_an_alert_for(people, role, level):
    """Members of the cell handle it, a red one is ended by a doctor, nobody else touches it."""
    scene, actors = people
    now = timezone.now()
    for state, verb in itertools.product(AlertState.values, ALERTS):
        sources, target, orange, red = ALERTS[verb]
        holder = {} if state == "new" else {"taken_by": scene.member.user}
        ended = {} if state in ANY else {"closed_at": now}
        alert = Alert.objects.create(
            follow_up=scene.follow_up, level=level, state=state, since=now, opened_at=now, **holder, **ended
        )
        changes = {"closed_at": now} if target in ("closed", "cancelled") else {}
        changes |= {"taken_by_id": None if target == "new" else scene.member.user_id}
        may = role in (red if level == "rouge" else orange)
        tried(alert, verb, actors[role], sources, target, may=may, **changes)
        alert.delete()


@pytest.mark.parametrize("role", ROLES)
def test_every_state_and_verb_of_a_follow_up_for(people, role):
    _scene, actors = people
    for state, verb in itertools.product(State.values, FOLLOW_UPS):
        sources, target, allowed = FOLLOW_UPS[verb]
        FollowUp.objects.update(state=state, closing="guerison" if state == "closed" else "")
        follow_up = FollowUp.objects.get()
        changes = {"closing": "guerison"} if verb in ("close", "died") else {}
        tried(follow_up, verb, actors[role], sources, target, may=role in allowed, **changes)
