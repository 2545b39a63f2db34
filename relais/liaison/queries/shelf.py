"""What a tablet keeps of liaison for the hours without network: who writes, whom to call, for which residents."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from relais.accounts.models import User
from relais.core import sealing
from relais.core.actor import Actor
from relais.directory.models import Establishment
from relais.liaison.queries.lists import KNOWN
from relais.oncall.queries import route
from relais.patients.models import Patient

LINES = 3
LATER = timedelta(hours=12)  # a page that stays open meets the other half of the day


def card(actor: Actor, establishment: Establishment, patients: list[Patient] | None = None) -> str:
    """JSON that lets a tablet keep and close requests by itself for as long as a session lasts, counted from this page.

    {user, name, establishment, place, now, until, server: {id, point}, lines: [{name, phone}], residents: [{id, name, born}], cut}.
    `residents` only on the page that lists them (None elsewhere: the tablet keeps those that it knows), `cut` when some may
    be missing from it; nothing about their health. `name`: a tablet serves several nurses; `now`: its own clock may be wrong. "" without a key to close for.
    """
    server, now = sealing.public(), timezone.now()
    if server is None:
        return ""
    given: dict[str, Any] = {
        "user": str(actor.me),
        "name": User.objects.get(pk=actor.me).full_name,
        "establishment": str(establishment.pk),
        "place": establishment.name,
        "now": now.isoformat(),
        "until": (now + timedelta(seconds=settings.SESSION_COOKIE_AGE)).isoformat(),
        "server": server,
        "lines": lines(establishment, now),
        "residents": None,
        "cut": False,
    }
    if patients is not None:
        given |= {"residents": [_resident(one) for one in patients], "cut": len(patients) >= KNOWN}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def lines(establishment: Establishment, now: datetime) -> list[dict[str, str]]:
    """The telephones of the on-call of a nursing home, now and twelve hours later, each once; the SAMU answers at 15."""
    found: dict[str, dict[str, str]] = {}
    for moment in (now, now + LATER):
        for duty in route(establishment, moment):
            phone = duty.service.phone or duty.phone
            if phone and duty.rank != "samu":
                found.setdefault(phone, {"name": duty.service.name, "phone": phone})
    return list(found.values())[:LINES]


def _resident(patient: Patient) -> dict[str, str]:
    born = f"{patient.birth_date:%d/%m/%Y}" if patient.birth_date else ""
    return {"id": str(patient.pk), "name": patient.full_name, "born": born}
