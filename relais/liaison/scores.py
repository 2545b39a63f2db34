"""NEWS2 (Royal College of Physicians, 2017) and qSOFA (Sepsis-3, 2016) from the vital signs of a request, and the safety rule
FG-R1 (domain.md §3.2). Shown, never deciding. Pure; the browser computes the same from `tables()`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# (last value of the band, points); None: no end.
Bands = tuple[tuple[float | None, int], ...]
NEWS2: dict[str, Bands] = {
    "fg.fr": ((8, 3), (11, 1), (20, 0), (24, 2), (None, 3)),
    "fg.pas": ((90, 3), (100, 2), (110, 1), (219, 0), (None, 3)),
    "fg.fc": ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (None, 3)),
    "fg.temp": ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (None, 2)),
}
SPO2 = "fg.spo2"
SCALE_1: Bands = ((91, 3), (93, 2), (95, 1), (None, 0))
# Scale 2, for whoever aims at 88 to 92 %: above it, oxygen alone costs points.
SCALE_2_AIR: Bands = ((83, 3), (85, 2), (87, 1), (None, 0))
SCALE_2_OXYGEN: Bands = ((83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (None, 3))
OXYGEN_POINTS = 2
CONFUSED_POINTS = 3
NAMES = {
    "fg.fr": "fréquence respiratoire",
    SPO2: "SpO2",
    "fg.pas": "pression systolique",
    "fg.fc": "fréquence cardiaque",
    "fg.temp": "température",
    "fg.conscience": "conscience",
}
MEDIUM, HIGH = 5, 7
QSOFA_RATE, QSOFA_PRESSURE = 22, 100
RED_SPO2, RED_PRESSURE, RED_RATE = 85, 90, 30
UNRESPONSIVE = ("P", "U")
VITAL = "urgence vitale"

Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Scores:
    """What the vital signs that were given add up to; `missing` names those that were not, so that the sum is a least."""

    news2: int
    highest: int  # points of the worst sign: 3 asks for an urgent review by itself
    qsofa: int
    missing: tuple[str, ...]
    red: tuple[str, ...]  # why FG-R1 fires, in words

    @property
    def red_by_signs(self) -> bool:
        """FG-R1 fires whatever urgency was chosen."""
        return any(why != VITAL for why in self.red)

    @property
    def level(self) -> str:
        """high, medium, single (one sign at 3) or low."""
        if self.news2 >= HIGH:
            return "high"
        if self.news2 >= MEDIUM:
            return "medium"
        return "single" if self.highest == CONFUSED_POINTS else "low"


def first(answers: Answers, name: str) -> Any:
    """The answer to a question of one answer, or None."""
    return next(iter(answers.get(name) or ()), None)


def points(bands: Bands, value: float) -> int:
    return next(given for last, given in bands if last is None or value <= last)


def score(answers: Answers) -> Scores:
    """Scores of a request's answers, {linkId: [values]}, whole or being typed."""
    got = {name: first(answers, name) for name in NAMES}
    found = {name: points(bands, got[name]) for name, bands in NEWS2.items() if _number(got[name])}
    oxygen = _oxygen(answers)
    if _number(got[SPO2]):
        found[SPO2] = points(_scale(answers, oxygen=oxygen), got[SPO2])
    if got["fg.conscience"]:
        found["fg.conscience"] = 0 if got["fg.conscience"] == "A" else CONFUSED_POINTS
    news2 = sum(found.values()) + (OXYGEN_POINTS if oxygen else 0)
    return Scores(
        news2=news2,
        highest=max(found.values(), default=0),
        qsofa=_qsofa(got),
        missing=tuple(words for name, words in NAMES.items() if name not in found),
        red=tuple(_red(answers, got, news2)),
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _oxygen(answers: Answers) -> bool:
    flow = first(answers, "fg.o2debit")
    return _number(flow) and flow > 0


def _scale(answers: Answers, *, oxygen: bool) -> Bands:
    if "bpco" not in (answers.get("fg.comorb") or ()):
        return SCALE_1
    return SCALE_2_OXYGEN if oxygen else SCALE_2_AIR


def _qsofa(got: dict[str, Any]) -> int:
    rate, pressure = got["fg.fr"], got["fg.pas"]
    signs = (
        _number(rate) and rate >= QSOFA_RATE,
        _number(pressure) and pressure <= QSOFA_PRESSURE,
        bool(got["fg.conscience"]) and got["fg.conscience"] != "A",
    )
    return sum(signs)


def _red(answers: Answers, got: dict[str, Any], news2: int) -> list[str]:
    """The reasons of FG-R1: *Appelez le 15 maintenant*."""
    why = []
    if first(answers, "fg.urgence") == "vitale":
        why.append(VITAL)
    if news2 >= HIGH:
        why.append(f"NEWS2 de {news2}")
    if got["fg.conscience"] in UNRESPONSIVE:
        why.append("ne réagit pas à la voix")
    if _number(got[SPO2]) and got[SPO2] < RED_SPO2:
        why.append(f"SpO2 sous {RED_SPO2} %")
    if _number(got["fg.pas"]) and got["fg.pas"] < RED_PRESSURE:
        why.append(f"pression systolique sous {RED_PRESSURE} mmHg")
    if _number(got["fg.fr"]) and got["fg.fr"] >= RED_RATE:
        why.append(f"fréquence respiratoire de {RED_RATE} ou plus")
    return why


def tables() -> dict[str, Any]:
    """The tables for static/liaison/scores.js: said once, here."""
    return {
        "news2": NEWS2,
        "scale1": SCALE_1,
        "scale2Air": SCALE_2_AIR,
        "scale2Oxygen": SCALE_2_OXYGEN,
        "oxygen": OXYGEN_POINTS,
        "confused": CONFUSED_POINTS,
        "high": HIGH,
        "qsofaRate": QSOFA_RATE,
        "qsofaPressure": QSOFA_PRESSURE,
        "unresponsive": UNRESPONSIVE,
        "redSpo2": RED_SPO2,
        "redPressure": RED_PRESSURE,
        "redRate": RED_RATE,
        "names": NAMES,
    }
