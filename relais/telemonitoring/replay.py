"""The rule laboratory's replay: the answers of the last 14 days judged again by two rule sets, and what would change.

The engine is the one of the live alert (`history`, `judging`): the same decision for the same answers. What a replay
takes as given, for both sets alike:

* an answer set is judged by the rules of the form that was answered, knowing every answer set of its follow-up given
  before it, at most 31 days back; one that arrived late stands at the moment at which it was given;
* age, band and date are those of the day of the answer; risk, onset and the other facts are those of the follow-up now;
* `acknowledged` and `contacted` are what the members of the cell did then (alert taken, patient reached by telephone
  since the level last rose), whatever the other rules would have raised.

Deterministic: the same rows and rules give the same comparison, in any order of the rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from django.utils import timezone

from relais.telemonitoring import judging
from relais.telemonitoring.actions import rules
from relais.telemonitoring.history import FACTS, KEYS, asked_of, prepared
from relais.telemonitoring.judging import GREEN, ORDER, RAISING
from relais.telemonitoring.queries import stored

DAYS = 14
# Minutes of work that an alert costs the cell, call and note. Ours, to be measured by each cell: the capacity line
# counts 9 minutes a call (expectations.md D7), a red one is followed by a doctor or the 15, distress takes longer.
MINUTES = {"orange": 9, "orange-psy": 15, "rouge": 15, "rouge-psy": 20}
LEVELS = (GREEN, *ORDER)
STEPS = stored.STEPS + 4  # calls of `on_step`
Sets = Mapping[str, judging.RuleSet]  # by population


@dataclass(frozen=True)
class Comparison:
    """What would change. Every figure counts answer sets; JSON can hold all of it (`asdict`).

    `levels`: [before, after, how many] for each pair of levels; `rules`: of each rule of either set its id and how
    often it fired (None: the set has no such rule); `cells`: per cell id gained, lost, raised, lowered and the alerts
    and minutes of both sets; `hours`: minutes a day of both sets for each hour of receipt in Paris.
    """

    first: str  # moments, ISO
    last: str
    answers: int
    patients: int
    levels: list[list[Any]]
    rules: list[dict[str, Any]]
    cells: list[dict[str, Any]]
    hours: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def run(
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    until: datetime | None = None,
    days: int = DAYS,
    on_step: Callable[[int], None] = lambda _done: None,
) -> Comparison:
    """Replay the answers of the last `days` with the sources of two rule sets and compare.

    `on_step` is told how many of STEPS are done. Raises Refused for a rule that cannot be computed.
    """
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        on_step(done)

    last = until or timezone.now()
    first = last - timedelta(days=days)
    sets = rules.read(before), rules.read(after)
    answers = read(*sets, since=first, until=last, on_step=step)
    stories = prepare(answers, *sets)
    step()
    judged = []
    for one in sets:
        judged.append(judge(stories, one))
        step()
    found = compare(answers, *judged, days=days, first=first, last=last)
    step()
    return found


def read(*sets: Sets, since: datetime, until: datetime, on_step: Callable[[], None] = lambda: None) -> pl.DataFrame:
    """The stored answers that these sets need (see `queries.stored.answer_sets`)."""
    names = {}
    for population in sets[0]:
        asked = asked_of(frozenset().union(*(one[population].uses for one in sets)))
        known = sets[0][population].answers
        names[population] = {name: known[name] for name in known if name in asked}
    return stored.answer_sets(names, since=since, until=until, on_step=on_step)


def prepare(answers: pl.DataFrame, *sets: Sets) -> dict[str, pl.DataFrame]:
    """Population -> the follow-ups in which it answered, with the features and the past that these sets use."""
    found = {}
    for population, one in sets[0].items():
        uses = frozenset[str]().union(*(each[population].uses for each in sets))
        names = {*KEYS, *FACTS, *one.answers, "id", "population", "replayed"}
        known = [name for name in answers.columns if name in names]  # another form's answers are not in the story
        own = (pl.col("population") == population).any().over("episode")
        story = answers.filter(own) if answers.height else answers
        found[population] = prepared(story.select(*known, *_handling()), uses)
    return found


def judge(stories: Mapping[str, pl.DataFrame], sets: Sets) -> pl.DataFrame:
    """What a rule set says of each answer set to replay: id, level, alert (level of the alert raised, green: none), and
    the rules that fired, one Boolean column each, NULL where a rule is not of that population. Sorted by id.
    """
    parts = []
    for population, one in sets.items():
        said = one.judged_frame(stories[population], keep=("id", "population", "replayed"))
        raising = [pl.col(rule.id) for rule in one.rules if rule.effect in RAISING]
        looked = pl.any_horizontal(raising) if raising else pl.lit(value=False)
        parts.append(
            said.filter(pl.col("population") == population, pl.col("replayed"))
            .drop("episode", "at", "population", "replayed")
            .with_columns(
                alert=pl.when((pl.col("level") == GREEN) & looked).then(pl.lit("orange")).otherwise(pl.col("level"))
            )
        )
    return pl.concat(parts, how="diagonal").sort("id")


def _handling() -> list[pl.Expr]:
    """A live judgement knows of these for the answers of now alone; rules use them for no other row."""
    return [pl.col(name).fill_null(value=False) for name in judging.GIVEN]


def compare(
    answers: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame, *, days: int, first: datetime, last: datetime
) -> Comparison:
    """Two judgements of the same answers, side by side."""
    where = answers.filter("replayed").select(
        "id", "episode", "cell", hour=pl.col("received").dt.convert_time_zone("Europe/Paris").dt.hour()
    )
    rows = (
        where.join(before.select("id", before="alert"), on="id")
        .join(after.select("id", after="alert"), on="id")
        .with_columns(_moves())
        .with_columns(
            pl.col(name).replace_strict(MINUTES, default=0, return_dtype=pl.Int64).alias(f"minutes_{name}")
            for name in ("before", "after")
        )
    )
    pairs = rows.group_by("before", "after").len().sort("before", "after")
    return Comparison(
        first=first.isoformat(),
        last=last.isoformat(),
        answers=rows.height,
        patients=rows["episode"].n_unique(),
        levels=[list(row) for row in pairs.iter_rows()],
        rules=_by_rule(before, after),
        cells=_by_cell(rows),
        hours=_by_hour(rows, days),
    )


def _rank(name: str) -> pl.Expr:
    return pl.col(name).replace_strict({level: rank for rank, level in enumerate(LEVELS)}, return_dtype=pl.Int64)


def _moves() -> list[pl.Expr]:
    """Of an alert: gained, lost, raised or lowered; two reds differ too."""
    was, now = _rank("before"), _rank("after")
    return [
        ((was == 0) & (now > 0)).alias("gained"),
        ((was > 0) & (now == 0)).alias("lost"),
        ((was > 0) & (now > was)).alias("raised"),
        ((now > 0) & (now < was)).alias("lowered"),
    ]


def _by_rule(before: pl.DataFrame, after: pl.DataFrame) -> list[dict[str, Any]]:
    """How often each rule fired, in the order of its id."""
    counts = [
        {name: int(frame[name].sum() or 0) for name in frame.columns if name not in ("id", "level", "alert")}
        for frame in (before, after)
    ]
    ids = sorted(counts[0].keys() | counts[1].keys())
    return [{"id": one, "before": counts[0].get(one), "after": counts[1].get(one)} for one in ids]


def _by_cell(rows: pl.DataFrame) -> list[dict[str, Any]]:
    moves = [pl.col(name).sum() for name in ("gained", "lost", "raised", "lowered", "minutes_before", "minutes_after")]
    alerts = [(pl.col(name) != GREEN).sum().alias(f"alerts_{name}") for name in ("before", "after")]
    return rows.group_by("cell").agg(pl.len().alias("answers"), *moves, *alerts).sort("cell").to_dicts()


def _by_hour(rows: pl.DataFrame, days: int) -> list[dict[str, Any]]:
    """Minutes a day, for each of the 24 hours."""
    sums = rows.group_by("hour").agg(pl.col("minutes_before", "minutes_after").sum())
    found = {row["hour"]: row for row in sums.iter_rows(named=True)}
    return [
        {
            "hour": hour,
            **{
                name: round(found[hour][f"minutes_{name}"] / days, 1) if hour in found else 0.0
                for name in ("before", "after")
            },
        }
        for hour in range(24)
    ]


def total(levels: Iterable[Iterable[Any]], wanted: Callable[[str, str], bool]) -> int:
    """How many answer sets of `Comparison.levels` go from a level to another for which `wanted(before, after)`."""
    return sum(many for before, after, many in levels if wanted(before, after))


def reds_lost(levels: Iterable[Iterable[Any]]) -> int:
    """Answer sets that were red and would be no more, or less: what asks for a second physician."""
    return total(
        levels, lambda before, after: before.startswith("rouge") and LEVELS.index(after) < LEVELS.index(before)
    )
