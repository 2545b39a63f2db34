"""A call noted with its form: what was said is kept with the alert, and what was decided is done (domain.md §1.8).

`decide` is the table of it, pure: level retained and orientations in, what becomes of the alert out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import alerts, settings, states
from relais.telemonitoring.actions.alerts import ALERT_RANKS, CHECKS, REACHED
from relais.telemonitoring.delays import next_call, spaced
from relais.telemonitoring.models import Alert, Call, Cell, FollowUp
from relais.telemonitoring.queries.reaching import people, tried
from relais.telemonitoring.reaching import Called, next_of
from relais.telemonitoring.workflow import AlertState, State

FORM = "ecovid-appel"
RED = "rouge"
RETAINED = {"confirme-rouge": RED, "requalifie-orange": "orange", "requalifie-vert": "vert"}
RECALL, BOOK, HOSPITAL = "rappel-programme", "teleconsultation", "hospitalisation-directe"
OXIMETER_GIVEN = "oxymetre-remis"
ADJUSTING = {"modif-rythme", "modif-seuil"}  # what they decide is set on a page of its own
HANDED_OVER = {"samu15", "urgences", "had", HOSPITAL}  # others look after the patient from now on
FAILED, WITHIN = 3, timedelta(hours=24)  # MA04
BY_DAY = time(8)  # when a cell that answers day and night calls somebody on a day without an hour
GAP, GAP_RED = timedelta(hours=2), timedelta(minutes=30)


@dataclass(frozen=True)
class Decision:
    """What becomes of an alert after the patient was reached. `level`: its own from now on."""

    level: str
    ends: bool = False
    escalates: bool = False
    recall: bool = False
    pauses: bool = False


def decide(level: str, *, retained: str, orientations: set[str], doctor: bool) -> Decision:
    """Of an alert at `level` (of ALERT_RANKS), by who spoke to the patient; `retained`: code of RETAINED.

    A practitioner decides. Anybody else raises a level, and hands a red alert over to the doctor: they neither lower
    nor end it. A call that is planned keeps the alert open.
    """
    found = RETAINED[retained]
    pauses, recall = HOSPITAL in orientations, RECALL in orientations
    if found == RED:
        level = level if level.startswith(RED) else RED
    if level.startswith(RED) and not doctor:
        return Decision(level, escalates=True, pauses=pauses)
    if not recall and (found == "vert" or orientations & HANDED_OVER):
        return Decision(level, ends=True, pauses=pauses)
    if (level.startswith(RED) and found != RED) or ALERT_RANKS[found] > ALERT_RANKS[level]:
        level = "orange"  # the lowest that is called for: an alert that stays open has a colour
    return Decision(level, recall=recall, pauses=pauses)


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
    """Keep the call's form, move the alert by its outcome, do what was decided; the same form sent twice is one call.

    Raises NotFound for who may not handle the alert, Wrong for answers that cannot be, Refused when nobody is calling.
    """
    if not may.can_handle(actor, alert):
        raise NotFound
    FollowUp.objects.select_for_update(of=("self",)).get(pk=alert.follow_up_id)
    kept = questionnaires.answer(
        actor=actor, about=alert.follow_up_id, questionnaire=questionnaire, answers=answers, request_key=request_key,
        times=times, who=Who(relation=Relation.PROFESSIONAL),
    )  # fmt: skip
    if not kept.is_new:
        return Alert.objects.get(pk=alert.pk)
    said: Mapping[str, list[Any]] = kept.response.answers
    outcome = str(said["ap.issue"][0])
    noted = alerts.note_call(
        actor=actor, alert=alert, outcome=outcome, response=kept.response, called=str(said["ap.appele"][0]),
        person=str(next(iter(said.get("ap.personne", [])), "")),
    )  # fmt: skip
    return _reached(actor, noted, said) if outcome in REACHED else _not_reached(actor, noted)


def _reached(actor: Actor, alert: Alert, said: Mapping[str, list[Any]]) -> Alert:
    decision = decide(
        alert.level,
        retained=str(said["ap.niveau"][0]),
        orientations=set(said["ap.orientation"]),
        doctor=actor.has_role("practitioner"),
    )
    if decision.level != alert.level:
        alert = alerts.requalify(actor=actor, alert=alert, level=decision.level)
    if decision.pauses and alert.follow_up.state == State.ACTIVE:
        states.pause(actor=actor, follow_up=alert.follow_up)
    if OXIMETER_GIVEN in said["ap.orientation"]:
        settings.equip(actor=actor, follow_up=alert.follow_up, item=settings.OXIMETER)
    if decision.recall:
        alert = alerts.call_again(actor=actor, alert=alert, at=call_at(alert, said, timezone.now()))
    if decision.escalates:
        return alerts.escalate(actor=actor, alert=alert)
    return alerts.finish(actor=actor, alert=alert) if decision.ends else alert


def call_at(alert: Alert, said: Mapping[str, list[Any]], now: datetime) -> datetime:
    """The moment of the next call: in so many hours when that is on the day agreed, else when the cell opens that day.

    Today without hours: as after a call that did not reach the patient.
    """
    cell: Cell = alert.follow_up.cell
    day = date.fromisoformat(str(said["ap.rappel.date"][0]))
    if hours := said.get("ap.delai"):
        moment = now + timedelta(hours=int(hours[0]))
        if moment.astimezone(PARIS).date() == day:
            return moment
    opening = datetime.combine(day, cell.opens if cell.opens < cell.closes else BY_DAY, tzinfo=PARIS)
    if opening > now:
        return opening
    return next_call(alert.level, now, priority=alert.priority, opens=cell.opens, closes=cell.closes)


def _not_reached(actor: Actor, alert: Alert) -> Alert:
    """MA04: three calls to the patient in vain within a day: red and the doctor's, then whoever may have news, in order."""
    if "MA04" not in alert.fired:
        if _in_vain(alert) < FAILED:
            return alert
        alert = alerts.raise_alert(follow_up=alert.follow_up, level=RED, fired=["MA04"], priority=False)
        alert = _goes_on(alert)
        return alerts.escalate(actor=actor, alert=alert) if alert.state == AlertState.UNREACHED else alert
    alert = _goes_on(alert)
    doctors = alert.next_called == Called.CHECK and alert.state == AlertState.UNREACHED
    return alerts.escalate(actor=actor, alert=alert) if doctors else alert


def _in_vain(alert: Alert) -> int:
    """How many calls to the patient failed within a day, since they were last reached, of those far enough apart."""
    since = timezone.now() - WITHIN
    if last := Call.objects.filter(alert=alert, outcome__in=REACHED).order_by("-created_at").first():
        since = max(since, last.created_at)
    failed = Call.objects.filter(alert=alert, created_at__gte=since, called=Called.PATIENT).exclude(outcome__in=REACHED)
    return spaced(failed.values_list("created_at", flat=True), GAP_RED if alert.level.startswith(RED) else GAP)


def _goes_on(alert: Alert) -> Alert:
    """Whom to call now: the first whom nobody has tried since the last news, or since a doctor decided."""
    alert.next_called = next_of(people(alert.follow_up), tried(alert)).called
    alert.save(update_fields=["next_called"])
    return alert


@transaction.atomic
def decide_check(*, actor: Actor, alert: Alert, decision: str) -> Alert:
    """What a physician decides once nobody can be reached: one of CHECKS. The alert stays open, the patient is called again.

    Raises NotFound for who is no practitioner of the cell, Refused before MA04 or for another decision.
    """
    if not may.can_decide_check(actor, alert):
        raise NotFound
    if decision not in CHECKS:
        raise Refused(_("Choisissez ce qui est décidé."), field="decision")
    FollowUp.objects.select_for_update(of=("self",)).get(pk=alert.follow_up_id)
    if not Alert.objects.filter(pk=alert.pk, fired__contains=["MA04"]).exists():
        raise Refused(_("Cette décision se prend après trois appels au patient sans réponse."))
    cell: Cell = alert.follow_up.cell
    again = next_call(alert.level, timezone.now(), priority=alert.priority, opens=cell.opens, closes=cell.closes)
    moved = alerts.move(
        actor=actor, alert=alert, verb="check", taken_by_id=actor.me, next_called=Called.PATIENT, call_at=again
    )
    Call.objects.create(alert=moved, by_id=actor.me, called=Called.CHECK, outcome=decision)
    return moved
