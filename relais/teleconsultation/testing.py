"""Appointments for tests: rows made directly, so that a test says only what it is about."""

import io
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from relais.accounts.models import Membership
from relais.accounts.testing import make_establishment, make_practitioner
from relais.dossiers.models import Dossier, Participant
from relais.patients.models import Grant, Patient
from relais.patients.testing import make_grant, make_patient
from relais.rooms.models import Room
from relais.teleconsultation.models import Reason, Teleconsultation
from relais.teleconsultation.workflow import AFTER, PHASES, State

_numbers = itertools.count(1)


def photograph() -> SimpleUploadedFile:
    """A picture as a patient sends it."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return SimpleUploadedFile("photo.png", out.getvalue(), "image/png")


@dataclass(frozen=True)
class Scene:
    """An appointment with the people around it."""

    tele: Teleconsultation
    practitioner: Membership
    patient: Patient
    grant: Grant
    secrets: dict[str, str]


def make_tele(
    *,
    practitioner: Membership | None = None,
    patient: Patient | None = None,
    starts_at: datetime | None = None,
    minutes: int = 20,
    state: str = State.PLANNED,
    grant_fields: dict[str, Any] | None = None,
    **fields: Any,
) -> Scene:
    """An appointment in `state`, by default starting now, with dossier, room and the patient's way in."""
    member = practitioner or make_practitioner(make_establishment())
    person = patient or make_patient()
    start = starts_at or timezone.now()
    phase = PHASES[State(state)]
    dossier = Dossier.objects.create(
        kind="teleconsultation",
        reference=f"TC-TEST-{next(_numbers):06d}",
        patient=person,
        establishment=member.establishment,
        phase=phase,
        done_at=start + timedelta(minutes=minutes) if phase == "done" else None,
        closed_at=timezone.now() if phase == "closed" else None,
    )
    person.care_links.get_or_create(
        establishment_id=member.establishment_id, user_id=None, basis="episode", about=dossier.pk
    )
    Participant.objects.create(dossier=dossier, user=member.user, role=member.role, establishment=member.establishment)
    happened: dict[str, Any] = {"cancelled": {"cancel_reason": "Imprévu"}, "incident": {"incident": "Plus de son"}}.get(
        state, {}
    )
    if state in (*AFTER, State.CLOSED, State.IN_CALL):
        happened["started_at"] = start
    tele = Teleconsultation.objects.create(
        dossier=dossier,
        establishment=member.establishment,
        practitioner=member.user,
        state=state,
        starts_at=start,
        ends_at=start + timedelta(minutes=minutes),
        **{"reason": Reason.CONSULTATION, **happened, **fields},
    )
    Room.objects.create(about=dossier.pk)
    grant, secrets = make_grant(person, about=dossier.pk, **(grant_fields or {}))
    return Scene(tele, member, person, grant, secrets)
