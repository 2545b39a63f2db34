"""Alerts: one open a patient, whose level only rises; taken by one member, called, ended (domain.md §1.8)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live, workflow
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.dossiers import actions as dossiers
from relais.questionnaires.models import Response
from relais.telemonitoring import permissions as may
from relais.telemonitoring.delays import call_by, call_within, next_call
from relais.telemonitoring.judging import GREEN, ORDER, RANKS
from relais.telemonitoring.models import Alert, Call, FollowUp
from relais.telemonitoring.programme import Slot, Window
from relais.telemonitoring.reaching import Called
from relais.telemonitoring.topics import cell_topic, space_topic
from relais.telemonitoring.workflow import OPEN, AlertState

ALERT_RANKS = {**RANKS, "gris": 1}
GRAVITY = {level: place for place, level in enumerate((GREEN, "gris", *ORDER))}
OUTCOMES = {
    "joint": "Patient joint",
    "proche-joint": "Proche joint",
    "non-joint": "Ne répond pas",
    "repondeur": "Répondeur",
    "mauvais-numero": "Mauvais numéro",
    "medecin-joint": "Médecin traitant joint",
    "sans-nouvelles": "Joint, sans nouvelles du patient",
}
# What a physician decides when nobody has news of the patient (MA04).
CHECKS = {
    "samu": "SAMU (15) appelé : quelqu’un va voir le patient",
    "police-secours": "Police-secours (17) appelée : quelqu’un va voir le patient",
    "attente": "Pas de vérification pour l’instant : rappeler le patient",
}
NOTED = {**OUTCOMES, **CHECKS}
REACHED = ("joint", "proche-joint", "medecin-joint")
MISSING = {"MA01", "MA02"}  # rules whose only reason is that no answer came: a green one ends it
STOP = "ARRET"  # the reason that a patient gives by asking to stop: answers do not end it


def open_alert(follow_up: FollowUp) -> Alert | None:
    """The one alert of this patient that is not ended, its row held: nobody ends it while it is being raised."""
    alert = Alert.objects.select_for_update(of=("self",)).filter(follow_up=follow_up, state__in=OPEN).first()
    if alert:
        alert.follow_up = follow_up
    return alert


def raise_alert(*, follow_up: FollowUp, level: str, fired: Iterable[str], priority: bool, delay: int = 0) -> Alert:
    """Open an alert, or add to the one that is open: rules are appended, the level rises and never falls.

    A level that rises begins its clocks anew, and a patient who was reached has to be called again, as one who says red
    again has; `delay`: minutes, of a rule that asks for a call sooner than its level. The caller holds the row of the
    follow-up.
    """
    return raise_over(
        open_alert(follow_up), follow_up=follow_up, level=level, fired=fired, priority=priority, delay=delay
    )


def raise_over(
    alert: Alert | None, *, follow_up: FollowUp, level: str, fired: Iterable[str], priority: bool, delay: int = 0
) -> Alert:
    """`raise_alert` for a caller who has just read the open alert, or that there is none."""
    now = timezone.now()
    if alert is None:
        alert = Alert(follow_up=follow_up, level=level, priority=priority, fired=list(fired), since=now, opened_at=now)
        _hurry(alert, now, delay)
        alert.save(force_insert=True)
        _tell(alert, "alert_opened")
        return alert
    higher = GRAVITY[level] > GRAVITY[alert.level]
    red_again = level.startswith("rouge") and alert.state == AlertState.REACHED
    sooner = priority and not alert.priority
    fresh = not set(fired) <= set(alert.fired)
    alert.fired = list(dict.fromkeys([*alert.fired, *fired]))
    alert.priority = alert.priority or priority
    if higher:
        alert.level = level
    if higher or red_again:
        alert.call_at = None
    if higher or red_again or (sooner and alert.level == "orange"):
        alert.since = now
    if higher or red_again or alert.state != AlertState.REACHED:
        _hurry(alert, now, delay)
    elif fresh:
        _call_about(alert, level, now)
    alert.save(update_fields=["fired", "priority", "level", "since", "call_at"])
    _tell(alert, "alert_raised" if higher else "alert_confirmed")
    if (higher or red_again) and alert.state == AlertState.REACHED:
        return move(actor=SYSTEM_ACTOR, alert=alert, verb="again")
    return alert


def _hurry(alert: Alert, now: datetime, delay: int) -> None:
    """A call within `delay` minutes of now, if the clock of the alert would let it wait longer."""
    if not delay:
        return
    cell = alert.follow_up.cell
    if (sooner := call_within(alert.level, now, delay, cell.opens, cell.closes)) < alert.clock(cell).call_by:
        alert.call_at = sooner


def _call_about(alert: Alert, level: str, now: datetime) -> None:
    """A sign that whoever was reached did not speak of: a call as the level of this sign asks, or sooner if one was agreed."""
    cell = alert.follow_up.cell
    asked = call_by(level, now, priority=alert.priority, opens=cell.opens, closes=cell.closes)
    alert.call_at = min(asked, alert.call_at or asked)


def _tell(alert: Alert, verb: str) -> None:
    dossiers.record(alert.follow_up.dossier, verb, SYSTEM_ACTOR, alert=str(alert.pk), level=alert.level)
    live.ping(cell_topic(alert.follow_up.cell_id), urgent=True)


def move(*, actor: Actor, alert: Alert, verb: str, **changes: Any) -> Alert:
    """Use a verb of the alert's table; the dossier keeps the trace, every member's list is told."""

    def recorder(locked: Alert, verb: str, actor: Actor, source: str) -> None:
        dossiers.record(locked.follow_up.dossier, f"alert_{verb}", actor, alert=str(locked.pk), source=source)
        live.ping(cell_topic(locked.follow_up.cell_id), urgent=True)
        live.ping(space_topic(locked.follow_up_id))

    return workflow.apply(alert, verb, actor, recorder, **changes)


@transaction.atomic
def take(*, actor: Actor, alert: Alert) -> Alert:
    """Take an alert: of two who press at once one has it, the other reads so."""
    try:
        return move(actor=actor, alert=alert, verb="take", taken_by_id=actor.me, taken_at=timezone.now())
    except Refused:
        holder = Alert.objects.select_related("taken_by").get(pk=alert.pk).taken_by
        if holder is None or holder.pk == actor.user_id:
            raise
        raise Refused(_("%(who)s s’occupe déjà de ce patient.") % {"who": holder.full_name}) from None


@transaction.atomic
def give_back(*, actor: Actor, alert: Alert) -> Alert:
    """Hand the alert back to the team; its clocks go on."""
    return move(actor=actor, alert=alert, verb="give_back", taken_by=None, taken_at=None)


@transaction.atomic
def call(*, actor: Actor, alert: Alert) -> Alert:
    """Begin to call: whoever calls has the alert."""
    return move(actor=actor, alert=alert, verb="call", taken_by_id=actor.me)


@transaction.atomic
def note_call(
    *,
    actor: Actor,
    alert: Alert,
    outcome: str,
    response: Response | None = None,
    called: str = Called.PATIENT,
    person: str = "",
) -> Alert:
    """How the call to this person went: news of the patient or not, one attempt more, and when to try again.

    Raises Refused for an unknown outcome.
    """
    if outcome not in OUTCOMES:
        raise Refused(_("Indiquez comment l’appel s’est passé."), field="outcome")
    verb = "reached" if outcome in REACHED else "unreached"
    alert = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)  # its level may have risen during the call
    cell = alert.follow_up.cell
    again = next_call(alert.level, timezone.now(), priority=alert.priority, opens=cell.opens, closes=cell.closes)
    call_at = None if outcome in REACHED else again
    changes: dict[str, Any] = {"next_called": ""} if outcome in REACHED else {}
    moved = move(actor=actor, alert=alert, verb=verb, attempts=alert.attempts + 1, call_at=call_at, **changes)
    Call.objects.create(alert=moved, by_id=actor.me, outcome=outcome, response=response, called=called, person=person)
    return moved


@transaction.atomic
def requalify(*, actor: Actor, alert: Alert, level: str) -> Alert:
    """Another level, as somebody who spoke to the patient found it: never silently, a red one by a practitioner alone.

    Raises NotFound for who may not.
    """
    locked = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    lower = ALERT_RANKS[level] < ALERT_RANKS[locked.level]
    if not (may.can_finish if lower else may.can_handle)(actor, locked):
        raise NotFound
    before, locked.level = locked.level, level
    if not lower:
        locked.since = timezone.now()
    locked.save(update_fields=["level", "since"])
    dossiers.record(
        locked.follow_up.dossier, "alert_requalified", actor, alert=str(locked.pk), before=before, level=level
    )
    live.ping(cell_topic(locked.follow_up.cell_id), urgent=True)
    return locked


@transaction.atomic
def call_again(*, actor: Actor, alert: Alert, at: datetime) -> Alert:
    """The next call, agreed with who was reached: the alert stays open and its clock runs to that moment.

    Raises NotFound for who may not.
    """
    locked = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    if not may.can_handle(actor, locked):
        raise NotFound
    locked.call_at = at
    locked.save(update_fields=["call_at"])
    dossiers.record(locked.follow_up.dossier, "call_planned", actor, alert=str(locked.pk))
    live.ping(cell_topic(locked.follow_up.cell_id), urgent=True)
    return locked


@transaction.atomic
def escalate(*, actor: Actor, alert: Alert) -> Alert:
    """Hand over to the doctor of the cell."""
    return move(actor=actor, alert=alert, verb="escalate")


@transaction.atomic
def finish(*, actor: Actor, alert: Alert) -> Alert:
    """The patient was reached and a decision was noted; a red one is ended by a practitioner alone."""
    return move(actor=actor, alert=alert, verb="finish", closed_at=timezone.now())


@transaction.atomic
def mistake(*, actor: Actor, alert: Alert) -> Alert:
    """An answer that was typed wrong: the alert is cancelled by somebody who says so (MA06)."""
    return move(
        actor=actor, alert=alert, verb="mistake", closed_at=timezone.now(), taken_by_id=alert.taken_by_id or actor.me
    )


def settle(alert: Alert) -> Alert:
    """The rules say that it is over (AC09): an orange that somebody has taken. A red one is ended by a practitioner, and
    nothing ends under a call, before the doctor who was told has looked, before a call that was agreed, or when the patient
    asked to stop: the team answers that.
    """
    agreed = alert.state == AlertState.REACHED and alert.call_at is not None
    waits = agreed or asks_to_stop(alert)
    if alert.state not in (AlertState.TAKEN, AlertState.UNREACHED, AlertState.REACHED) or waits or _is_red(alert):
        return alert
    return move(actor=SYSTEM_ACTOR, alert=alert, verb="settle", closed_at=timezone.now())


def asks_to_stop(alert: Alert | None) -> bool:
    """Whether the team still has to answer a patient who wants to stop."""
    return alert is not None and STOP in alert.fired


def heard(alert: Alert) -> Alert:
    """An answer without a sign came: an alert that said only that answers were missing is over, unless somebody who
    called found that the patient has to be looked after."""
    waiting = alert.state in (AlertState.NEW, AlertState.TAKEN, AlertState.UNREACHED)
    if not set(alert.fired) <= MISSING or not waiting or _is_red(alert):
        return alert
    return move(actor=SYSTEM_ACTOR, alert=alert, verb="settle", closed_at=timezone.now())


def missing_since(follow_up: FollowUp, at: datetime) -> bool:
    """Whether an answer is missing in a window that began after this moment."""
    later = follow_up.missed.filter(day__gte=at.astimezone(PARIS).date())
    return any(Window(one.day, Slot(one.slot)).opens > at for one in later)


def _is_red(alert: Alert) -> bool:
    return ALERT_RANKS[alert.level] >= ALERT_RANKS["rouge"]
