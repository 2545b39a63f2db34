"""An answer set arrives: it is kept, judged and, when it must be, on the cell's screen, in one transaction (EC-03 … EC-06)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.columns import values
from relais.questionnaires.models import Questionnaire, Reason, Relation, Response
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import alerts, rules, windows
from relais.telemonitoring.inclusion import OLDEST_ONSET
from relais.telemonitoring.judging import GREEN, RAISING, RANKS, Decision, alert_level
from relais.telemonitoring.models import Alert, FollowUp, Judgement
from relais.telemonitoring.programme import FORMS, Slot, Window, band, end_of, months
from relais.telemonitoring.topics import cell_topic, space_topic
from relais.telemonitoring.workflow import AlertState, State

HISTORY = timedelta(days=31)
DOCTOR = "practitioner"  # whose call is the medical contact of AC06
URGENT = {"priority", "escalate"}  # effects for which an orange is called sooner
PATIENT = Who()
# Who may answer in the place of a patient on the patient's own page, and why.
PROXIES = (Relation.PARENT, Relation.CARER, Relation.NURSE, Relation.HOME)
REASONS = (Reason.DEPENDENT, Reason.NO_TELEPHONE, Reason.LANGUAGE, Reason.CHILD)
WHO = "ad.saisie"  # the question that the page answers by itself: it knows who answers
SAID_BY = {Relation.PATIENT: "patient", Relation.NURSE: "professionnel", Relation.HOME: "professionnel"}


@whole
def answer(
    *,
    actor: Actor,
    follow_up: FollowUp,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
    who: Who = PATIENT,
    uploads: dict[str, list[Any]] | None = None,
    context: dict[str, list[Any]] | None = None,
) -> Judgement:
    """Keep an answer set, judge it by the cell's rules and raise what must be raised.

    Sent five times it is one. Finished without network, it counts for the window in which it was finished, and its
    alert for now; in whatever order answer sets come, they leave the patient at one level. `context`: what the site said
    when the questions were put, if that was not now. Raises NotFound for who may not answer here, Refused once the follow-up is closed, Wrong (Refused
    with a sentence by question) for answers that cannot be.
    """
    if not may.can_answer(actor, follow_up):
        raise NotFound
    locked = (
        FollowUp.objects.select_for_update(of=("self",))
        .select_related("dossier__patient")
        .prefetch_related("pauses")
        .get(pk=follow_up.pk)
    )
    if locked.state == State.CLOSED:
        if done := Judgement.objects.filter(response__about=locked.pk, response__request_key=request_key).first():
            return done
        raise Refused(_("Ce suivi est terminé : vous n’avez plus rien à remplir. En cas d’urgence, appelez le 15."))
    kept = questionnaires.answer(
        actor=actor, about=locked.pk, questionnaire=questionnaire, answers=answers, request_key=request_key,
        times=times, who=who, context=context or context_of(locked), uploads=uploads,
    )  # fmt: skip
    return _judge(locked, kept.response) if kept.is_new else Judgement.objects.get(response=kept.response)


def context_of(follow_up: FollowUp, on: date | None = None) -> dict[str, list[Any]]:
    """What the daily forms ask of the site itself (hidden items `ctx.*`), today or on another day."""
    patient, today = follow_up.dossier.patient, on or timezone.localdate()
    born = patient.birth_date
    known: dict[str, Any] = {
        "ctx.oxymetre": "oxymetre" in follow_up.equipment,
        "ctx.effort": "effort" in follow_up.equipment,
        "ctx.o2": bool(follow_up.facts.get("oxygen")),
        "ctx.diabete": "rf.diabete" in follow_up.factors,
        "ctx.risque": follow_up.risk,
        "ctx.sexe": patient.sex or "I",
    }
    if born:
        known["ctx.age"] = round(months(born, today) / 12, 2)
        known["ctx.age_jours"] = (today - born).days
    return {name: [value] for name, value in known.items()}


def said_by(who: Who) -> str:
    """The answer to WHO."""
    return SAID_BY.get(Relation(who.relation), "proche-aidant")


def _judge(follow_up: FollowUp, response: Response) -> Judgement:
    moment = response.ended_at
    window = follow_up.plan.window_of(moment) or Window(moment.astimezone(PARIS).date(), Slot.DAY)
    alert, given = alerts.open_alert(follow_up), _given(follow_up, response, moment)
    decision = _decided(follow_up, response, moment, alert, given)
    judgement = Judgement.objects.create(
        follow_up=follow_up,
        response=response,
        rules_id=follow_up.cell.rules_id,
        at=response.received_at,
        day=window.day,
        slot=window.slot,
        late=response.received_at >= window.closes,
        level=decision.level,
        fired=list(decision.fired),
    )
    later = _after(follow_up, response) if any(one[:2] > _place(response) for one in given) else []
    if not later:
        follow_up.level, follow_up.last_answer_at = decision.level, moment
        follow_up.save(update_fields=["level", "last_answer_at"])
    follow_up.missed.filter(day=window.day, slot=window.slot).delete()
    dossiers.record(follow_up.dossier, "answered", SYSTEM_ACTOR, response=str(response.pk), level=decision.level)
    _react(follow_up, decision, alert, moment, newest=not later)
    if follow_up.status == "contact" and {"possible_case", "confirmed_case"} & set(decision.effects):
        _becomes_case(follow_up, judgement, set(decision.effects))
    _look_again(follow_up, later)
    live.ping(cell_topic(follow_up.cell_id), space_topic(follow_up.pk))
    return judgement


def _after(follow_up: FollowUp, response: Response) -> list[Response]:
    """The answer sets finished after this one that came before it, in their order."""
    judged = Response.objects.filter(about=follow_up.pk, judgement__isnull=False).exclude(pk=response.pk)
    found = judged.filter(ended_at__gte=response.ended_at).select_related("questionnaire", "judgement")
    return sorted((one for one in found if _place(one) > _place(response)), key=_place)


def _place(response: Response) -> tuple[datetime, UUID]:
    """In which order answer sets are read, whatever order they came in."""
    return response.ended_at, response.request_key


def _look_again(follow_up: FollowUp, later: list[Response]) -> None:
    """What came late is in the story of those after it: the level follows, and what fires only now is an alert.

    What was judged stays as it was judged.
    """
    for one in later:
        decision = decide(follow_up, one, one.ended_at)
        new = [
            rule for rule in _looked_at(follow_up, one) if rule in decision.fired and rule not in one.judgement.fired
        ]
        level = alert_level(decision.level, decision.effects)
        if new and RANKS[level] >= RANKS[one.judgement.level]:
            alerts.raise_alert(
                follow_up=follow_up, level=level, fired=new, delay=decision.delay,
                priority=bool(URGENT & set(decision.effects)),
            )  # fmt: skip
        if one is later[-1] and follow_up.level != decision.level:
            follow_up.level = decision.level
            follow_up.save(update_fields=["level"])


def _looked_at(follow_up: FollowUp, response: Response) -> list[str]:
    """The rules for which somebody has to look."""
    listed = rules.reader(follow_up.cell.rules_id, _group(response)).rules
    return [rule.id for rule in listed if rule.level or rule.effect in RAISING]


def decide(follow_up: FollowUp, response: Response, moment: datetime) -> Decision:
    """What the rules of the population that this form is for say of this answer set, knowing those before it."""
    return _decided(follow_up, response, moment, alerts.open_alert(follow_up), _given(follow_up, response, moment))


Said = tuple[datetime, UUID, dict[str, list[Any]]]  # `_place` of an answer set, and its answers


def _given(follow_up: FollowUp, response: Response, moment: datetime) -> list[Said]:
    """The other answer sets of this follow-up, from a month before this one on."""
    judged = Response.objects.filter(about=follow_up.pk, judgement__isnull=False, ended_at__gt=moment - HISTORY)
    return sorted(
        judged.exclude(pk=response.pk).values_list("ended_at", "request_key", "answers"), key=lambda one: one[:2]
    )


def _decided(
    follow_up: FollowUp, response: Response, moment: datetime, alert: Alert | None, given: list[Said]
) -> Decision:
    reader = rules.reader(follow_up.cell.rules_id, _group(response))
    before = [(at, said) for at, key, said in given if (at, key) < _place(response)]
    rows = [
        {**facts_of(follow_up, at), **values(reader.answers, said)}
        for at, said in [*before, (moment, response.answers)]
    ]
    rows[-1] |= _handled(alert)
    return reader.decide_last(rows)


def _group(response: Response) -> str:
    """The population that this form is for."""
    return next(group for group, names in FORMS.items() if response.questionnaire.name in names)


def facts_of(follow_up: FollowUp, at: datetime) -> dict[str, object]:
    """What `history.rows` needs of a follow-up beside the answers given at this moment."""
    on = at.astimezone(PARIS).date()
    born = follow_up.dossier.patient.birth_date
    facts: dict[str, object] = {
        "episode": str(follow_up.pk),
        "at": at.astimezone(UTC),  # one zone for a column
        "date": on,
        "sex": follow_up.dossier.patient.sex or "I",
        "risk": follow_up.risk,
        "day": follow_up.day(on),
        **{name: value for name, value in follow_up.facts.items() if name != "oxygen"},
    }
    if born:
        age = months(born, on)
        facts |= {
            "age": age / 12,
            "age_months": age,
            "band": band(born, on) or "D",
        }  # D: a child's form closed on an 18th birthday
    return facts


def _handled(alert: Alert | None) -> dict[str, object]:
    """Whether somebody has the open alert in hand, and whether a practitioner reached the patient since its level last rose:
    by a call that was noted, whatever became of the alert since (as `queries.stored` has it for a replay)."""
    if alert is None:
        return {"acknowledged": False, "contacted": False}
    calls = alert.calls.filter(outcome__in=alerts.REACHED, created_at__gte=alert.since, by__memberships__role=DOCTOR)
    return {"acknowledged": alert.state != AlertState.NEW, "contacted": alert.attempts > 0 and calls.exists()}


def _react(follow_up: FollowUp, decision: Decision, alert: Alert | None, moment: datetime, *, newest: bool) -> None:
    """An answer set that comes late may raise an alert, never end one: what came after it is not in its story, nor the
    windows that have gone by without an answer."""
    effects = set(decision.effects)
    level = alert_level(decision.level, effects)
    if level != GREEN:
        urgent = bool(effects & URGENT)
        alerts.raise_over(
            alert, follow_up=follow_up, level=level, fired=decision.fired, priority=urgent, delay=decision.delay
        )
    elif newest and alert and not alerts.missing_since(follow_up, moment):
        (alerts.settle if "close" in effects else alerts.heard)(alert)


def _becomes_case(follow_up: FollowUp, judgement: Judgement, effects: set[str]) -> None:
    """A contact with a symptom or a positive test: the follow-up goes on as a case's, its history kept (EC-11).

    Day 0 is the day of the symptom, without one that of the sample (CT03): the second week is counted from there.
    """
    moment, sampled = judgement.response.ended_at, judgement.response.answers.get("ct.test.date")
    on = moment.astimezone(PARIS).date()
    onset = date.fromisoformat(sampled[0]) if sampled and "possible_case" not in effects else on
    follow_up.status = "confirme" if "confirmed_case" in effects else "possible"
    follow_up.rhythm = "standard"
    follow_up.onset = onset if on - OLDEST_ONSET <= onset <= on else on
    follow_up.ends_on = max(follow_up.ends_on, end_of(follow_up.onset, on))
    follow_up.save(update_fields=["status", "rhythm", "onset", "ends_on"])
    windows.recount(follow_up, judgement.day)
    dossiers.record(follow_up.dossier, "became_case", SYSTEM_ACTOR, status=follow_up.status)
