"""A call noted with its form: what was said is kept with the alert that it is about, both or neither (domain.md §1.8)."""

from typing import Any
from uuid import UUID

from django.db import transaction

from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import alerts
from relais.telemonitoring.models import Alert

FORM = "ecovid-appel"


@transaction.atomic
def note(
    *,
    actor: Actor,
    alert: Alert,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
) -> Alert:
    """Keep the call's form and move the alert by its outcome; the same form sent twice notes one call.

    Raises NotFound for who may not handle the alert, Wrong for answers that cannot be, Refused when nobody is calling.
    """
    if not may.can_handle(actor, alert):
        raise NotFound
    kept = questionnaires.answer(
        actor=actor, about=alert.follow_up_id, questionnaire=questionnaire, answers=answers, request_key=request_key,
        times=times, who=Who(relation=Relation.PROFESSIONAL),
    )  # fmt: skip
    if not kept.is_new:
        return alert
    outcome = str(kept.response.answers["ap.issue"][0])
    return alerts.note_call(actor=actor, alert=alert, outcome=outcome, response=kept.response)
