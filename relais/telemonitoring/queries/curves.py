"""The curves of a follow-up: each measure by day since onset, over the zones in which the cell's rules would speak.

The zones are asked of the rules themselves, value by value, with what is known of this patient (age, risk, usual
saturation): a rule set that changes moves them, and no threshold is written twice.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from relais.core.paris import PARIS
from relais.questionnaires.models import Response
from relais.telemonitoring import wording
from relais.telemonitoring.actions import rules
from relais.telemonitoring.actions.answers import facts_of
from relais.telemonitoring.judging import GREEN
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import population

MOST = 62  # answer sets: thirty days of two a day
OF_NOW = ("episode", "at", "date")  # facts that no single value of a measure depends on
COLOURS: dict[str, str | Promise] = {"orange": wording.LEVELS["orange"].word, "rouge": wording.LEVELS["rouge"].word}
FOR_PATIENT: dict[str, str | Promise] = {"orange": _l("L’équipe rappelle"), "rouge": _l("Appeler le 15")}


class Scale(NamedTuple):
    """Values that a measure can take (the plausible range of domain.md §1.5), and those always in the picture."""

    first: float
    last: float
    step: float
    low: float
    high: float

    def values(self) -> list[float]:
        return [round(self.first + number * self.step, 1) for number in range(self._steps + 1)]

    @property
    def _steps(self) -> int:
        return round((self.last - self.first) / self.step)


SCALES = {
    "T": Scale(34, 42.5, 0.1, 35.5, 40.5),
    "SpO2": Scale(60, 100, 1, 90, 100),
    "FR": Scale(6, 100, 1, 10, 30),
    "FC": Scale(30, 220, 1, 50, 130),
    "Dyspnée": Scale(0, 4, 1, 0, 4),
}


class Zone(NamedTuple):
    """Values, both included, that alone would make the rules say *orange* or *rouge*."""

    level: str
    first: float
    last: float


class Point(NamedTuple):
    """A value, when it was given and the day since onset at that moment (J3 at noon is 3.5)."""

    at: datetime
    day: float
    value: float


@dataclass(frozen=True)
class Curve:
    """One measure; its points in the order of time."""

    measure: wording.Measure
    scale: Scale
    points: tuple[Point, ...]
    zones: tuple[Zone, ...]
    days: tuple[int, int]
    colours: Mapping[str, str | Promise]

    @property
    def last(self) -> str:
        return wording.text(self.points[-1].value, self.measure.unit)

    @property
    def words(self) -> str:
        """What the picture shows, for who does not see it."""
        values = [one.value for one in self.points]
        count = ngettext("%(number)d mesure", "%(number)d mesures", len(values)) % {"number": len(values)}
        span = {
            "title": self.measure.title, "count": count, "last": self.last, "day": int(self.points[-1].day),
            "low": wording.text(min(values), ""), "high": wording.text(max(values), ""),
        }  # fmt: skip
        return _("%(title)s : %(count)s de %(low)s à %(high)s, la dernière %(last)s à J%(day)d") % span

    @property
    def thresholds(self) -> list[tuple[str, str]]:
        """(level, *Orange : 93 à 94, …*) of each level that this measure alone can reach."""
        found = []
        for level, word in self.colours.items():
            spans = [self._span(one) for one in self.zones if one.level == level]
            if spans:
                found.append((level, f"{word} : {_(' ou ').join(spans)}"))
        return found

    def _span(self, zone: Zone) -> str:
        first, last = wording.text(zone.first, ""), wording.text(zone.last, "")
        if zone.last == self.scale.last:
            return _("%s et plus") % first
        if zone.first == self.scale.first:
            return _("%s et moins") % last
        return first if first == last else _("%(first)s à %(last)s") % {"first": first, "last": last}

    @property
    def json(self) -> str:
        """What static/telemonitoring/curves.js draws."""
        half, values = self.scale.step / 2, [one.value for one in self.points]
        drawn = {
            "points": [[round(one.day, 3), one.value] for one in self.points],
            "zones": [
                [one.level, one.first - half, one.last + half, str(self.colours[one.level])] for one in self.zones
            ],
            "low": min(self.scale.low, *values) - half,
            "high": max(self.scale.high, *values) + half,
            "days": self.days,
            "last": self.last,
        }
        return json.dumps(drawn)


@dataclass(frozen=True)
class Curves:
    """Those of the measures that were taken at least once, and the same values as a table, the newest first."""

    curves: list[Curve] = field(default_factory=list)
    rows: list[tuple[int, datetime, list[str]]] = field(default_factory=list)  # day, at, values in words

    def __bool__(self) -> bool:
        return bool(self.curves)


def curves(
    follow_up: FollowUp, responses: Iterable[Response], *, colours: Mapping[str, str | Promise] = COLOURS
) -> Curves:
    """Of these answer sets, in any order; `colours`: the word of each level. No query, once the rule set was read."""
    ordered = sorted(responses, key=lambda one: (one.ended_at, one.received_at))
    taken = {
        each.label: [
            (one.ended_at, value) for one in ordered if (value := wording.value_of(each, one.answers)) is not None
        ]
        for each in wording.MEASURES
    }
    if not any(taken.values()):
        return Curves()
    days = _days(follow_up, [at for each in taken.values() for at, _value in each])
    zones = zones_of(follow_up)
    drawn = [
        Curve(
            each,
            SCALES[each.label],
            tuple(Point(at, _day(follow_up, at), value) for at, value in taken[each.label]),
            zones.get(each.label, ()),
            days,
            colours,
        )
        for each in wording.MEASURES
        if taken[each.label]
    ]
    return Curves(drawn, [row for one in reversed(ordered) if (row := _row(follow_up, one, drawn))])


def _row(follow_up: FollowUp, response: Response, drawn: list[Curve]) -> tuple[int, datetime, list[str]] | None:
    values = [wording.value_of(one.measure, response.answers) for one in drawn]
    if not any(value is not None for value in values):
        return None
    cells = ["" if value is None else wording.text(value, "") for value in values]
    return int(_day(follow_up, response.ended_at)), response.ended_at, cells


def for_patient(follow_up: FollowUp) -> Curves:
    """The curves on the patient's own page: one query."""
    rows = follow_up.judgements.select_related("response").order_by("-at", "-pk")[:MOST]
    return curves(follow_up, [one.response for one in rows], colours=FOR_PATIENT)


def _day(follow_up: FollowUp, at: datetime) -> float:
    """Days since onset, the hours of Paris as a fraction."""
    local = at.astimezone(PARIS)
    return follow_up.day(local.date()) + (local.hour * 60 + local.minute) / 1440


def _days(follow_up: FollowUp, moments: list[datetime]) -> tuple[int, int]:
    """The first and the last day in the pictures, the same in all: from the first answer to now or the last one."""
    given = [_day(follow_up, at) for at in moments]
    last = max([*given, follow_up.day(min(timezone.localdate(), follow_up.ends_on))])
    return int(min(given)), int(last) + 1


def zones_of(follow_up: FollowUp) -> Mapping[str, tuple[Zone, ...]]:
    """Label of a measure → its zones, by the rules of the cell and what is known of the patient today."""
    now = timezone.now()
    group = population(
        contact=follow_up.status == "contact", born=follow_up.dossier.patient.birth_date, on=timezone.localdate(now)
    )
    facts = {name: value for name, value in facts_of(follow_up, now).items() if name not in OF_NOW}
    return _zones(follow_up.cell.rules_id, group, tuple(sorted(facts.items())))


@lru_cache(maxsize=2048)
def _zones(rules_id: UUID, group: str, facts: tuple[tuple[str, Any], ...]) -> Mapping[str, tuple[Zone, ...]]:
    """Each value of each measure judged alone, as the one answer of a follow-up of its own: one frame for all."""
    reader = rules.reader(rules_id, group)
    asked = {each.label: next((name for name in each.names if name in reader.answers), "") for each in wording.MEASURES}
    grid = [(label, value) for label, name in asked.items() if name for value in SCALES[label].values()]
    now = timezone.now()
    given = [
        {**dict(facts), "episode": f"{place:04d}", "at": now, "date": timezone.localdate(now), asked[label]: value}
        for place, (label, value) in enumerate(grid)
    ]
    found: dict[str, list[Zone]] = {}
    before = ("", GREEN)
    for (label, value), decision in zip(grid, reader.decide(given), strict=True):
        level = decision.level.split("-")[0]
        zones = found.setdefault(label, [])
        if level in COLOURS:
            if before == (label, level):
                zones[-1] = zones[-1]._replace(last=value)
            else:
                zones.append(Zone(level, value, value))
        before = (label, level)
    return {label: tuple(zones) for label, zones in found.items()}
