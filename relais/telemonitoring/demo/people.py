"""Who is followed, since when, by whom and why: ages, sources, factors and waves of domain.md §9.2."""

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from relais.core.demo import Region
from relais.core.paris import PARIS
from relais.patients.models import Patient

DAY = timedelta(days=1)
DAYS = 243  # eight months
# Days before now of the two peaks, their height beside each other, standard deviation before and after it (days).
WAVES = ((211, 900, 13, 24), (6, 1_300, 26, 26))
SOURCES = {"hospital": 45, "centre": 30, "gp": 15, "dac": 6, "samu": 4}
ADULTS = (18, 45, 65, 103)
# Age from (included) to (not included) in days, and how many of a thousand.
AGES = [(0, 90, 5), (90, 730, 15), (731, 12 * 365, 60), (12 * 366, 18 * 365, 40), (18 * 366, 45 * 365, 460),
        (45 * 366, 65 * 365, 300), (65 * 366, 103 * 365, 120)]  # fmt: skip
WOMEN = 0.6
FACTORS = {"rf.respi": 0.128, "rf.cardio": 0.12, "rf.diabete": 0.048, "rf.obesite": 0.18, "rf.immuno": 0.02,
           "rf.cancer": 0.02, "rf.precarite": 0.03}  # fmt: skip
CHILD_FACTOR = 0.04


def inclusions(rng: random.Random, now: datetime, count: int) -> list[date]:
    """The days on which `count` follow-ups begin, over eight months and two waves, the oldest first."""
    today = now.astimezone(PARIS).date()
    ago = list(range(DAYS + 1))
    weights = [sum(_wave(days, *one) for one in WAVES) for days in ago]
    return sorted(today - days * DAY for days in rng.choices(ago, weights, k=count))


def _wave(days: int, peak: int, height: float, before: float, after: float) -> float:
    """A skewed Gaussian; `days` count backwards."""
    distance = days - peak
    return height * math.exp(-0.5 * (distance / (before if distance > 0 else after)) ** 2)


class People:
    """Patients by age and sex; nobody is followed twice, nor who has died."""

    def __init__(self, region: Region, rng: random.Random) -> None:
        self.rng = rng
        self.taken: set[Patient] = set()
        alive = [one for one in region.patients[1:] if one.birth_date and one.deceased_on is None]
        self.by_sex = {
            sex: sorted((one for one in alive if one.sex == sex), key=lambda one: one.birth_date) for sex in "FM"
        }
        self.born = {sex: [one.birth_date for one in known] for sex, known in self.by_sex.items()}

    def draw(self, on: date, *, adult: bool | None = None) -> Patient:
        """Somebody of an age drawn for that day; `adult`: of age, or a child of 2 to 11 years."""
        ages = AGES if adult is None else AGES[4:] if adult else AGES[2:3]
        for _attempt in range(200):
            low, high, _weight = self.rng.choices(ages, [one[2] for one in ages])[0]
            sex = "F" if self.rng.random() < WOMEN else "M"
            if found := next(self._free(sex, on - high * DAY, on - low * DAY), None):
                self.taken.add(found)
                return found
        raise RuntimeError("nobody is left to follow: the region has too few patients")

    def _free(self, sex: str, oldest: date, youngest: date) -> Iterator[Patient]:
        """Those born between two days whom nobody follows, from one of them on."""
        first, last = bisect_right(self.born[sex], oldest), bisect_left(self.born[sex], youngest + DAY)
        start = self.rng.randrange(max(1, last - first))
        for step in range(last - first):
            one = self.by_sex[sex][first + (start + step) % (last - first)]
            if one not in self.taken:
                yield one


def factors(rng: random.Random, years: int) -> list[str]:
    """Severity factors of somebody of that age (EC-08)."""
    if years < 18:
        return ["rf.enfant"] if rng.random() < CHILD_FACTOR else []
    old = ["rf.age65"] if years >= 65 else []
    return old + [name for name, share in FACTORS.items() if rng.random() < share]
