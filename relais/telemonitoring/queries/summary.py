"""The printed summary of a follow-up, for the hospital that receives the patient: what summary.typ prints, as strings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import ngettext

from relais.core.times import stamp
from relais.patients.identity import printed
from relais.telemonitoring import wording
from relais.telemonitoring.actions.alerts import NOTED
from relais.telemonitoring.models import Alert, FollowUp
from relais.telemonitoring.queries import curves
from relais.telemonitoring.queries import follow_up as queries

ANSWERS, ALERTS, CALLS = 20, 10, 10  # the last ones: what fits two or three pages
REASONS = 4  # of an answer set, beside its measures
Row = tuple[str, str]


def summary(follow_up: FollowUp, *, phones: list[tuple[str, str, str]], by: str, at: datetime) -> dict[str, Any]:
    """Identity, inclusion, factors, last answers, curves, alerts, calls and whom to call; `by`: who printed it."""
    patient = follow_up.dossier.patient
    sets = queries.answer_sets(follow_up)
    drawn = curves.curves(follow_up, [one.response for one in sets])
    cell = follow_up.cell
    born = f"né(e) le {patient.birth_date:%d/%m/%Y}" if patient.birth_date else "date de naissance inconnue"
    return {
        "heading": "Suivi à domicile : synthèse",
        "reference": follow_up.dossier.reference,
        "printed": f"Éditée le {stamp(at)} par {by}",
        "footer": f"{patient.full_name} · {born} · dossier {follow_up.dossier.reference}",
        "patient": {"name": patient.full_name, "rows": printed(patient, timezone.localdate(at))},
        "cell": {
            "name": cell.name,
            "rows": [
                ("Établissement", cell.establishment.name),
                ("Téléphone", cell.establishment.phone),
                ("Horaires", _hours(cell)),
                ("Inclus par", follow_up.enrolled_by.full_name),
                ("Inclus le", f"{timezone.localtime(follow_up.dossier.created_at):%d/%m/%Y}"),
            ],
        },
        "contacts": [(who, shown) for who, shown, _number in phones],
        "now": _now(follow_up, at),
        "factors": [str(wording.FACTORS.get(one, one)) for one in follow_up.factors],
        "health": _health(follow_up),
        "heads": [f"{one.measure.label} {one.measure.unit}".strip() for one in drawn.curves],
        "answers": [_answer(one, drawn) for one in sets[:ANSWERS]],
        "more_answers": max(len(sets) - ANSWERS, 0),
        "note": _note(sets),
        "curves": [_curve(one) for one in drawn.curves],
        "alerts": _alerts(follow_up),
        "calls": [_call(one) for one in queries.calls(follow_up)[:CALLS]],
        "rules": _rules(follow_up),
    }


def _hours(cell: Any) -> str:
    return "Jour et nuit" if cell.opens == cell.closes else f"{cell.opens:%H:%M} à {cell.closes:%H:%M}, tous les jours"


def _now(follow_up: FollowUp, at: datetime) -> list[Row]:
    alert = queries.open_alert(follow_up)
    last = follow_up.last_answer_at
    level = wording.level_of(alert.level, priority=alert.priority).word if alert else ""
    return [
        ("Statut", follow_up.get_status_display()),
        ("Jour", f"J{follow_up.day(timezone.localdate(at))} (J0 : {follow_up.onset:%d/%m/%Y})"),
        (
            "Suivi",
            f"{follow_up.get_state_display()}, du {follow_up.starts_on:%d/%m/%Y} au {follow_up.ends_on:%d/%m/%Y}",
        ),
        ("Dernière réponse", f"{stamp(last)} : {wording.level_of(follow_up.level).word}" if last else "Aucune"),
        ("Alerte ouverte", f"{level}, {alert.get_state_display().lower()}" if alert else "Aucune"),
        ("Niveau de risque", str(follow_up.get_risk_display())),
    ]


def _health(follow_up: FollowUp) -> list[Row]:
    """What the inclusion says of the patient before this disease."""
    facts, said = follow_up.facts, _first(follow_up.inclusion.answers if follow_up.inclusion else {})
    return [
        ("Saturation habituelle", wording.text(facts["baseline"], "%") if "baseline" in facts else ""),
        ("Seuil de saturation", wording.text(facts["target"], "%") if "target" in facts else ""),
        ("Oxygène à domicile", "Oui" if facts.get("oxygen") else ""),
        ("Poids", said("inc.poids", "kg")),
        ("Taille", said("inc.taille", "cm")),
        ("Traitements", said("inc.traitement")),
        ("Allergies", said("inc.allergies")),
        ("Matériel à domicile", ", ".join(str(wording.EQUIPMENT.get(one, one)) for one in follow_up.equipment)),
    ]


def _first(answers: Mapping[str, list[Any]]) -> Any:
    def said(name: str, unit: str = "") -> str:
        value = next(iter(answers.get(name, [])), None)
        return "" if value is None else wording.text(value, unit) if unit else str(value)

    return said


def _answer(one: queries.AnswerSet, drawn: curves.Curves) -> dict[str, Any]:
    values = [wording.value_of(each.measure, one.response.answers) for each in drawn.curves]
    local = timezone.localtime(one.response.ended_at)
    return {
        "day": one.day_words,
        "at": f"{local:%d/%m %H:%M}",
        "level": str(one.level.word),
        "red": one.level.state == "danger",
        "values": ["" if value is None else wording.text(value, "") for value in values],
        "reasons": _gravest(one.reasons),
        "by": one.response.get_relation_display(),
    }


def _gravest(reasons: list[str]) -> str:
    """What fits beside the measures: the alerts below say all of them."""
    shown = " · ".join(str(reason) for reason in reasons[:REASONS])
    more = len(reasons) - REASONS
    return f"{shown} · " + ngettext("et %d autre", "et %d autres", more) % more if more > 0 else shown


def _note(sets: list[queries.AnswerSet]) -> list[Row]:
    """What the patient wrote to the team, the last three times."""
    found = [
        (stamp(one.response.ended_at), str(one.response.answers[name][0]))
        for one in sets
        for name in ("ad.note", "en.note")
        if one.response.answers.get(name)
    ]
    return found[:3]


def _curve(one: curves.Curve) -> dict[str, Any]:
    """The picture as fractions of its box, from its lower left corner."""
    values = [point.value for point in one.points]
    half = one.scale.step / 2
    low, high = min(one.scale.low, *values) - half, max(one.scale.high, *values) + half
    first, last = one.days

    def height(value: float) -> float:
        return min(max((value - low) / (high - low), 0), 1)

    return {
        "title": str(one.measure.title),
        "last": one.last,
        "thresholds": ". ".join(words for _level, words in one.thresholds),
        "points": [[(point.day - first) / (last - first), height(point.value)] for point in one.points],
        "zones": [[zone.level, height(zone.first - half), height(zone.last + half)] for zone in one.zones],
        "low": wording.text(round(low + half, 1), ""),
        "high": wording.text(round(high - half, 1), ""),
        "days": [f"J{first}", f"J{last - 1}"],
    }


def _alerts(follow_up: FollowUp) -> list[dict[str, str]]:
    words_of = wording.rule_words(follow_up.cell.rules_id)
    rows = Alert.objects.filter(follow_up=follow_up).select_related("taken_by").order_by("-opened_at", "-pk")[:ALERTS]
    return [
        {
            "at": stamp(one.opened_at),
            "level": str(wording.level_of(one.level, priority=one.priority).word),
            "state": one.get_state_display(),
            "who": one.taken_by.full_name if one.taken_by else "",
            "reasons": " · ".join(wording.reasons(one.fired, words_of)),
        }
        for one in rows
    ]


def _call(one: queries.Noted) -> dict[str, str]:
    call = one.call
    said = [f"{question} : {answer}" for question, answer in one.decided]
    outcome = wording.attempt(call.called, call.person, NOTED.get(call.outcome, call.outcome))
    return {"at": stamp(call.created_at), "outcome": outcome, "who": call.by.full_name, "said": "\n".join(said)}


def _rules(follow_up: FollowUp) -> str:
    rules = follow_up.cell.rules
    approved = f"approuvées par {rules.approved_by}" if rules.approved_by else "non approuvées par un clinicien"
    return f"Zones et niveaux : règles d’alerte {rules.name} {rules.version}, {approved}. Outil d’aide au suivi."
