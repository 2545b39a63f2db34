"""How people answer day after day: trajectories and symptoms of domain.md §9.2. Pure but for the dice."""

import random
from typing import Any

MILD, FEBRILE, WORSE, CONTACT = "mild", "febrile", "worse", "contact"
LINGERING, SILENT = "lingering", "silent"  # of the script: fever that does not end; no answer since yesterday
SHARES = {MILD: 66, FEBRILE: 19, WORSE: 7, CONTACT: 8}
CHRONIC = 0.12  # breathless on effort until day 30
# How many ever have it; days until half of them are rid of it.
EVER = {"dyspnoea": (0.65, 7), "shivers": (0.46, 3), "cough": (0.70, 7), "smell": (0.45, 7), "diarrhoea": (0.20, 3),
        "headache": (0.55, 3), "fatigue": (0.75, 7)}  # fmt: skip
SECOND_WEEK = 0.12  # of the symptoms come then alone
COUNTED_FAST = 0.65  # once count more than 20 breaths, and fewer when they count again
HALF = 0.693
# One bad day of somebody who is not getting worse: a sign that has somebody called, or sends to the 15.
BAD_DAY, GRAVE = 0.12, 0.02
SIGNS: list[dict[str, list[Any]]] = [
    {"ad.fatigue": ["alite"]}, {"ad.malaise": ["malaise"]}, {"ad.thorax": ["respiration"]}, {"ad.frissons": ["intenses"]},
    {"ad.cephalee": ["intense"]},
]  # fmt: skip
GRAVE_SIGNS: list[dict[str, list[Any]]] = [{"ad.malaise": ["syncope"]}, {"ad.thorax": ["repos"]}, {"ad.boire": [True]}]

# Who answers always, or nearly, and how often the others fall silent at a window, more often each day from J8. A silence
# is one window or some days: 86 % of all answers come, three patients in ten miss one, and few of them many times.
REGULAR, FAITHFUL, FALLS_SILENT, WEARY, FROM = 0.68, 0.999, 0.13, 0.02, 8
ONE_WINDOW, AT_LEAST, LONGER = (
    0.4,
    3,
    5,
)  # share of silences of one window; of the others the windows, and how many more


def silence(rng: random.Random, day: int, *, regular: bool) -> int:
    """How many windows go by without an answer from this one on."""
    falls = 1 - FAITHFUL if regular else FALLS_SILENT + WEARY * max(0, day - FROM)
    if rng.random() >= falls:
        return 0
    return 1 if regular or rng.random() < ONE_WINDOW else AT_LEAST + round(rng.expovariate(1 / LONGER))


class Course:
    """The days of one adult."""

    def __init__(self, kind: str, rng: random.Random, *, oximeter: bool) -> None:
        self.kind, self.rng, self.oximeter = kind, rng, oximeter
        self.symptoms = {name: self._days(*one) for name, one in EVER.items()}
        if kind in (MILD, FEBRILE) and rng.random() < CHRONIC:
            self.symptoms["dyspnoea"] = (0, 30)
        fevers = {FEBRILE: rng.randint(4, 9), LINGERING: 30, WORSE: rng.randint(1, 3)}
        self.fever_ends = fevers.get(kind, rng.randint(1, 2) if rng.random() < 0.16 else -1)
        self.turn = rng.randint(6, 7)  # from here the third kind gets worse…
        self.best = self.turn + rng.randint(3, 5)  # … and from here better, at home or in hospital
        drawn, grave, sign = rng.random(), rng.choice(GRAVE_SIGNS), rng.choice(SIGNS)
        self.bad_day = rng.randint(1, 12) if drawn < BAD_DAY and kind in (MILD, FEBRILE) else -1
        self.sign = grave if drawn < GRAVE else sign
        self.counts_fast = rng.randint(1, 10) if rng.random() < COUNTED_FAST else -1

    def _days(self, share: float, median: float) -> tuple[int, int]:
        """From when until when a symptom lasts, both included; an empty span for who never has it."""
        if self.rng.random() > share:
            return 1, 0
        first = self.rng.randint(6, 9) if self.rng.random() < SECOND_WEEK else self.rng.randint(0, 3)
        return first, first + round(self.rng.expovariate(HALF / median))

    def has(self, symptom: str, day: int) -> bool:
        first, last = self.symptoms[symptom]
        return first <= day <= last

    def worse(self, day: int) -> int:
        """How many steps down the third kind has gone."""
        if self.kind != WORSE:
            return 0
        return max(0, min(day, self.best) - self.turn - 2 * max(0, day - self.best))

    def answers(self, day: int) -> dict[str, list[Any]]:
        """Every question that the adult's form asks on that day."""
        rng, worse = self.rng, self.worse(day)
        febrile = day <= self.fever_ends or worse > 0
        answers: dict[str, list[Any]] = {
            "ad.saisie": ["patient"],
            "ad.general": ["pire" if worse and day <= self.best else rng.choice(("stable", "stable", "mieux"))],
            "ad.temp.mesuree": [True],
            "ad.temp": [self._temperature(febrile=febrile)],
            "ad.frissons": ["oui" if self.has("shivers", day) else "non"],
            "ad.malaise": ["non"],
            "ad.dyspnee": [str(self._dyspnoea(day))],
            "ad.toux": ["seche" if self.has("cough", day) else "non"],
            "ad.thorax": ["toux" if rng.random() < 0.05 else "non"],
            "ad.levres": [False],
            "ad.confusion": ["non"],
            "ad.fatigue": ["oui" if self.has("fatigue", day) else "non"],
            "ad.boire": [False],
            "ad.digestif": ["dia" if self.has("diarrhoea", day) else "non"],
            "ad.odorat": [self.has("smell", day)],
            "ad.gout": [self.has("smell", day) and rng.random() < 0.8],
            "ad.cephalee": ["oui" if self.has("headache", day) else "non"],
            "ad.mollet": [False],
            "ad.moral": ["stable"],
            "ad.besoin": ["non"],
            "ad.hospit": ["non"],
        }
        if day == self.bad_day:
            answers |= self.sign
        self._breath(answers, day, worse)
        if answers["ad.temp"][0] >= 39:
            answers["ad.fievre.resist"] = [False]
        if self.oximeter:
            answers["ad.spo2"] = [max(88, min(99, round(rng.gauss(97.2, 0.7)) - 2 * worse))]
            answers["ad.fc"] = [round(rng.gauss(76 + 10 * febrile, 5))]
        return answers

    def _temperature(self, *, febrile: bool) -> float:
        if not febrile:
            return round(min(max(self.rng.gauss(36.8, 0.25), 36.0), 37.7), 1)
        warm = 38.2 if self.kind == MILD else 38.5
        return round(min(max(self.rng.gauss(warm, 0.35), 38.0), 40.2), 1)

    def _dyspnoea(self, day: int) -> int:
        return min(3, 1 + self.worse(day) // 2) if self.worse(day) else int(self.has("dyspnoea", day))

    def _breath(self, answers: dict[str, list[Any]], day: int, worse: int) -> None:
        grade = int(answers["ad.dyspnee"][0])
        if grade:
            answers["ad.dyspnee.evol"] = ["pire" if worse and day <= self.best else "stable"]
            if grade < 3:
                answers["ad.dyspnee.habit"] = [self.symptoms["dyspnoea"] == (0, 30)]
        rate = min(29, round(self.rng.gauss(16, 1.2)) + 3 * worse)
        answers["ad.fr"] = [rate]
        if day == self.counts_fast and not worse:
            answers["ad.fr"], answers["ad.fr.recompte"] = [self.rng.randint(21, 26)], [rate]
        elif rate >= 21:
            answers["ad.fr.recompte"] = [rate - 1]


def contact(rng: random.Random, day: int) -> dict[str, list[Any]]:
    """Somebody who met a case, and has nothing."""
    return {
        "ct.sympt": [False], "ct.temp": [round(min(rng.gauss(36.7, 0.2), 37.6), 1)],
        "ct.isolement": ["oui" if rng.random() < 0.93 else "partiel"],
        "ct.test": ["rdv" if day < 7 and rng.random() < 0.5 else "non"], "ct.besoin": ["non"],
    }  # fmt: skip


# Of a child without a sign; each band's form asks some of these.
CHILD_WELL: dict[str, list[Any]] = {
    "en.general": ["stable"], "en.temp.voie": ["rectale"], "en.frissons": [False], "en.resp": ["normale"],
    "en.parole": ["aucun"], "en.couleur": ["rose"], "en.alim": ["normale"], "en.boire": ["normal"],
    "en.couches": ["normal"], "en.vomi": ["non"], "en.diarrhee": ["non"], "en.tonus": ["normal"],
    "en.vigilance": ["normale"], "en.pleurs": [True], "en.toux": ["non"], "en.odorat": [False], "en.tete": ["non"],
    "en.ventre": ["non"], "en.poitrine": ["non"], "en.peau": ["non"], "en.moral": ["stable"], "en.inquiet": ["non"],
    "en.hospit": ["non"],
}  # fmt: skip
RATES = {"a": 42, "b": 32, "c": 22, "d": 16}  # breaths a minute, at rest


class Child:
    """The days of a child, told by a parent. `asked`: the questions of the form of the band."""

    def __init__(self, kind: str, rng: random.Random) -> None:
        self.rng = rng
        self.kind = kind
        self.fever_ends = {MILD: -1, FEBRILE: rng.randint(1, 3), WORSE: rng.randint(2, 4)}.get(kind, 1)
        self.coughs = rng.random() < EVER["cough"][0]

    def answers(self, day: int, band: str, asked: set[str]) -> dict[str, list[Any]]:
        rng, febrile = self.rng, day <= self.fever_ends
        given = {
            **CHILD_WELL,
            "en.temp": [round(rng.gauss(38.6, 0.4) if febrile else min(rng.gauss(36.9, 0.25), 37.6), 1)],
            "en.fr": [round(rng.gauss(RATES[band], 1.5))],
            "en.toux": ["oui" if self.coughs and day < 9 else "non"],
            "en.inquiet": ["unpeu" if febrile or rng.random() < 0.1 else "non"],
        }
        if self.kind == WORSE and day in (7, 8):
            given |= {"en.resp": ["rapide", "bruit"] if day == 8 else ["rapide"], "en.inquiet": ["tres"]}
            given |= {"en.parole": ["jeu"], "en.general": ["pire"]}
        if given["en.temp"][0] >= 38:
            given |= {"en.temp.duree": [max(day, 1)], "en.pims": [False]}
        return {name: value for name, value in given.items() if name in asked}
