"""Follow-ups for tests: rows made directly, so that a test says only what it is about."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import make_establishment, make_practitioner
from relais.core.actor import Actor
from relais.core.testing.sealing import close
from relais.dossiers.models import Dossier
from relais.patients.models import Grant, Patient
from relais.patients.testing import make_grant, make_patient
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation, Response, Voice
from relais.telemonitoring.actions import answers, offline
from relais.telemonitoring.models import Cell, CellMember, FollowUp, Judgement, RuleSet
from relais.telemonitoring.programme import end_of, form_for

_numbers = itertools.count(1)
# An adult without a sign: every required question of ecovid-suivi-adulte.
WELL: dict[str, list[Any]] = {
    "ad.saisie": ["patient"], "ad.general": ["stable"], "ad.temp.mesuree": [True], "ad.temp": [36.8],
    "ad.frissons": ["non"], "ad.malaise": ["non"], "ad.dyspnee": ["0"], "ad.toux": ["non"], "ad.thorax": ["non"],
    "ad.levres": [False], "ad.confusion": ["non"], "ad.fatigue": ["non"], "ad.boire": [False], "ad.digestif": ["non"],
    "ad.odorat": [False], "ad.gout": [False], "ad.cephalee": ["non"], "ad.mollet": [False], "ad.moral": ["stable"],
    "ad.besoin": ["non"], "ad.hospit": ["non"],
}  # fmt: skip
CONTACT: dict[str, list[Any]] = {
    "ct.sympt": [False], "ct.temp": [36.8], "ct.isolement": ["oui"], "ct.test": ["non"], "ct.besoin": ["non"],
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A follow-up with the people around it."""

    follow_up: FollowUp
    cell: Cell
    member: Membership
    patient: Patient
    grant: Grant

    @property
    def holder(self) -> Actor:
        """The patient, on their page."""
        return Actor(
            kind="patient", grant_id=self.grant.pk, patient_id=self.patient.pk, about=self.follow_up.pk, assurance=1
        )


def make_cell(member: Membership | None = None, **fields: Any) -> tuple[Cell, Membership]:
    """A cell with one member, on the first rule set."""
    member = member or make_practitioner(make_establishment())
    cell = Cell.objects.create(
        name=fields.pop("name", f"Cellule {next(_numbers)}"),
        kind="hospital",
        establishment=member.establishment,
        rules=fields.pop("rules", None) or RuleSet.objects.get(name="ecovid", version="1.0.0"),
        **fields,
    )
    join(cell, member)
    return cell, member


def join(cell: Cell, member: Membership) -> CellMember:
    return CellMember.objects.create(cell=cell, user=member.user, establishment=member.establishment)


def make_follow_up(
    *,
    cell: Cell | None = None,
    member: Membership | None = None,
    patient: Patient | None = None,
    day: int = 3,
    **fields: Any,
) -> Scene:
    """A patient followed, in their day `day`, with a way in."""
    if cell is None or member is None:
        cell, member = make_cell(member)
    person = patient or make_patient()
    today = timezone.localdate()
    onset = fields.pop("onset", today - timedelta(days=day))
    starts = fields.pop("starts_on", onset)
    dossier = Dossier.objects.create(
        kind="telemonitoring",
        reference=f"EC-TEST-{next(_numbers):06d}",
        patient=person,
        establishment=cell.establishment,
    )
    person.care_links.get_or_create(
        establishment_id=cell.establishment_id, user_id=None, basis="episode", about=dossier.pk
    )
    follow_up = FollowUp.objects.create(
        dossier=dossier,
        cell=cell,
        status=fields.pop("status", "confirme"),
        onset=onset,
        starts_on=starts,
        ends_on=fields.pop("ends_on", end_of(onset, starts)),
        rhythm=fields.pop("rhythm", "standard"),
        enrolled_by=member.user,
        **fields,
    )
    grant, _secrets = make_grant(person, about=dossier.pk)
    return Scene(follow_up, cell, member, person, grant)


def include(scene: Scene, answers: dict[str, list[Any]]) -> None:
    """As if the inclusion of this follow-up had said so."""
    now = timezone.now()
    scene.follow_up.inclusion = Response.objects.create(
        questionnaire=Questionnaire.objects.filter(name="ecovid-inclusion").latest("rank"), about=scene.follow_up.pk,
        answers=answers, voice=Voice.PATIENT, relation=Relation.PROFESSIONAL, actor_kind="professional", started_at=now,
        ended_at=now, received_at=now, request_key=uuid4(),
    )  # fmt: skip
    scene.follow_up.save(update_fields=["inclusion"])


def seal(
    scene: Scene, key: UUID | None = None, content: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """What a telephone of this patient sends later: the answers of `reply`, closed as seal.js does."""
    now = timezone.now()
    said = {
        "form": form_for(contact=False, born=scene.patient.birth_date, on=timezone.localdate()),
        "version": "1.0.0",
        "relation": "patient",
        "reason": "",
        "answers": _changed(changes),
        "started_at": (now - timedelta(minutes=2)).isoformat(),
        "ended_at": now.isoformat(),
        **(content or {}),
    }
    closed = close(offline.PURPOSE, scene.grant.pk, key or uuid4(), said)
    return {**closed, "grant": str(scene.grant.pk), "device_at": now.isoformat()}


def _changed(changes: dict[str, Any]) -> dict[str, list[Any]]:
    changed = {f"ad.{name.replace('__', '.')}": value for name, value in changes.items()}
    return {**WELL, **{name: value if isinstance(value, list) else [value] for name, value in changed.items()}}


def reply(
    scene: Scene,
    actor: Actor | None = None,
    who: Who | None = None,
    at: datetime | None = None,
    key: UUID | None = None,
    **changes: Any,
) -> Judgement:
    """Answers of an adult who is well but for `changes` (end of a linkId, two underscores for a point), judged."""
    given = _changed(changes)
    ended = at or timezone.now()
    form = form_for(contact=False, born=scene.patient.birth_date, on=timezone.localdate())
    return answers.answer(
        actor=actor or scene.holder,
        follow_up=scene.follow_up,
        questionnaire=Questionnaire.objects.filter(name=form).latest("rank"),
        answers=given,
        times=Times(started_at=ended - timedelta(minutes=2), ended_at=ended),
        request_key=key or uuid4(),
        who=who or Who(),
    )


def contact_reply(scene: Scene, at: datetime, **changes: Any) -> Judgement:
    """Answers of a contact person who is well but for `changes` (end of a linkId, two underscores for a point), judged."""
    return answers.answer(
        actor=scene.holder, follow_up=scene.follow_up,
        questionnaire=Questionnaire.objects.filter(name="ecovid-suivi-contact").latest("rank"),
        answers={**CONTACT, **{f"ct.{name.replace('__', '.')}": [value] for name, value in changes.items()}},
        times=Times(started_at=at, ended_at=at), request_key=uuid4(),
    )  # fmt: skip
