"""From the inclusion form to a follow-up: day 0, severity factors, risk and the rhythm proposed (R-INC). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from relais.dossiers.facts import Facts
from relais.telemonitoring.programme import Rhythm, band

# Severity factors by weight (domain.md §1.4): very high, high; `rf.precarite` is moderate and weighs nothing here.
VERY_HIGH = ("rf.renal", "rf.greffe", "rf.trisomie", "rf.demence")
HIGH = (
    *("rf.age65", "rf.cardio", "rf.diabete", "rf.respi", "rf.cancer", "rf.immuno", "rf.hemopathie", "rf.foie"),
    *("rf.drepano", "rf.obesite", "rf.grossesse3", "rf.enfant"),
)
OTHER = ("rf.precarite",)
OBESE = 30.0  # kg/m²
OLD, VERY_OLD = 65, 80  # years


@dataclass(frozen=True)
class Inclusion:
    """What a follow-up starts from. `facts`: of history.FACTS; `equipment`: what is at home."""

    status: str
    onset: date
    factors: tuple[str, ...]
    risk: str
    rhythm: str
    facts: dict[str, float | bool]
    equipment: tuple[str, ...]


def read(answers: Mapping[str, list[Any]], *, born: date | None, today: date) -> Inclusion:
    """The follow-up that a checked answer set of `ecovid-inclusion` describes.

    Day 0 is the first symptom, else the last contact of a contact person, else the sample, else the discharge, else
    today. The rhythm is the one that was chosen.
    """

    def one(name: str) -> Any:
        return next(iter(answers.get(name, [])), None)

    found = factors(answers, born=born, today=today)
    days = [one(name) for name in ("inc.j0", "inc.exposition", "inc.test.date", "inc.sortie.date")]
    return Inclusion(
        status=one("inc.statut"),
        onset=next((date.fromisoformat(day) for day in days if day), today),
        factors=found,
        risk=risk_of(found, born=born, today=today),
        rhythm=one("inc.rythme"),
        facts=_facts(one, found),
        equipment=tuple(name for name in ("oxymetre", "thermometre") if one(f"inc.{name}")),
    )


STATUSES = {"confirme": "confirme", "suspect": "possible", "contact": "contact"}
OLDEST_ONSET = timedelta(days=30)  # inc.j0


def known_of(told: Facts, *, today: date) -> dict[str, list[Any]]:
    """Answers of the inclusion form that the dossier gives already from which it is opened (TE-09, FG-12)."""
    found: dict[str, list[Any]] = {}
    if status := STATUSES.get(told.covid):
        found["inc.statut"] = [status]
    if told.symptoms:
        found["inc.symptomes"] = [True]
    if told.onset and today - OLDEST_ONSET <= told.onset <= today:
        found |= {"inc.symptomes": [True], "inc.j0": [told.onset.isoformat()]}
    texts = {"inc.traitement": told.treatments, "inc.allergies": told.allergies}
    found |= {link: [text] for link, text in texts.items() if text}
    return found | {factor: [True] for factor in told.factors}


def factors(answers: Mapping[str, list[Any]], *, born: date | None, today: date) -> tuple[str, ...]:
    """The severity factors that were ticked, and those that follow from age, weight and pregnancy (EC-08)."""

    def one(name: str) -> Any:
        return next(iter(answers.get(name, [])), None)

    weight, height = one("inc.poids"), one("inc.taille")
    automatic = {
        "rf.age65": _years(born, today) >= OLD,
        "rf.obesite": bool(weight and height) and weight / (height / 100) ** 2 >= OBESE,
        "rf.grossesse3": one("inc.grossesse") == "t3",
    }
    return tuple(name for name in (*VERY_HIGH, *HIGH, *OTHER) if one(name) or automatic.get(name))


def risk_of(found: tuple[str, ...], *, born: date | None, today: date) -> str:
    """Very high with one factor of that weight, from 80 years, or with three high ones; high with one or from 65."""
    high = sum(name in HIGH for name in found)
    years = _years(born, today)
    if any(name in VERY_HIGH for name in found) or years >= VERY_OLD or high >= 3:
        return "tres-eleve"
    return "eleve" if high or years >= OLD else "standard"


def proposed_rhythm(answers: Mapping[str, list[Any]], *, born: date | None, today: date) -> str:
    """R-INC: reinforced with any high factor, below 3 months or after hospital; *contact* without a symptom."""
    status = next(iter(answers.get("inc.statut", [])), None)
    ill = next(iter(answers.get("inc.symptomes", [])), False)
    if status == "contact" and not ill:
        return str(Rhythm.CONTACT)
    found = factors(answers, born=born, today=today)
    infant = born is not None and band(born, today) == "A"
    weighty = any(name not in OTHER for name in found)
    return str(Rhythm.REINFORCED if weighty or infant or status == "sortie" else Rhythm.STANDARD)


def _facts(one: Any, found: tuple[str, ...]) -> dict[str, float | bool]:
    measured = {"baseline": one("inc.spo2base"), "target": one("inc.spo2cible")}
    known: dict[str, float | bool] = {name: float(value) for name, value in measured.items() if value is not None}
    flags = {"diabetes": "rf.diabete", "renal": "rf.renal", "risk_child": "rf.enfant"}
    return (
        known
        | {name: True for name, factor in flags.items() if factor in found}
        | ({"oxygen": True} if one("inc.sortie.o2") else {})
    )


def _years(born: date | None, today: date) -> int:
    if born is None:
        return 0
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
