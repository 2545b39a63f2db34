"""What is said of a request when it changes hands: Situation, Background, Assessment, Recommendation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relais.core import times
from relais.core.paris import PARIS
from relais.liaison import scores
from relais.liaison.models import Note, Request, Urgency
from relais.questionnaires.queries import words

LONGEST, LONGEST_TOLD = 2000, 700  # characters: of a text, of what came from another dossier in it
SIGNS = (
    ("fg.fr", "FR", "/min"), ("fg.spo2", "SpO2", "\u00a0%"), ("fg.o2debit", "O2", "\u00a0L/min"), ("fg.fc", "FC", "/min"),
    ("fg.pas", "PAS", "\u00a0mmHg"), ("fg.temp", "T", "\u00a0°C"), ("fg.conscience", "conscience", ""),
)  # fmt: skip
BACKGROUND = (
    "fg.gir",
    "fg.comorb",
    "fg.ttt.risque",
    "fg.allergies",
    "fg.nts",
    "fg.da",
    "fg.souhait",
    "fg.pconf.prevenue",
)


def said(demand: Request, name: str) -> str:
    """The answer to a question of the request, in words; "" without one."""
    if demand.response is None:
        return ""
    given = demand.response.answers.get(name)
    item = demand.response.questionnaire.form.by_id.get(name)
    return ", ".join(words(item, value) for value in given) if given and item else ""


def signs(demand: Request) -> str:
    """The vital signs of the request on one line."""
    return signs_of(demand.response.answers if demand.response else {})


def signs_of(answers: Mapping[str, Any]) -> str:
    """The vital signs of these answers on one line that breaks between them alone."""
    got = [(label, scores.first(answers, name), unit) for name, label, unit in SIGNS]
    return ", ".join(f"{label}\u00a0{_figure(value)}{unit}" for label, value, unit in got if value is not None)


def in_words(answers: Mapping[str, Any]) -> str:
    """The NEWS2 of these answers: *au moins 6* where a sign is missing."""
    found = scores.score(answers)
    return f"au moins {found.news2}" if found.missing else str(found.news2)


def _figure(value: Any) -> str:
    return f"{value:g}".replace(".", ",") if isinstance(value, float) else str(value)


def sbar(demand: Request, now: datetime) -> dict[str, str]:
    """The four texts, made from what the request says; the doctor who leaves corrects them."""
    patient = demand.patient
    who = patient.full_name
    if patient.birth_date:
        who += f", {times.age(patient.birth_date, now.astimezone(PARIS).date())}"
    situation = [
        f"{who}, {demand.establishment.name}.",
        ", ".join(part for part in (said(demand, "fg.motif"), hurry(demand)) if part) + ".",
        f"{said(demand, 'fg.question.txt')}",
    ]
    background = [f"{label(demand, name)} : {said(demand, name)}." for name in BACKGROUND if said(demand, name)]
    assessment = [signs(demand)]
    if demand.response and demand.news2 is not None:
        assessment.append(f"NEWS2 {in_words(demand.response.answers)}, qSOFA {demand.qsofa}.")
    decision = demand.decisions.order_by("-created_at", "-pk").first()
    recommendation = []
    if decision:
        assessment.append(f"Avis : {decision.get_code_display()}. {decision.justification}")
        recommendation.append(decision.plan)
    else:
        recommendation.append("L’avis n’est pas encore rendu.")
    assessment += [shortened(one.text) for one in _last_told(demand)]
    if demand.review_at:
        recommendation.append(f"À réévaluer le {demand.review_at.astimezone(PARIS):%d/%m à %H:%M}.")
    parts = {
        "situation": situation,
        "background": background,
        "assessment": assessment,
        "recommendation": recommendation,
    }
    return {name: "\n".join(line for line in lines if line.strip())[:LONGEST] for name, lines in parts.items()}


def _last_told(demand: Request) -> list[Note]:
    """The last that came from each dossier that was opened from this request: an opinion that was asked, or given."""
    rows = demand.notes.filter(sequel__isnull=False).order_by("created_at", "pk")
    return list({one.sequel_id: one for one in rows}.values())


def shortened(text: str) -> str:
    """What came from another dossier, as far as it goes among other texts."""
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD].rstrip()}… (suite dans les échanges)"


def hurry(demand: Request) -> str:
    """How urgent, in words: *urgence vitale*, *avis en moins d’une heure*."""
    words = demand.get_urgency_display().lower()
    return f"urgence {words}" if demand.urgency == Urgency.VITAL else f"avis en {words}"


def label(demand: Request, name: str) -> str:
    return demand.response.questionnaire.form.by_id[name].text if demand.response else ""
