"""The whole matrix: every state, every verb, every role (domain.md §2.1)."""

import ast
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core import workflow
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers.models import Step
from relais.expertise.models import Expertise
from relais.expertise.templatetags import tle
from relais.expertise.testing import make_asked, make_pool
from relais.expertise.workflow import TRANSITIONS, State
from relais.oncall.testing import join

pytestmark = pytest.mark.django_db

FREE = {"envoyee", "reorientee"}
HELD = {"prise-en-charge", "complement-demande", "complement-fourni", "convertie-visio"}
# verb -> (states it starts from, state it leads to)
WAYS = {
    "send": ({"brouillon"}, "envoyee"),
    "take": (FREE, "prise-en-charge"),
    "take_over": (HELD, "prise-en-charge"),
    "give_back": ({"prise-en-charge"}, "envoyee"),
    "ask_complement": ({"prise-en-charge", "complement-fourni"}, "complement-demande"),
    "give_complement": ({"complement-demande"}, "complement-fourni"),
    "answer": (HELD, "repondue"),
    "second_opinion": ({"repondue"}, "envoyee"),
    "refuse": (FREE | HELD - {"convertie-visio"}, "refusee"),
    "redirect": (FREE | HELD - {"convertie-visio"} | {"refusee"}, "reorientee"),
    "to_visio": (HELD - {"convertie-visio"}, "convertie-visio"),
    "to_admission": (
        {"prise-en-charge", "complement-fourni", "convertie-visio", "repondue", "convertie-admission"},
        "convertie-admission",
    ),
    "accept_admission": ({"convertie-admission"}, "convertie-admission"),
    "decline_admission": ({"convertie-admission"}, "convertie-admission"),
    "cancel": ({"brouillon"} | FREE | HELD, "annulee"),
    "died": ({"brouillon"} | FREE | HELD, "annulee"),
    "close": ({"repondue", "refusee", "convertie-admission"}, "cloturee"),
}
ASKS = {"requester", "colleague", "nurse"}
# verb -> (who may while an expert has it or had it, who may while nobody has)
WHO = {
    "send": ({"requester"}, {"requester"}),
    "take": ({"expert", "other_expert"}, {"expert", "other_expert"}),
    "take_over": ({"other_expert"}, {"expert", "other_expert"}),
    "give_back": ({"expert"}, set()),
    "ask_complement": ({"expert"}, set()),
    "give_complement": (ASKS, ASKS),
    "answer": ({"expert"}, set()),
    "second_opinion": (ASKS | {"expert"}, ASKS),
    "refuse": ({"expert"}, {"expert", "other_expert"}),
    "redirect": (ASKS | {"expert"}, ASKS | {"expert", "other_expert"}),
    "to_visio": ({"expert"}, set()),
    "to_admission": ({"expert"}, set()),
    "accept_admission": ({"ward", "nurse_of_ward"}, {"ward", "nurse_of_ward"}),
    "decline_admission": ({"ward", "nurse_of_ward"}, {"ward", "nurse_of_ward"}),
    "cancel": (ASKS, ASKS),
    "died": ({"system"}, {"system"}),
    "close": (ASKS, ASKS),
}


def everybody(scene):
    """An actor for each role around a request."""
    home, chu = scene.requester.establishment, scene.expert.establishment
    other, nurse = make_practitioner(chu), make_member(chu, Role.CAREGIVER)
    join(scene.service, other)
    join(scene.service, nurse)
    stranger = make_practitioner(make_establishment("Clinique d’en face"))
    make_pool(stranger)
    ward, hospital = make_practitioner(make_establishment("Hôpital Sud")), make_establishment("Hôpital Nord")
    nurse_of_ward = make_member(ward.establishment, Role.CAREGIVER)
    service = make_pool(ward, nurse_of_ward)
    Step.objects.create(
        dossier=scene.asked.dossier, kind="admission", data={"service": str(service.pk), "text": "Lit 12"}
    )
    return {
        "requester": scene.asker,
        "colleague": actor_for(make_practitioner(home)),
        "nurse": actor_for(make_member(home, Role.CAREGIVER)),
        "secretary": actor_for(make_member(home, Role.SECRETARY)),
        "expert": scene.doctor,
        "other_expert": actor_for(other),
        "nurse_of_pool": actor_for(nurse),
        "beside_the_pool": actor_for(make_practitioner(chu)),
        "manager": actor_for(make_member(chu, Role.MANAGER)),
        "expert_of_another": actor_for(stranger),
        "ward": actor_for(ward),
        "nurse_of_ward": actor_for(nurse_of_ward),
        "manager_of_ward": actor_for(make_member(ward.establishment, Role.MANAGER)),
        "doctor_of_ward_elsewhere": actor_for(make_practitioner(hospital, user=ward.user)),
        "patient": Actor(kind="patient", patient_id=scene.patient.pk, about=scene.asked.pk, assurance=1),
        "system": SYSTEM_ACTOR,
    }


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("state", State.values)
def test_each_verb_leads_from_its_states_and_its_people_alone(state):
    """An overdue request, so that another expert may take it over."""
    scene = make_asked(state=state, sent_at=timezone.now() - timedelta(days=1))
    actors = everybody(scene)
    assert set(TRANSITIONS) == set(WAYS) == set(WHO)
    asked = Expertise.objects.get(pk=scene.asked.pk)
    for role, actor in actors.items():
        may = set(workflow.possible(asked, actor))
        assert may == expected(asked, role), f"{role} in {state}"


def expected(asked, role):
    wanted = set()
    for verb, (states, _target) in WAYS.items():
        who = WHO[verb][0 if asked.expert_id else 1]
        if verb == "cancel" and asked.state == "brouillon":
            who = {"requester"}
        if verb == "take_over" and asked.state == "complement-demande":
            who = set()  # its clock stands still: it is not late
        if verb == "to_admission" and asked.state == "convertie-admission":
            who = set()  # the service to which it is proposed has not answered
        if asked.state in states and role in who:
            wanted.add(verb)
    return wanted


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("verb", TRANSITIONS)
def test_a_verb_leads_to_its_state_and_is_refused_elsewhere_with_a_sentence(verb):
    states, target = WAYS[verb]
    assert TRANSITIONS[verb].target == target
    assert {str(one) for one in TRANSITIONS[verb].sources} == states
    state = "cloturee" if verb != "close" else "prise-en-charge"
    scene = make_asked(state=state, sent_at=timezone.now() - timedelta(days=1))
    actors = everybody(scene)
    role = next(iter(sorted(WHO[verb][0])))
    with pytest.raises((Refused, NotFound)) as refused:
        workflow.apply(scene.asked, verb, actors[role], lambda *_: None)
    if verb not in ("take_over",):
        assert isinstance(refused.value, Refused)
        assert "n’est plus possible" in refused.value.message
    with pytest.raises(NotFound):
        workflow.apply(scene.asked, verb, actors["expert_of_another"], lambda *_: None)


ELSEWHERE = {"documents_copied", "document_shared", "document_hidden"}  # verbs of dossiers that others use


def test_every_verb_that_is_recorded_has_french_words():
    """What an action writes into the timeline, here and in `dossiers`, is a sentence on the page."""
    recorded, folder = set(TRANSITIONS), settings.BASE_DIR / "relais"
    for path in (*sorted((folder / "expertise/actions").glob("*.py")), folder / "dossiers/actions.py"):
        for call in (one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call)):
            if getattr(call.func, "attr", getattr(call.func, "id", "")) in ("record", "reviewed"):
                recorded |= {one.value for one in call.args[1:] if isinstance(one, ast.Constant)}
    assert {"joined_room", "review_asked", "note_added", "overdue"} <= recorded
    assert recorded - {"overdue"} - ELSEWHERE - set(tle.WORDS) == set()
