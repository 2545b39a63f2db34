"""What a professional reads in place of codes: levels, severity factors, measures, rules, events."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from relais.telemonitoring.models import RuleSet
from relais.telemonitoring.reaching import Called


class Level(NamedTuple):
    """A level as a badge: its state, its word and its icon."""

    state: str
    word: str | Promise
    icon: str


LEVELS: dict[str, Level] = {
    "rouge": Level("danger", _("Rouge"), "alert-octagon"),
    "rouge-psy": Level("danger", _("Rouge, détresse"), "heart-broken"),
    "orange prioritaire": Level("warning", _("Orange prioritaire"), "alert-triangle"),
    "orange": Level("warning", _("Orange"), "alert-triangle"),
    "orange-psy": Level("warning", _("Orange, moral"), "mood-sad"),
    "gris": Level("none", _("Gris, sans réponse"), "message-off"),
    "vert": Level("ok", _("Vert"), "circle-check"),
}
UNKNOWN = Level("none", _("Pas encore de réponse"), "circle-dashed")

FACTORS: dict[str, str | Promise] = {
    "rf.age65": _("65 ans et plus"),
    "rf.cardio": _("Cardio-vasculaire"),
    "rf.diabete": _("Diabète"),
    "rf.respi": _("Respiratoire"),
    "rf.renal": _("Dialyse"),
    "rf.cancer": _("Cancer"),
    "rf.immuno": _("Immunodépression"),
    "rf.greffe": _("Greffe"),
    "rf.hemopathie": _("Hémopathie"),
    "rf.foie": _("Cirrhose"),
    "rf.drepano": _("Drépanocytose"),
    "rf.obesite": _("Obésité"),
    "rf.grossesse3": _("Grossesse, 3e trimestre"),
    "rf.trisomie": _("Trisomie 21"),
    "rf.demence": _("Trouble neurologique"),
    "rf.precarite": _("Précarité"),
    "rf.enfant": _("Enfant à risque"),
}
EQUIPMENT: dict[str, str | Promise] = {
    "oxymetre": _("Oxymètre"),
    "thermometre": _("Thermomètre"),
    "effort": _("Test d’effort conseillé"),
}
DYSPNOEA: dict[str, str | Promise] = {
    "0": _("non"),
    "1": _("à l’effort important"),
    "2": _("à l’effort léger"),
    "3": _("en parlant"),
    "4": _("au repos"),
}


class Measure(NamedTuple):
    """A measure of the daily forms: the questions that give it, best first, its unit, and an adult's usual range at rest."""

    label: str
    title: str | Promise
    names: tuple[str, ...]
    unit: str
    low: float
    high: float


MEASURES = (
    Measure("T", _("Température"), ("ad.temp", "en.temp", "ct.temp"), "°C", 35.5, 37.9),
    Measure("SpO2", _("Saturation en oxygène"), ("ad.spo2", "en.spo2"), "%", 95, 100),
    Measure("FR", _("Fréquence respiratoire"), ("ad.fr.recompte", "ad.fr", "en.fr"), "/min", 12, 20),
    Measure("FC", _("Fréquence cardiaque"), ("ad.fc",), "/min", 50, 110),
    Measure("Dyspnée", _("Essoufflement, de 0 à 4"), ("ad.dyspnee", "ct.dyspnee"), "", 0, 0),
)
CHILD = "en."  # a child's rates have other ranges at each age: none is marked here


class Value(NamedTuple):
    """A measure of an answer set, with the way it went since the one before ("" when there is none)."""

    label: str
    title: str | Promise
    text: str
    trend: str  # up, down, same or ""
    unusual: bool


def measures(answers: Mapping[str, list[Any]], before: Mapping[str, list[Any]] | None = None) -> list[Value]:
    """What was measured, in the order of MEASURES, what was not measured left out."""
    found = []
    for one in MEASURES:
        name, now = _first(answers, one.names)
        if now is None:
            continue
        earlier = value_of(one, before or {})
        unusual = not name.startswith(CHILD) and not one.low <= now <= one.high
        found.append(Value(one.label, one.title, text(now, one.unit), _trend(now, earlier), unusual))
    return found


def value_of(measure: Measure, answers: Mapping[str, list[Any]]) -> float | None:
    """The value of a measure in an answer set; None when it was not taken."""
    return _first(answers, measure.names)[1]


def _first(answers: Mapping[str, list[Any]], names: tuple[str, ...]) -> tuple[str, float | None]:
    for name in names:
        given = answers.get(name)
        if given:
            try:
                return name, float(given[0])
            except (TypeError, ValueError):
                continue
    return "", None


def text(value: float, unit: str) -> str:
    """38.6 and *°C* as 38,6 °C."""
    figure = f"{value:g}".replace(".", ",")
    return f"{figure}\N{NO-BREAK SPACE}{unit}".strip()


def _trend(now: float, before: float | None) -> str:
    if before is None:
        return ""
    return "same" if now == before else "up" if now > before else "down"


def level_of(level: str, *, priority: bool = False) -> Level:
    """The badge of a level."""
    return LEVELS[f"{level} prioritaire" if priority and level == "orange" else level]


@lru_cache(maxsize=32)
def rule_words(rules_id: UUID) -> dict[str, str]:
    """Rule id -> its sentence for professionals. A published set never changes."""
    source = RuleSet.objects.only("source").get(pk=rules_id).source
    return {rule["id"]: rule["words"] for rule in source["rules"]} | MISSING


def reasons(fired: Iterable[str], told: Mapping[str, str], next_called: str = "") -> list[str]:
    """The sentences of the rules that fired; first, once MA04 did, whom to call now (`Alert.next_called`)."""
    if not next_called:
        return [told.get(rule, rule) for rule in fired]
    return [str(STANDS[next_called]), *(told.get(rule, rule) for rule in fired if rule != "MA04")]


def attempt(called: str, person: str, outcome: str) -> str:
    """How a call to this person went; of a call to the patient, the outcome alone."""
    if called in (Called.PATIENT, Called.CHECK):
        return outcome
    who = str(Called(called).label)
    return f"{who} ({person}) : {outcome}" if person else f"{who} : {outcome}"


# Where the calls stand after three in vain, by whom to call now.
STANDS: dict[str, str | Promise] = {
    Called.PATIENT: _("Trois appels sans réponse : un médecin a décidé de la suite, rappeler le patient"),
    Called.HELPER: _("Trois appels au patient sans réponse : appeler maintenant un proche"),
    Called.DOCTOR: _("Trois appels au patient sans réponse : appeler maintenant son médecin traitant"),
    Called.CHECK: _("Personne ne donne de nouvelles du patient : un médecin décide si quelqu’un va voir (15 ou 17)"),
}
# Of what no answer says: windows that went by (domain.md §1.7.f).
MISSING = {
    "MA01": "Une réponse manque",
    "MA02": "Pas de réponse alors qu’elle est attendue de près",
    "MA03": "Aucune réponse depuis plus de 12 h après un niveau rouge",
    "MA04": "Trois appels sans réponse : essayer l’aidant et le médecin traitant ; un médecin décide si quelqu’un va voir",
    "MA05": "Cinq jours sans contact : un médecin peut clôturer ce suivi (perdu de vue)",
    "ARRET": "Le patient demande à arrêter le suivi",
}
