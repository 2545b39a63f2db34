"""What the page of one follow-up shows."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from relais.audit import actions as audit
from relais.core import workflow
from relais.core.actor import Actor
from relais.patients.models import Grant, Patient
from relais.questionnaires.models import Questionnaire, Response
from relais.questionnaires.queries import current, words
from relais.telemonitoring import permissions as may
from relais.telemonitoring import wording
from relais.telemonitoring.models import Alert, Call, FollowUp, Judgement, Transfer
from relais.telemonitoring.programme import extended, form_for
from relais.telemonitoring.queries.cells import promise
from relais.telemonitoring.workflow import OPEN, State, TransferState

SHOWN_OF_PATIENT = 10
ANSWERS_SHOWN = 62  # thirty days of two a day


@dataclass(frozen=True)
class AnswerSet:
    """An answer set with what the rules said of it."""

    judgement: Judgement
    day: int
    level: wording.Level
    reasons: list[str]
    values: list[wording.Value]

    @property
    def response(self) -> Response:
        return self.judgement.response

    @property
    def day_words(self) -> str:
        return f"J{self.day}"


def answer_sets(follow_up: FollowUp) -> list[AnswerSet]:
    """The last answer sets, the newest first whenever they came, each with the way its measures went since the one before."""
    given = follow_up.judgements.select_related("response").order_by("-response__ended_at", "-at", "-pk")
    rows = list(given[: ANSWERS_SHOWN + 1])
    before = [*rows[1:], None][: len(rows)]
    return [_set(follow_up, one, earlier) for one, earlier in zip(rows, before, strict=True)][:ANSWERS_SHOWN]


def _set(follow_up: FollowUp, one: Judgement, before: Judgement | None) -> AnswerSet:
    told = wording.rule_words(one.rules_id)
    return AnswerSet(
        judgement=one,
        day=follow_up.day(one.day),
        level=wording.level_of(one.level),
        reasons=[told.get(rule, rule) for rule in one.fired],
        values=wording.measures(one.response.answers, before.response.answers if before else None),
    )


def of_patient(actor: Actor, patient: Patient) -> list[FollowUp] | None:
    """The follow-ups of a patient that the actor may read, the newest first, with the trace; None without any."""
    if not may.can_read(actor):
        return None
    seen = FollowUp.objects.visible_to(actor).filter(dossier__patient=patient).select_related("cell", "dossier")
    found = list(seen.order_by("-starts_on", "-pk")[:SHOWN_OF_PATIENT])
    audit.record_list(actor=actor, action="telemonitoring.list", ids=[one.pk for one in found])
    return found or None


def open_alert(follow_up: FollowUp) -> Alert | None:
    """The alert that is not ended, with who has it."""
    alert = Alert.objects.filter(follow_up=follow_up, state__in=OPEN).select_related("taken_by").first()
    if alert:
        alert.follow_up = follow_up  # its cell and patient are here already
    return alert


def alert_context(actor: Actor, follow_up: FollowUp) -> dict[str, Any]:
    """The open alert with its verbs, its reasons and its clock; `alert` is None without one."""
    alert = open_alert(follow_up)
    if alert is None:
        return {"alert": None, "alert_verbs": []}
    told = wording.rule_words(follow_up.cell.rules_id)
    deadline, deadline_words = promise(alert, follow_up.cell)
    return {
        "alert": alert,
        "alert_level": wording.level_of(alert.level, priority=alert.priority),
        "alert_red": alert.level.startswith("rouge"),
        "alert_reasons": wording.reasons(alert.fired, told, alert.next_called),
        "alert_verbs": workflow.possible(alert, actor),
        "deadline": deadline,
        "deadline_words": deadline_words,
    }


@dataclass(frozen=True)
class Noted:
    """A call, and what was decided: (question, answer in words) for each question of DECIDED that was answered."""

    call: Call
    decided: list[tuple[str, str]]


DECIDED = ("ap.niveau", "ap.orientation", "ap.evaluation", "ap.consignes")


def calls(follow_up: FollowUp) -> list[Noted]:
    """Every attempt to reach the patient, the last first."""
    rows = Call.objects.filter(alert__follow_up=follow_up).select_related("by", "response__questionnaire")
    return [Noted(one, _decided(one)) for one in rows.order_by("-created_at", "-pk")]


def is_noted(follow_up: FollowUp, request_key: UUID) -> bool:
    """Whether a call was noted with this form already."""
    return Call.objects.filter(alert__follow_up=follow_up, response__request_key=request_key).exists()


def _decided(call: Call) -> list[tuple[str, str]]:
    if call.response is None:
        return []
    said, items = call.response.answers, call.response.questionnaire.form.by_id
    return [
        (items[name].text, ", ".join(words(items[name], value) for value in said[name]))
        for name in DECIDED
        if said.get(name)
    ]


def verbs(actor: Actor, follow_up: FollowUp) -> set[str]:
    """What the buttons of the page are drawn from: the table, and the verbs that move no state."""
    found = set(workflow.possible(follow_up, actor))
    if follow_up.state == State.CLOSED or not may.can_follow(actor, follow_up):
        return found
    later = extended(follow_up.onset, follow_up.ends_on)
    return found | {"answer", "transfer"} | ({"extend"} if later > follow_up.ends_on else set())


def waiting_transfer(follow_up: FollowUp) -> Transfer | None:
    """To which cell the patient is proposed, until it answers."""
    return follow_up.transfers.filter(state=TransferState.ASKED).select_related("target").first()


def way_in(follow_up: FollowUp) -> Grant | None:
    """The live way in of the patient, or of whoever answers for them."""
    grants = Grant.objects.filter(about=follow_up.pk, revoked_at=None).exclude(holder="guest")
    return grants.order_by("-created_at", "-pk").first()


def carers(follow_up: FollowUp) -> list[tuple[str, str]]:
    """(name, telephone) of those whom the inclusion names."""
    given = follow_up.inclusion.answers.get("inc.aidant", []) if follow_up.inclusion else []
    rows = given if isinstance(given, list) else []
    return [(_one(row, "inc.aidant.nom"), _one(row, "inc.aidant.telephone")) for row in rows if isinstance(row, dict)]


def general_practitioner(follow_up: FollowUp) -> str:
    """The RPPS number of the treating doctor that the inclusion names; "" without one."""
    given = follow_up.inclusion.answers.get("inc.medecin", []) if follow_up.inclusion else []
    return str(next(iter(given), ""))


def _one(row: dict[str, list[Any]], name: str) -> str:
    return str(next(iter(row.get(name, [])), ""))


def daily_form(follow_up: FollowUp) -> Questionnaire:
    """The questionnaire of today for this patient."""
    born = follow_up.dossier.patient.birth_date
    return current(form_for(contact=follow_up.status == "contact", born=born, on=timezone.localdate()))
