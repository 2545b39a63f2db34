"""Keeping what a self-test of the device found."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.rooms.actions.presence import topics_of
from relais.rooms.actions.rooms import tell_presence
from relais.rooms.models import DeviceTest, Outcome
from relais.rooms.permissions import holder

PARTS = ("browser", "camera", "microphone", "speaker", "network")
RESULTS = ("ok", "ko", "skipped")
NOTE_MAX = 300
FACTS = ("delay_ms", "down_kbps", "up_kbps")


@transaction.atomic
def record_test(*, actor: Actor, about: UUID, parts: Any, facts: Any, device: str) -> DeviceTest:
    """Keep the result of each of PARTS: {"result": one of RESULTS, "note": a sentence}, and the figures of FACTS.

    One failure makes it failed; parts that were not tried do not. Patients test for what their grant opens,
    professionals for themselves. Raises Refused when malformed.
    """
    if about not in (actor.about, actor.user_id) or about is None:
        raise NotFound
    if not isinstance(parts, dict) or set(parts) - set(PARTS) or not isinstance(facts, dict):
        raise Refused(_("Résultat du test incorrect. Recommencez le test."))
    kept = {name: _part(parts.get(name)) for name in PARTS}
    figures = {name: _figure(facts.get(name)) for name in FACTS}
    failed = any(part["result"] == "ko" for part in kept.values())
    test = DeviceTest.objects.create(
        about=about,
        holder_id=holder(actor),
        outcome=Outcome.KO if failed else Outcome.OK,
        details={"parts": kept, "facts": figures, "device": str(device)[:NOTE_MAX]},
    )
    tell_presence(about, topics_of(about), urgent=False)
    return test


def _part(value: Any) -> dict[str, str]:
    if value is None:
        return {"result": "skipped", "note": ""}
    if not isinstance(value, dict) or value.get("result") not in RESULTS:
        raise Refused(_("Résultat du test incorrect. Recommencez le test."))
    return {"result": value["result"], "note": str(value.get("note", ""))[:NOTE_MAX]}


def _figure(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and 0 <= value < 10_000_000 else None
