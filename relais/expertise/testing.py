"""Requests for tests: rows made directly, so that a test says only what it is about."""

import itertools
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import uuid4

from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for, make_establishment, make_practitioner
from relais.core.actor import Actor
from relais.directory.models import Need, Service, Way
from relais.directory.testing import make_service
from relais.dossiers.models import Dossier, Participant
from relais.expertise import delays
from relais.expertise.actions import answering
from relais.expertise.models import EXPERT, Expertise, Opinion
from relais.expertise.workflow import HELD, PHASES, State
from relais.oncall.testing import join
from relais.patients.models import Patient
from relais.patients.testing import make_patient
from relais.questionnaires.actions import Times
from relais.questionnaires.models import Relation, Response, Voice
from relais.questionnaires.queries import current

_numbers = itertools.count(1)
ASKED: dict[str, list[Any]] = {
    "tg.urgence": ["urgente"], "tg.specialite": ["Gériatrie"], "tg.motif": ["conduite-a-tenir"],
    "tg.question": ["Faut-il hospitaliser cette patiente ?"], "tg.lieu": ["ehpad"],
    "tg.histoire": ["Chute hier, somnolente depuis ce matin."], "tg.allergies": ["aucune connue"],
    "tg.consentement": ["oui"], "tg.rappel": ["+33199000001"],
}  # fmt: skip
COVID: dict[str, list[Any]] = {
    "tc.statut": ["confirme"], "tc.test": ["non-fait"], "tc.symptomes": ["toux"], "tc.gravite": ["aucun"],
    "tc.spo2aa": [94], "tc.oxygene": ["non"], "tc.nts": ["maximal"], "tc.da": ["non"], "tc.isolement": ["chambre"],
    "tc.attendu": ["maintien-avec-conseils"],
}  # fmt: skip
ANSWER: dict[str, list[Any]] = {
    "tr.conclusion": ["Hématome peu probable."], "tr.cat": ["Surveillance deux fois par jour."],
    "tr.orientation": ["maintien"],
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A request with the people around it."""

    asked: Expertise
    requester: Membership
    expert: Membership
    service: Service
    patient: Patient

    @property
    def asker(self) -> Actor:
        return actor_for(self.requester)

    @property
    def doctor(self) -> Actor:
        return actor_for(self.expert)

    def again(self) -> Expertise:
        """The row as it is now."""
        return Expertise.objects.select_related("dossier__patient", "service", "establishment").get(pk=self.asked.pk)


def make_pool(*members: Membership, **fields: Any) -> Service:
    """A service that answers requests for an opinion day and night, with these experts (a new one when none)."""
    known = members or (make_practitioner(make_establishment("CHU des Ormes")),)
    given = {
        "name": f"Avis gériatrique {next(_numbers)}", "need": Need.EXPERT, "specialty": "Gériatrie",
        "ways": [Way.EXPERTISE, Way.ADMISSION], "opens": time(0), "closes": time(0),
    }  # fmt: skip
    service = make_service(known[0].establishment, **{**given, **fields})
    for member in known:
        join(service, member)
    return service


def make_asked(
    *,
    state: str = State.SENT,
    requester: Membership | None = None,
    expert: Membership | None = None,
    service: Service | None = None,
    patient: Patient | None = None,
    sent_at: datetime | None = None,
    urgency: str = "urgente",
    **fields: Any,
) -> Scene:
    """A request in `state`, by default sent just now to a service with one expert."""
    asker = requester or make_practitioner(make_establishment("EHPAD des Lilas"), family_name="Requérant")
    doctor = expert or make_practitioner(make_establishment("CHU des Ormes"), family_name="Savant")
    pool = service or make_pool(doctor)
    person = patient or make_patient(seen_by=asker.establishment)
    at = sent_at or timezone.now()
    phase = PHASES[State(state)]
    dossier = Dossier.objects.create(
        kind="expertise", reference=f"TE-TEST-{next(_numbers):06d}", patient=person, establishment=asker.establishment,
        phase=phase, done_at=at if phase == "done" else None, closed_at=at if phase == "closed" else None,
        opened_by=asker.user_id,
    )  # fmt: skip
    person.care_links.get_or_create(
        establishment_id=asker.establishment_id, user_id=None, service_id=None, basis="episode", about=dossier.pk
    )
    due = at + delays.DELAYS[urgency]
    values: dict[str, Any] = {
        "dossier": dossier, "establishment": asker.establishment, "requester": asker.user, "form": "tle-general",
        "state": state, "request_key": uuid4(),
    }  # fmt: skip
    if state != State.DRAFT:
        Participant.objects.create(dossier=dossier, service=pool, establishment=pool.establishment, role=EXPERT)
        Participant.objects.filter(dossier=dossier).update(created_at=at)
        person.care_links.create(service_id=pool.pk, basis="episode", about=dossier.pk)
        values |= {
            "service": pool, "urgency": urgency, "motive": "conduite-a-tenir", "sent_at": at, "due_at": due,
            "rank": delays.rank(urgency, due), "response": make_response(dossier, asker),
        }  # fmt: skip
    if state in (*HELD, State.ANSWERED, State.ADMISSION, State.CLOSED):
        values |= {"expert": doctor.user, "taken_at": at}
    if state in (State.ANSWERED, State.ADMISSION, State.CLOSED):
        values["answered_at"] = at
    if state == State.COMPLEMENT_ASKED:
        values["left"] = delays.DELAYS[urgency]
    if state == State.REFUSED:
        values["refusal"] = "hors-competence"
    asked = Expertise.objects.create(**{**values, **fields})
    return Scene(asked, asker, doctor, pool, person)


def make_response(
    dossier: Dossier, author: Membership, name: str = "tle-general", said: dict[str, Any] = ASKED, **answers: list[Any]
) -> Response:
    """The general form as it was sent, or another one."""
    at = timezone.now()
    return Response.objects.create(
        questionnaire=current(name), about=dossier.pk, answers={**said, **answers}, voice=Voice.PATIENT,
        relation=Relation.PROFESSIONAL, actor_kind="professional", user_id=author.user_id,
        establishment_id=author.establishment_id, started_at=at, ended_at=at, received_at=at, request_key=uuid4(),
    )  # fmt: skip


def make_opinion(scene: Scene, signed_at: datetime) -> Opinion:
    """What its expert answered; the request is left in its state."""
    rows = scene.asked.dossier.participants.filter(service=scene.service, until=None)
    asked_at = rows.values_list("created_at", flat=True).get()
    return Opinion.objects.create(
        expertise=scene.asked, number=scene.asked.opinions.filter(version=1).count() + 1, service=scene.service, expert=scene.expert.user,
        response=make_response(scene.asked.dossier, scene.expert, "tle-reponse", ANSWER), rpps=scene.expert.user.rpps or "", digest="0" * 64,
        asked_at=asked_at, signed_at=signed_at,
    )  # fmt: skip


def opinion_page(**answers: list[Any]) -> answering.Page:
    """What the form of an opinion brings."""
    given = {**ANSWER, **{name.replace("__", "."): value for name, value in answers.items()}}
    return answering.Page(current("tle-reponse"), given, uuid4(), Times(timezone.now()))


def posted(answers: dict[str, list[Any]], **more: Any) -> dict[str, Any]:
    """Answers as the form posts them."""
    said = {
        f"q-{link}": [str(value) for value in values] for link, values in answers.items() if link != "tg.specialite"
    }
    return {**said, "request_key": str(uuid4()), **more}
