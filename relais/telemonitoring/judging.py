"""Alert rules: a set of rows, judged in two passes by one engine for the live alert and for the replay.

The first pass asks each rule about the answers, the second about what the first one counted (three oranges make a
red…). Deterministic: the same rows and rules give the same levels, in any order and on any day. Pure: no table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from relais.core.errors import Refused
from relais.questionnaires.expressions import Expression, Kind, Name, read
from relais.telemonitoring.history import FACTS, documented, rows
from relais.telemonitoring.programme import FORMS

GREEN = "vert"
# Level of a rule -> rank: of two of one rank the body goes before the mind, since a call to 15 cannot wait.
RANKS = {"": 0, "vert": 0, "orange-psy": 2, "orange": 2, "rouge-psy": 3, "rouge": 3}
ORDER = ("orange-psy", "orange", "rouge-psy", "rouge")  # of levels, the gravest last
STAGES = ("answers", "levels")
EFFECTS = (
    *("", "hospitalisation", "social", "escalate", "priority", "close", "possible_case", "confirmed_case"),
    "propose_closing",
)
# What a rule of the second pass may use beside the facts.
COUNTS: dict[str, Name] = {
    "orange": Name(Kind.NUMBER, words="règles orange déclenchées par ces réponses"),
    "red": Name(Kind.NUMBER, words="règles rouges déclenchées par ces réponses"),
    "orange_streak": Name(Kind.NUMBER, words="réponses de suite au niveau orange ou rouge, celle-ci comprise"),
    "green_streak": Name(Kind.NUMBER, words="réponses de suite au niveau vert, celle-ci comprise"),
    "peak": Name(Kind.FLAG, words="entre J6 et J12 inclus"),
    "contacted": Name(Kind.FLAG, words="un médecin a eu le patient au téléphone depuis le premier orange"),
    "acknowledged": Name(Kind.FLAG, words="l’alerte est prise en charge"),
}
GIVEN = ("contacted", "acknowledged")
# Effects for which a person has to look, whatever the colour of the answers.
RAISING = ("hospitalisation", "escalate")


def alert_level(level: str, effects: Iterable[str]) -> str:
    """The level of the alert that a decision raises, green when it raises none."""
    return "orange" if level == GREEN and set(effects) & set(RAISING) else level


@dataclass(frozen=True)
class Rule:
    """One row of a rule set; `level` is empty for a rule that has an effect and no colour."""

    id: str
    population: str  # adult, child or contact
    stage: str  # answers or levels
    expression: str
    level: str
    effect: str
    words: str  # for the professional
    active: bool = True
    delay: int = 0  # minutes in which the patient is called, when sooner than the level asks; 0: as the level asks


@dataclass(frozen=True)
class Decision:
    """What the rules said of one answer set, in the order of the set; `effects` without repetition."""

    level: str
    fired: tuple[str, ...]
    effects: tuple[str, ...]
    delay: int = 0  # the shortest of the rules that fired and have one


@dataclass(frozen=True)
class RuleSet:
    """The rules of one population, read against the answers that its forms give.

    Raises Refused on reading for a rule that cannot be computed: its id, then the sentence of `expressions.read`.
    """

    rules: tuple[Rule, ...]
    answers: Mapping[str, Name]

    @cached_property
    def compiled(self) -> dict[str, dict[str, Expression]]:
        """Stage -> rule id -> expression."""
        names = {"answers": documented(self.answers), "levels": {**FACTS, **COUNTS}}
        found: dict[str, dict[str, Expression]] = {stage: {} for stage in STAGES}
        for rule in self.rules:
            try:
                found[rule.stage][rule.id] = read(rule.expression, names[rule.stage])
            except Refused as refusal:
                raise Refused(f"{rule.id} : {refusal}") from None
        return found

    def judged(self, given: Iterable[Mapping[str, object]]) -> pl.DataFrame:
        """For each row of `given` (see `history.rows`; contacted and acknowledged beside the facts): episode, at, the
        rules as Boolean columns, and its level. In the order of episode and time.
        """
        return self.judged_frame(self._rows(given))

    def _rows(self, given: Iterable[Mapping[str, object]]) -> pl.DataFrame:
        return rows(given, {**self.answers, **{name: COUNTS[name] for name in GIVEN}}, self.uses)

    @cached_property
    def uses(self) -> frozenset[str]:
        """The names that the rules of the first pass use."""
        return frozenset(name for one in self.compiled["answers"].values() for name in one.uses)

    def judged_frame(self, frame: pl.DataFrame, keep: Iterable[str] = ()) -> pl.DataFrame:
        """`judged` for rows that `history.prepared` made; the columns `keep` stay beside."""
        return self._computed(frame).select("episode", "at", *keep, *[rule.id for rule in self.rules], "level")

    def _computed(self, frame: pl.DataFrame) -> pl.DataFrame:
        for columns in self._steps(frozenset(frame.columns)):
            frame = frame.with_columns(columns)
        return frame

    def _steps(self, there: frozenset[str]) -> list[list[pl.Expr]]:
        """Each rests on the one before; written once for the same columns."""
        if there not in self._written:
            first, second = ([one.column.alias(key) for key, one in self.compiled[stage].items()] for stage in STAGES)
            final = self._level("levels")
            higher = pl.when(_rank(final) > _rank(pl.col("_level"))).then(final).otherwise(pl.col("_level"))
            level, counts = self._level("answers").alias("_level"), self._counts(self._calm(there))
            self._written[there] = [first, [level], counts, second, [higher.alias("level")]]
        return self._written[there]

    @cached_property
    def _written(self) -> dict[frozenset[str], list[list[pl.Expr]]]:
        return {}

    def decide(self, given: Iterable[Mapping[str, object]]) -> list[Decision]:
        """`judged`, one Decision a row."""
        return [self._decision(row) for row in self.judged(given).iter_rows(named=True)]

    def decide_last(self, given: Iterable[Mapping[str, object]]) -> Decision:
        """Of the last row, in the order of episode and time; at least one is given."""
        return self._decision(self._computed(self._rows(given)).row(-1, named=True))

    def _decision(self, row: Mapping[str, object]) -> Decision:
        fired = [rule for rule in self.rules if row[rule.id]]
        return Decision(
            level=str(row["level"]),
            fired=tuple(rule.id for rule in fired),
            effects=tuple(dict.fromkeys(rule.effect for rule in fired if rule.effect)),
            delay=min((rule.delay for rule in fired if rule.delay), default=0),
        )

    def _calm(self, there: frozenset[str]) -> pl.Expr:
        """Answers to these forms for which nobody has to look: an answer to another form is not seen to be green."""
        said = [pl.col(name).is_not_null() for name in self.uses if name in self.answers and name in there]
        looked = [pl.col(rule.id) for rule in self.rules if rule.stage == "answers" and rule.effect in RAISING]
        calm = pl.col("_level") == GREEN
        return (
            calm & pl.any_horizontal(said or [pl.lit(value=True)]) & ~pl.any_horizontal(looked or [pl.lit(value=False)])
        )

    def _counts(self, calm: pl.Expr) -> list[pl.Expr]:
        """The columns of COUNTS."""

        def many(ids: list[str]) -> pl.Expr:
            return pl.sum_horizontal([pl.col(one).cast(pl.Float64) for one in ids]) if ids else pl.lit(0.0)

        return [
            many(self._of_level("orange")).alias("orange"),
            many(self._of_level("rouge")).alias("red"),
            _streak(pl.col("_level") != GREEN).alias("orange_streak"),
            _streak(calm).alias("green_streak"),
        ]

    def _of_level(self, level: str) -> list[str]:
        return [rule.id for rule in self.rules if rule.stage == "answers" and rule.level == level]

    def _level(self, stage: str) -> pl.Expr:
        """The highest level among the rules of this pass that fired."""
        found: pl.Expr = pl.lit(GREEN)
        for level in ORDER:
            of_level = [pl.col(rule.id) for rule in self.rules if rule.stage == stage and rule.level == level]
            if of_level:
                found = pl.when(pl.any_horizontal(of_level)).then(pl.lit(level)).otherwise(found)
        return found


def _rank(level: pl.Expr) -> pl.Expr:
    found = pl.lit(0)
    for rank, name in enumerate(ORDER, 1):
        found = pl.when(level == name).then(rank).otherwise(found)
    return found


def _streak(flag: pl.Expr) -> pl.Expr:
    """How many rows in a row `flag` is true up to this one, in each episode."""
    broken = (~flag).cum_sum().over("episode")
    return flag.cast(pl.Float64).cum_sum().over(pl.col("episode"), broken)


def load(source: Mapping[str, Any]) -> dict[str, tuple[Rule, ...]]:
    """The rules of a rule set's JSON that are in use, by population.

    Raises Refused for an unknown population, level, stage or effect, and for an id used twice.
    """
    found: dict[str, list[Rule]] = {}
    seen: set[str] = set()
    for raw in source["rules"]:
        rule = Rule(**raw)
        known = rule.population in FORMS and rule.level in RANKS and rule.stage in STAGES and rule.effect in EFFECTS
        if rule.id in seen or not known:
            raise Refused(_("La règle %s est mal écrite : identifiant, population, niveau, étape ou effet.") % rule.id)
        seen.add(rule.id)
        if rule.active:
            found.setdefault(rule.population, []).append(rule)
    return {population: tuple(rules) for population, rules in found.items()}
