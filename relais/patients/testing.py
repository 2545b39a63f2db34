"""Patients for tests: identities, ways in, and a browser that was let in, with synthetic values only."""

import datetime
import itertools
import uuid
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from relais.core.actor import SYSTEM_ACTOR
from relais.patients import entry
from relais.patients.actions import open_grant
from relais.patients.models import Basis, CareLink, Grant, GrantDevice, Patient

_numbers = itertools.count(1)


def make_patient(
    family: str = "Durand",
    given: str = "Camille",
    *,
    seen_by: Any = None,
    about: uuid.UUID | None = None,
    **fields: Any,
) -> Patient:
    """A patient of provisional identity, in the care of `seen_by` (an establishment, or a user) when given."""
    number = next(_numbers)
    values = {
        "birth_date": datetime.date(1958, 3, 12),
        "sex": "F",
        "email": f"patient{number}@exemple.test",
        "phone": f"+336399800{number % 100:02d}",
        "synthetic": True,
    }
    patient = Patient.objects.create(birth_family_name=family, birth_given_names=given, **{**values, **fields})
    if seen_by is not None:
        holder = "user_id" if hasattr(seen_by, "rpps") else "establishment_id"
        CareLink.objects.create(
            patient=patient, basis=Basis.EPISODE, about=about or uuid.uuid4(), **{holder: seen_by.pk}
        )
    return patient


def make_grant(patient: Patient | None = None, **fields: Any) -> tuple[Grant, dict[str, str]]:
    """A way in for 30 days and its secrets; without a mobile number no code is asked of a new device."""
    values = {
        "about": uuid.uuid4(),
        "email": "patient@exemple.test",
        "valid_until": timezone.now() + datetime.timedelta(days=30),
    }
    return open_grant(actor=SYSTEM_ACTOR, patient=patient or make_patient(), **{**values, **fields})


def let_in(client: Client, grant: Grant, *, factors: int = 1) -> Client:
    """Give `client` the cookie of a browser that was let in with `grant`."""
    token = entry.new_token()
    GrantDevice.objects.create(
        grant=grant, token_hash=entry.hash_token(token), label="Firefox, Android", factors=factors
    )
    client.cookies[settings.PATIENT_COOKIE_NAME] = token
    return client
