"""What some patients answered before an appointment that is still to be held (TC-25)."""

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from relais.core.actor import PATIENT
from relais.core.demo import new_id
from relais.patients.models import Holder
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.models import Relation, Response, Voice
from relais.teleconsultation.queries import PREPARATION

if TYPE_CHECKING:
    from relais.teleconsultation.demo.story import Story

SHARE = 0.4  # ours: no source says how many prepare
SAID: list[dict[str, list[Any]]] = [
    {
        "tp.motif": ["Toux depuis quelques jours, je dors mal."],
        "tp.symptomes": ["toux", "fatigue"],
        "tp.depuis": ["jours"],
        "tp.temp": [37.8],
        "tp.souffle": ["effort"],
        "tp.traitements": ["Paracétamol 1 g si besoin"],
        "tp.allergies": ["Aucune"],
    },
    {
        "tp.motif": ["Renouvellement de mon traitement pour la tension."],
        "tp.symptomes": ["aucun"],
        "tp.souffle": ["non"],
        "tp.traitements": ["Amlodipine 5 mg le matin"],
        "tp.question": ["Puis-je le prendre le soir ?"],
    },
    {
        "tp.motif": ["Mal au dos depuis un faux mouvement."],
        "tp.symptomes": ["douleur"],
        "tp.depuis": ["semaines"],
        "tp.souffle": ["non"],
        "tp.allergies": ["Pénicilline"],
    },
]


def prepared(story: "Story") -> None:
    """Answers of a patient who holds their own key, sent between the booking and now; drawn apart from the story's dice."""
    rng = random.Random(str(story.dossier.pk))  # noqa: S311
    chosen = rng.random() < SHARE and story.grant.holder == Holder.SELF
    at = story.booked + (min(story.plan.starts_at, story.now) - story.booked) * rng.uniform(0.3, 0.9)
    if not chosen:
        return
    response = Response(
        id=new_id(rng),
        questionnaire=questionnaires.current(PREPARATION),
        about=story.dossier.pk,
        answers={"tp.saisie": ["patient"], **rng.choice(SAID)},
        voice=Voice.PATIENT,
        relation=Relation.PATIENT,
        actor_kind=PATIENT,
        grant_id=story.grant.pk,
        started_at=at - timedelta(minutes=3),
        ended_at=at,
        received_at=at,
        created_at=at,
        request_key=new_id(rng),
    )
    story.rows.responses.append(response)
    story.event(at, "prepared", by_patient=True, response=str(response.pk))
