"""What rules know beside the answers of now: facts of the follow-up and features of the answers before.

One set of formulas, for the answers of one patient (the live alert) and of the region (the replay): a frame holds any
number of follow-ups, each row knows the rows before it in its own follow-up and no other. Pure: no table.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC
from functools import lru_cache
from typing import Any

import polars as pl

from relais.questionnaires.expressions import COLUMNS, Kind, Name

PEAK = (6, 12)  # days since onset in which COVID-19 worsens (domain.md §1.2)
FEVER = 38.0

# Of the follow-up, the same for each of its answers or known on the day of the answer.
FACTS: dict[str, Name] = {
    "age": Name(Kind.NUMBER, words="âge en années, décimal pour un enfant"),
    "age_months": Name(Kind.NUMBER, words="âge en mois révolus"),
    "band": Name(Kind.CODE, ("A", "B", "C", "D"), "tranche d’âge de l’enfant : A moins de 3 mois … D 12 à 17 ans"),
    "sex": Name(Kind.CODE, ("M", "F", "I"), "sexe"),
    "risk": Name(Kind.CODE, ("standard", "eleve", "tres-eleve"), "niveau de risque"),
    "risk_child": Name(Kind.FLAG, words="facteur de gravité de l’enfant"),
    "diabetes": Name(Kind.FLAG, words="diabète"),
    "renal": Name(Kind.FLAG, words="insuffisance rénale"),
    "baseline": Name(Kind.NUMBER, words="saturation habituelle connue"),
    "target": Name(Kind.NUMBER, words="seuil de saturation fixé pour ce patient"),
    "o2_prescribed": Name(Kind.NUMBER, words="débit d’oxygène prescrit, L/min"),
    "day": Name(Kind.NUMBER, words="jour depuis les premiers symptômes (J0 = 0)"),
}
# Computed here from the answers. Each may be used with the prefixes of PREFIXES too.
FEATURES: dict[str, Name] = {
    "peak": Name(Kind.FLAG, words="entre J6 et J12 inclus"),
    "o2_usual": Name(
        Kind.NUMBER, words="débit d’oxygène prescrit ; s’il n’est pas connu, le premier qui a été déclaré"
    ),
    "rr": Name(Kind.NUMBER, words="fréquence respiratoire retenue : le recompte s’il existe"),
    "fever": Name(Kind.FLAG, words="38 °C ou plus, ou sensation de fièvre sans mesure"),
    "fever_days": Name(Kind.NUMBER, words="jours de suite avec fièvre, aujourd’hui compris"),
    "fever_gap": Name(Kind.NUMBER, words="heures depuis la réponse précédente avec fièvre"),
    "gut": Name(Kind.FLAG, words="diarrhée importante ou vomissements"),
    "gut_days": Name(Kind.NUMBER, words="jours de suite avec diarrhée importante ou vomissements"),
}
PREFIXES = {
    "prev.": "à la réponse précédente",
    "prev2.": "deux réponses avant",
    "mean3.": "moyenne des trois dernières mesures avant celle-ci, au même débit d’oxygène",
}
BACK = {"prev.": 1, "prev2.": 2}  # rows
KEYS = {"episode": pl.String(), "at": pl.Datetime("us", "UTC"), "date": pl.Date()}
FLOW = "ad.spo2.o2"
# What features are made of, in whichever form asks it.
RESTS_ON = ("day", FLOW, "ad.temp", "en.temp", "ct.temp", "ad.fievre.ress", "ad.digestif", "ad.fr", "ad.fr.recompte")


def documented(answers: Mapping[str, Name]) -> dict[str, Name]:
    """Every name that a rule over these answers may use: answers, facts, features, and their past."""
    now = {**FACTS, **FEATURES, **answers}
    past = {
        prefix + name: Name(one.kind, one.codes, f"{one.words or name}, {words}")
        for prefix, words in PREFIXES.items()
        for name, one in now.items()
        if one.kind is not Kind.CODES and name not in FACTS and (prefix != "mean3." or one.kind is Kind.NUMBER)
    }
    return {**now, **past}


def rows(given: Iterable[Mapping[str, Any]], answers: Mapping[str, Name], uses: Iterable[str] = ()) -> pl.DataFrame:
    """Answer sets with their features: one row each, in the order of each follow-up's time.

    `given`: episode (str), at (aware datetime), date (day in Paris), facts and answers by name; absent is NULL.
    `uses`: the names that the rules use: the past is computed for these alone.
    """
    listed = [{**row, "at": row["at"].astimezone(UTC)} for row in given]
    columns = {**FACTS, **answers}
    schema = {**KEYS, **{name: COLUMNS[one.kind] for name, one in columns.items()}}
    return prepared(pl.from_dicts(listed, schema=schema, strict=False), uses)


def prepared(frame: pl.DataFrame, uses: Iterable[str]) -> pl.DataFrame:
    """`rows` from columns: KEYS, and of facts and answers at least those of `asked_of(uses)`; others are kept as they are."""
    frame = frame.sort("episode", "at", maintain_order=True)
    for columns in _steps(frozenset(frame.columns), frozenset(uses)):
        frame = frame.with_columns(columns)
    return frame


def asked_of(uses: Iterable[str]) -> set[str]:
    """The facts and answers that must be there for these names: features and the past rest on others."""
    now = {name.removeprefix(next((one for one in PREFIXES if name.startswith(one)), "")) for name in uses}
    return (now | set(RESTS_ON)) - set(FEATURES)


@lru_cache(maxsize=32)
def _steps(there: frozenset[str], uses: frozenset[str]) -> tuple[list[pl.Expr], ...]:
    """The columns of FEATURES, and those of PREFIXES that `uses` names; each step rests on the one before.

    Written once for the same columns: for the few answers of one patient, writing costs as much as computing.
    """
    fever, gut = pl.col("fever"), pl.col("gut")
    now = [
        pl.col("day").is_between(*PEAK).alias("peak"),
        pl.coalesce(_asked(there, "o2_prescribed", Kind.NUMBER), _first_flow(there)).alias("o2_usual"),
        pl.coalesce(_asked(there, "ad.fr.recompte", Kind.NUMBER), _asked(there, "ad.fr", Kind.NUMBER)).alias("rr"),
        _fever(there).alias("fever"),
        (_asked(there, "ad.digestif", Kind.CODES).list.set_intersection(["dia3", "vom"]).list.len() > 0).alias("gut"),
        _asked(there, FLOW, Kind.NUMBER).fill_null(0.0).alias("_flow"),
    ]
    runs = [
        ((pl.col("at") - _last_before(fever, "at")).dt.total_seconds() / 3600.0).alias("fever_gap"),
        _run_begins(fever).alias("_fever_began"),
        _run_begins(gut).alias("_gut_began"),
    ]
    days = [
        _days_since(fever, "_fever_began").alias("fever_days"),
        _days_since(gut, "_gut_began").alias("gut_days"),
    ]
    return now, runs, days, [_of_past(name) for name in sorted(uses) if name.startswith(tuple(PREFIXES))]


def _asked(there: frozenset[str], name: str, kind: Kind) -> pl.Expr:
    """What a form does not ask is NULL."""
    return pl.col(name) if name in there else pl.lit(None, COLUMNS[kind])


def _fever(there: frozenset[str]) -> pl.Expr:
    hot = [_asked(there, name, Kind.NUMBER) >= FEVER for name in ("ad.temp", "en.temp", "ct.temp")]
    return pl.coalesce(*hot, _asked(there, "ad.fievre.ress", Kind.FLAG))


def _first_flow(there: frozenset[str]) -> pl.Expr:
    """On a row without a flow it may be one to come: nothing is compared there."""
    flow = _asked(there, FLOW, Kind.NUMBER)
    return flow.drop_nulls().first().over("episode") if FLOW in there else flow


def _last_before(flag: pl.Expr, what: str) -> pl.Expr:
    """`what` of the last row before this one in which `flag` was true."""
    return pl.when(flag).then(pl.col(what)).forward_fill().shift(1).over("episode")


def _run_begins(flag: pl.Expr) -> pl.Expr:
    """The day, on a row in which `flag` is true and was not so the day before nor earlier that day; else NULL."""
    new = (pl.col("date") - _last_before(flag, "date")) > pl.duration(days=1)
    return pl.when(flag & new.fill_null(value=True)).then(pl.col("date"))


def _days_since(flag: pl.Expr, began: str) -> pl.Expr:
    """How many days in a row `flag` was true at least once, the day of the row included; 0 when it is not true now."""
    days = (pl.col("date") - pl.col(began).forward_fill().over("episode")).dt.total_days() + 1
    return pl.when(flag).then(days.cast(pl.Float64)).otherwise(0.0)


def _of_past(name: str) -> pl.Expr:
    """A name with a prefix."""
    prefix = next(one for one in PREFIXES if name.startswith(one))
    value = pl.col(name.removeprefix(prefix))
    past = _mean(value) if prefix == "mean3." else value.shift(BACK[prefix]).over("episode")
    return past.alias(name)


def _mean(value: pl.Expr) -> pl.Expr:
    """Mean of the last three values before this row (of one or two when there are no more), at the oxygen flow of now."""
    last = [value.forward_fill().shift(1)]
    for _more in range(2):  # what stood before the value before
        last.append(pl.when(value.is_not_null()).then(last[-1]).forward_fill().shift(1))
    return pl.mean_horizontal(*(one.over("episode", "_flow") for one in last))
