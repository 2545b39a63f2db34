"""Requests of nursing homes for tests: the home, its nurse and resident, and whoever is on call."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core.actor import Actor
from relais.directory.models import Establishment, Need, Service
from relais.liaison.actions import asking, filing, owning
from relais.liaison.models import Request
from relais.oncall.testing import cover, join, make_service, make_slot
from relais.patients.models import Patient
from relais.patients.testing import make_patient
from relais.questionnaires.actions import Times
from relais.questionnaires.queries import current

_numbers = itertools.count(1)
# Every required question of filgeria-demande but the day of the beginning, about a resident who is rather well.
CALM: dict[str, list[Any]] = {
    "fg.fr": [16], "fg.spo2": [97], "fg.pas": [130], "fg.pad": [75], "fg.fc": [78], "fg.temp": [37.2],
    "fg.conscience": ["A"], "fg.signelutte": ["non"], "fg.urgence": ["rapide"], "fg.motif": ["fievre"],
    "fg.question": ["avis-therapeutique"], "fg.question.txt": ["Fièvre depuis hier."],
    "fg.visio": [False], "fg.demandeur": ["ide"], "fg.tel": ["01 99 00 45 67"], "fg.gir": ["2"], "fg.avq": ["fauteuil"],
    "fg.cognitif": ["modere"], "fg.comorb": ["hta"], "fg.ttt": ["Voir l’ordonnance"], "fg.ttt.risque": ["aucun"],
    "fg.allergies": ["Aucune connue"], "fg.da": ["non"], "fg.souhait": ["maintien-ehpad"], "fg.nts": ["pas-de-rea"],
    "fg.pconf.prevenue": ["oui"], "fg.consent": ["oui"], "fg.covid.statut": ["non-teste"], "fg.hydratation": ["normal"],
    "fg.oxygene": ["non"], "fg.ide.nuit": ["aucune"], "fg.effectif": ["normal"],
}  # fmt: skip


__all__ = [
    "CALM",
    "Scene",
    "answers",
    "filing",
    "join",
    "make_home",
    "make_request",
    "owning",
    "posted",
    "taken",
    "upload",
]


@dataclass(frozen=True)
class Scene:
    """A nursing home whose on-call, by day and by night, is one service with one doctor on duty, and a SAMU."""

    home: Establishment
    nurse: Membership
    resident: Patient
    service: Service
    doctor: Membership
    colleague: Membership  # in the pool, not on duty
    samu: Service
    regulator: Membership  # on duty there

    @property
    def nurse_actor(self) -> Actor:
        return actor_for(self.nurse)

    @property
    def doctor_actor(self) -> Actor:
        return actor_for(self.doctor)


def make_home(**fields: Any) -> Scene:
    """`now`: the moment around which everybody is on duty for a day before and two days after; `samu=False`: none is known."""
    now = fields.pop("now", None) or timezone.now()
    home = make_establishment(fields.pop("name", f"EHPAD des Sorbiers {next(_numbers)}"), kind="ehpad")
    hospital = make_establishment("Hôpital du Noyer", kind="hospital")
    service = make_service(Need.NIGHT, hospital, name="Astreinte du Noyer")
    doctor, colleague = (
        make_practitioner(hospital, family_name=name, specialty="Gériatrie") for name in ("Astrée", "Collin")
    )
    samu = make_service(Need.SAMU, make_establishment("SAMU du Test", kind="samu"))
    regulator = make_practitioner(samu.establishment, family_name="Regul", specialty="Médecine d’urgence")
    for place, member in ((service, doctor), (service, colleague), (samu, regulator)):
        join(place, member)
    around = (now - timedelta(days=1), now + timedelta(days=2))
    make_slot(service, doctor, *around)
    make_slot(samu, regulator, *around)
    cover(home, service)
    resident = make_patient("Vasseur", "Odette", seen_by=home)
    return Scene(home, make_member(home, Role.CAREGIVER, profession="Infirmière"), resident, service, doctor, colleague,
                 samu, regulator)  # fmt: skip


def answers(**changes: Any) -> dict[str, list[Any]]:
    """CALM but for `changes` (end of a linkId, two underscores for a point); None: not answered."""
    changed = {f"fg.{name.replace('__', '.')}": value for name, value in changes.items()}
    given = {**CALM, **{name: value if isinstance(value, list) else [value] for name, value in changed.items()}}
    begun = {"fg.debut": [timezone.localdate().isoformat()]}
    return {name: value for name, value in {**begun, **given}.items() if value != [None]}


def make_request(scene: Scene, patient: Patient | None = None, **changes: Any) -> Request:
    """A request that the nurse has sent."""
    draft = asking.start(actor=scene.nurse_actor, patient=patient or scene.resident)
    now = timezone.now()
    return asking.submit(
        actor=scene.nurse_actor, demand=draft, questionnaire=current(asking.FORM), answers=answers(**changes),
        uploads={}, times=Times(now, now), request_key=uuid4(),
    )  # fmt: skip


def taken(scene: Scene, **changes: Any) -> Request:
    """A request that the doctor on duty has in hand."""
    return owning.take(actor=scene.doctor_actor, demand=make_request(scene, **changes))


def posted(**changes: Any) -> dict[str, Any]:
    """What a browser sends of a whole form."""
    said = {
        f"q-{name}": [
            "true"
            if v is True
            else "false"
            if v is False
            else str(v).replace(".", ",")
            if isinstance(v, float)
            else str(v)
            for v in value
        ]
        for name, value in answers(**changes).items()
    }
    return {**said, "request_key": str(uuid4())}


def upload(name: str) -> SimpleUploadedFile:
    """A file as a form brings it."""
    return SimpleUploadedFile(name, b"Une ligne de texte.\n")
