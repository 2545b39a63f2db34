"""Requests of nursing homes for tests: the home, its nurse and resident, and whoever is on call."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.utils import timezone

from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core.actor import Actor
from relais.core.paris import PARIS
from relais.directory.models import Establishment, Need, Service
from relais.liaison.actions import asking, filing, owning, sending
from relais.liaison.actions import dlu as dlus
from relais.liaison.models import Dlu, HandOver, HospitalTransfer, Request
from relais.oncall.models import OnCallSlot
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

# Every required question of filgeria-dlu, and what a doctor at night looks for.
DLU: dict[str, list[Any]] = {
    "dlu.tel": ["01 99 00 00 11"], "dlu.mt": ["Dr Tilleul, 01 99 00 00 12"], "dlu.protection": ["aucune"],
    "dlu.da": ["non"], "dlu.palliatif": [False], "dlu.nts": ["pas-de-rea"], "dlu.problemes": ["Insuffisance cardiaque."],
    "dlu.allergies": ["Pénicilline : œdème"], "dlu.ttt": ["Bisoprolol 2,5 mg le matin."],
    "dlu.ttt.risque": ["anticoagulant", "insuline"], "dlu.gir": ["2"], "dlu.mobilite": ["fauteuil"],
    "dlu.cognitif": ["modere"], "dlu.dispositifs": ["aucun"], "dlu.peau": ["intacte"], "dlu.isolement": ["aucune"],
    "dlu.bmr": ["non"], "dlu.spo2": [93], "dlu.pas": [128], "dlu.pad": [72],
}  # fmt: skip


__all__ = [
    "CALM",
    "DLU",
    "Scene",
    "answers",
    "filing",
    "join",
    "make_dlu",
    "make_home",
    "make_request",
    "make_transfer",
    "owning",
    "posted",
    "posted_dlu",
    "posted_front",
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


def relieved(scene: Scene, at: datetime) -> None:
    """The doctor's slot ends at this moment, a colleague's begins."""
    OnCallSlot.objects.filter(user=scene.doctor.user).update(ends_at=at)
    make_slot(scene.service, scene.colleague, at, at + timedelta(hours=13), phone="06 39 98 00 77")


def posted(**changes: Any) -> dict[str, Any]:
    """What a browser sends of a whole form."""
    return {**_typed(answers(**changes)), "request_key": str(uuid4())}


def _typed(given: dict[str, list[Any]]) -> dict[str, Any]:
    return {f"q-{name}": [_word(value) for value in values] for name, values in given.items()}


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace(".", ",") if isinstance(value, float) else str(value)


def _changed(prefix: str, given: dict[str, list[Any]], changes: dict[str, Any]) -> dict[str, list[Any]]:
    named = {f"{prefix}.{name.replace('__', '.')}": value for name, value in changes.items()}
    return {name: value for name, value in {**given, **named}.items() if value is not None}


def posted_dlu(base: Any = "", **changes: Any) -> dict[str, Any]:
    """What a browser sends of a whole DLU but for `changes` (lists; None: not answered), filled from the version `base`."""
    return {**_typed(_changed("dlu", DLU, changes)), "base": str(base), "request_key": str(uuid4())}


def _front(changes: dict[str, Any]) -> dict[str, list[Any]]:
    local = timezone.now().astimezone(PARIS)
    given: dict[str, list[Any]] = {
        "ft.jour": [f"{local:%Y-%m-%d}"], "ft.heure": [f"{local:%H:%M}"], "ft.destination": ["Hôpital du Noyer, urgences"],
        "ft.appelant": ["Infirmière de nuit"], "ft.tel": ["01 99 00 00 11"], "ft.motif": ["dyspnee"],
        "ft.histoire": ["S’essouffle depuis une heure."], "ft.prevenus": ["famille"], "ft.repas": ["Dîner à 19 h"],
    }  # fmt: skip
    return _changed("ft", given, changes)


def posted_front(**changes: Any) -> dict[str, Any]:
    """What a browser sends of a transfer sheet, of now."""
    return {**_typed(_front(changes)), "request_key": str(uuid4())}


def make_transfer(scene: Scene, patient: Patient | None = None, **changes: Any) -> HospitalTransfer:
    """The resident left for the hospital just now."""
    now = timezone.now()
    return sending.send_off(
        actor=scene.nurse_actor, patient=patient or scene.resident, questionnaire=current(sending.FRONT),
        answers=_front(changes), times=Times(now, now), request_key=uuid4(),
    )  # fmt: skip


def make_dlu(scene: Scene, patient: Patient | None = None, **changes: Any) -> Dlu:
    """A version that the nurse has saved on top of what is there."""
    resident = patient or scene.resident
    found, now = Dlu.objects.filter(patient=resident).first(), timezone.now()
    return dlus.save(
        actor=scene.nurse_actor, patient=resident, questionnaire=current(dlus.FORM),
        answers=_changed("dlu", DLU, changes), uploads={}, times=Times(now, now), request_key=uuid4(),
        base=found.response_id if found else None,
    )  # fmt: skip


def upload(name: str) -> SimpleUploadedFile:
    """A file as a form brings it."""
    return SimpleUploadedFile(name, b"Une ligne de texte.\n")


def open_hand_overs() -> QuerySet[HandOver]:
    return HandOver.objects.filter(accepted_at=None, dropped_at=None)
