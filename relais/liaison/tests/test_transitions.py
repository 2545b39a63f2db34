"""The whole matrix: every state, every verb, every role."""

import itertools

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core import workflow
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.directory.models import Need
from relais.dossiers import actions as dossiers
from relais.liaison.models import Request
from relais.liaison.testing import join, make_home, taken
from relais.liaison.workflow import OPEN, TRANSITIONS, State
from relais.oncall.testing import make_service

pytestmark = pytest.mark.django_db

HOME, OWNER, POOL, SAMU = {"nurse"}, {"owner"}, {"owner", "colleague"}, {"regulator"}
WAITING = {"soumise", "redirigee-samu", "transferee"}
IN_HAND = {"prise-en-charge", "complement", "avis-rendu", "a-reevaluer", "orientation-en-cours"}
# verb -> (states it starts from, state it leads to, who may)
VERBS = {
    "submit": ({"brouillon"}, "soumise", HOME),
    "take": (WAITING, "prise-en-charge", POOL | SAMU),
    "ask": ({"prise-en-charge", "avis-rendu", "a-reevaluer"}, "complement", OWNER),
    "give": ({"complement"}, "prise-en-charge", HOME),
    "stop_asking": ({"complement"}, "prise-en-charge", {"system"}),
    "advise": (IN_HAND, "avis-rendu", OWNER),
    "plan": ({"avis-rendu"}, "a-reevaluer", OWNER),
    "orient": ({"avis-rendu"}, "orientation-en-cours", OWNER),
    "redirect": (IN_HAND | {"soumise", "transferee"}, "redirigee-samu", HOME | POOL | SAMU | {"pool_nurse"}),
    "transfer": (IN_HAND, "transferee", OWNER),
    "close": (IN_HAND - {"complement"}, "cloturee", OWNER),
    "end": (WAITING | IN_HAND, "cloturee", {"system"}),
    "cancel": ({"brouillon", "soumise"}, "annulee", HOME),
}
HOME_CLOSES = {"avis-rendu", "a-reevaluer", "orientation-en-cours", "cloturee"}
ROLES = [
    "nurse", "secretary", "manager", "owner", "colleague", "pool_nurse", "regulator", "hospital", "stranger", "patient",
    "system",
]  # fmt: skip


def test_the_table_has_these_verbs_and_no_other():
    assert set(TRANSITIONS) == set(VERBS)


@pytest.fixture
def people():
    """A request in hand, its SAMU called in; a nurse of the pool, and people of everywhere else."""
    scene = make_home()
    demand = taken(scene)
    dossiers.add_service(actor=SYSTEM_ACTOR, dossier=demand.dossier, service=scene.samu, role="asked")
    pool_nurse = make_member(scene.service.establishment, Role.CAREGIVER)
    join(scene.service, pool_nurse)
    actors = {
        "nurse": scene.nurse_actor,
        "secretary": actor_for(make_member(scene.home, Role.SECRETARY)),
        "manager": actor_for(make_member(scene.home, Role.MANAGER)),
        "owner": scene.doctor_actor,
        "colleague": actor_for(scene.colleague),
        "pool_nurse": actor_for(pool_nurse),
        "regulator": actor_for(scene.regulator),
        "hospital": actor_for(make_practitioner(scene.service.establishment)),
        "stranger": actor_for(make_practitioner(make_establishment("Autre EHPAD", kind="ehpad"))),
        "patient": Actor(kind="patient", patient_id=scene.resident.pk, about=demand.pk, assurance=1),
        "system": SYSTEM_ACTOR,
    }
    return demand, actors


@pytest.mark.req("FG-08")
@pytest.mark.parametrize("role", ROLES)
def test_every_state_and_verb_for(people, role):
    """What the buttons say and what the verb does agree, in every state."""
    demand, actors = people
    actor, now = actors[role], timezone.now()
    owned = {"responsible_id": demand.responsible_id, "unowned_since": None}
    for state, verb in itertools.product(State.values, VERBS):
        sources, target, who = VERBS[verb]
        Request.objects.filter(pk=demand.pk).update(
            state=state, closing="stabilise" if state == "cloturee" else "", closed_at=now, review_at=now, **owned
        )
        row = Request.objects.get()
        may = role in who or (verb == "close" and role == "nurse" and state in HOME_CLOSES)
        changes = {"closing": "stabilise"} if verb in ("close", "end") else {}
        case = (state, verb)
        assert (verb in workflow.possible(row, actor)) == (may and state in sources), case
        if not may:
            with pytest.raises(NotFound):
                workflow.apply(row, verb, actor, lambda *_: None, **changes)
        elif state not in sources:
            with pytest.raises(Refused):
                workflow.apply(row, verb, actor, lambda *_: None, **changes)
        else:
            assert workflow.apply(row, verb, actor, lambda *_: None, **changes).state == target, case


def test_open_states_are_those_that_have_an_owner():
    assert {str(one) for one in OPEN} == WAITING | IN_HAND


def test_a_request_is_passed_only_to_a_service_that_serves_its_department_and_has_it_not():
    scene = make_home()
    demand = taken(scene)
    there = demand.establishment.department
    far = make_service(Need.MOBILE, departments=["77" if there != "77" else "75"])
    deaf, closed = make_service(Need.EXPERT, departments=[there]), make_service(Need.MOBILE, departments=[there])
    closed.active = False
    closed.save(update_fields=["active"])
    doctor, url = client_of(scene.doctor), f"/liaison/{demand.pk}/transfer/"
    for wrong in (far, deaf, closed, scene.service):
        assert doctor.post(url, {"service": str(wrong.pk)}).status_code == 409
        assert Request.objects.get().state == "prise-en-charge"
    mobile = make_service(Need.MOBILE, departments=[there])
    assert doctor.post(url, {"service": str(mobile.pk)}).status_code == 302
    assert (Request.objects.get().state, Request.objects.get().service) == ("transferee", mobile)


def test_a_request_that_the_home_closes_while_nobody_has_it_leaves_no_alarm_behind():
    scene = make_home()
    demand = taken(scene)
    Request.objects.update(state="avis-rendu", responsible=None, unowned_since=timezone.now())
    assert client_of(scene.nurse).post(f"/liaison/{demand.pk}/close/", {"why": "ameliore"}).status_code == 302
    assert (Request.objects.get().state, Request.objects.get().unowned_since) == ("cloturee", None)
