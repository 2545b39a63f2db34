"""Stored answers as columns, for a replay of the whole region: PostgreSQL takes from each answer what the rules use.

No answer becomes a Python object: rows leave as CSV (COPY) and Polars reads them.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from itertools import pairwise
from typing import Any

import polars as pl
from django.db import connection
from psycopg import sql

from relais.questionnaires.expressions import COLUMNS, Kind, Name
from relais.questionnaires.models import Questionnaire
from relais.telemonitoring.actions.alerts import REACHED
from relais.telemonitoring.actions.answers import DOCTOR, HISTORY
from relais.telemonitoring.history import FACTS
from relais.telemonitoring.programme import FORMS

SLICES = 2  # parts in which the days of the replay are read, each one pass through the table: progress counts them
STEPS = SLICES + 1  # calls of `on_step`
TIME = pl.Datetime("us", "UTC")
KEYS = {"id": pl.String(), "request_key": pl.String(), "episode": pl.String(), "at": TIME, "received": TIME}
STAMP = "(extract(epoch FROM {}) * 1000000)::bigint"
# Facts that stand in the JSON of a follow-up; the others are made below or are columns.
KEPT = ("risk_child", "diabetes", "renal", "baseline", "target", "o2_prescribed")


def answer_sets(
    names: Mapping[str, Mapping[str, Name]], *, since: datetime, until: datetime, on_step: Callable[[], None]
) -> pl.DataFrame:
    """Every judged answer set given after `since` up to `until`, and what came before in the same follow-ups, as far
    back as a live judgement looks.

    `names`: population -> the answers to take. One row each, in the order of follow-up and time, as a live judgement has it: id, request_key, episode,
    at, received, date (in Paris), population (of the form that was answered), cell, replayed (given after `since`),
    contacted, acknowledged, the facts of history.FACTS and the answers by name; what was not asked is NULL.
    """
    followed = _followed()
    judged = _copied(sql.SQL("SELECT response_id FROM telemonitoring_judgement"), {"id": pl.String()})
    on_step()
    forms = _forms()
    step = (until - since) / SLICES
    edges = [since - HISTORY, *(since + number * step for number in range(1, SLICES)), until]
    parts = []
    for first, last in pairwise(edges):
        parts += [_part(one, forms[one], names[one], first, last) for one in names]
        on_step()
    frame = pl.concat(parts, how="diagonal").join(judged, on="id", how="semi")
    replayed = pl.col("at") > since
    frame = frame.filter(replayed.any().over("episode")).join(followed, on="episode", how="inner")
    frame = frame.with_columns(replayed=replayed, date=pl.col("at").dt.convert_time_zone("Europe/Paris").dt.date())
    frame = frame.with_columns(_age()).with_columns(age=pl.col("age_months") / 12.0).drop("onset", "born")
    return frame.join(_handled(frame), on="id", how="left").sort("episode", "at", "request_key")


def _forms() -> dict[str, list[Any]]:
    """Population -> ids of every version of its forms."""
    of = {name: population for population, forms in FORMS.items() for name in forms}
    found: dict[str, list[Any]] = {population: [] for population in FORMS}
    for pk, name in Questionnaire.objects.filter(name__in=of).values_list("pk", "name"):
        found[of[name]].append(pk)
    return found


def _part(
    population: str, forms: list[Any], names: Mapping[str, Name], after: datetime, until: datetime
) -> pl.DataFrame:
    """The answer sets of one population of a stretch of time, as `questionnaires.columns.values` reads them."""
    columns = [_column(name, one) for name, one in names.items()]
    query = sql.SQL(
        "SELECT r.id, r.request_key, r.about AS episode, {at} AS at, {received} AS received{columns} FROM questionnaires_response r"
        " WHERE r.questionnaire_id = ANY({forms}) AND r.ended_at > {after} AND r.ended_at <= {until}"
    ).format(
        at=_stamp("r.ended_at"), received=_stamp("r.received_at"), forms=sql.Literal(forms), after=sql.Literal(after),
        until=sql.Literal(until), columns=sql.SQL("").join(sql.SQL(", ") + one for one in columns),
    )  # fmt: skip
    types = {name: pl.String() if one.kind is Kind.CODES else COLUMNS[one.kind] for name, one in names.items()}
    frame = _copied(query, {**KEYS, **types})
    for name, one in names.items():
        if one.kind is Kind.CODES:
            frame = _listed(frame, name)
    free = [  # a choice that was answered in free text is no answer to a rule
        pl.when(~pl.col(name).str.starts_with("{")).then(pl.col(name)).alias(name)
        for name, one in names.items()
        if one.kind is Kind.CODE
    ]
    return frame.with_columns(*free, population=pl.lit(population))


def _column(name: str, one: Name) -> sql.Composable:
    """The first value of a question, or all of a choice of several as JSON."""
    taken = "(r.answers->{name})::text" if one.kind is Kind.CODES else "r.answers->{name}->>0"
    return sql.SQL(taken + " AS {alias}").format(name=sql.Literal(name), alias=sql.Identifier(name))


def _listed(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The JSON of a choice of several as a list; of the few different ones each is read once."""
    texts = frame[name].drop_nulls().unique(maintain_order=True).to_list()
    read = [[str(one) for one in json.loads(text) if not isinstance(one, dict)] or None for text in texts]
    known = pl.DataFrame({name: texts, "_read": read}, schema={name: pl.String(), "_read": COLUMNS[Kind.CODES]})
    joined = frame.join(known, on=name, how="left", maintain_order="left")
    return joined.drop(name).rename({"_read": name})


def _followed() -> pl.DataFrame:
    """The facts of each follow-up, as they are now."""
    kept = [sql.SQL("f.facts->>{} AS {}").format(sql.Literal(name), sql.Identifier(name)) for name in KEPT]
    query = sql.SQL(
        "SELECT f.dossier_id AS episode, f.cell_id AS cell, f.risk, f.onset, p.birth_date AS born,"
        " coalesce(nullif(p.sex, ''), 'I') AS sex, {kept}"
        " FROM telemonitoring_followup f JOIN dossiers_dossier d ON d.id = f.dossier_id"
        " JOIN patients_patient p ON p.id = d.patient_id"
    ).format(kept=sql.SQL(", ").join(kept))
    types = {name: COLUMNS[FACTS[name].kind] for name in KEPT}
    text = pl.String()
    schema = {"episode": text, "cell": text, "risk": text, "onset": pl.Date(), "born": pl.Date(), "sex": text}
    return _copied(query, {**schema, **types})


def _age() -> list[pl.Expr]:
    """programme.months, programme.band and FollowUp.day on the day of the answer."""
    on, born = pl.col("date"), pl.col("born")
    months = (
        (on.dt.year() - born.dt.year()) * 12
        + on.dt.month().cast(pl.Int32) - born.dt.month().cast(pl.Int32)
        - (on.dt.day() < born.dt.day()).cast(pl.Int32)
    )  # fmt: skip
    band = (
        pl.when((on - born).dt.total_days() < 90).then(pl.lit("A"))
        .when(months < 24).then(pl.lit("B"))
        .when(months < 12 * 12).then(pl.lit("C"))
        .when(born.is_not_null()).then(pl.lit("D"))
    )  # fmt: skip
    day = (on - pl.col("onset")).dt.total_days().cast(pl.Float64)
    return [months.cast(pl.Float64).alias("age_months"), band.alias("band"), day.alias("day")]


def _handled(frame: pl.DataFrame) -> pl.DataFrame:
    """For each answer set whether somebody had the alert in hand when it came, and whether a practitioner had reached the
    patient."""
    alerts = _copied(
        sql.SQL(
            "SELECT id AS alert, follow_up_id AS episode, {} AS opened, {} AS since, {} AS taken, {} AS closed"
            " FROM telemonitoring_alert WHERE taken_at IS NOT NULL"
        ).format(*(_stamp(name) for name in ("opened_at", "since", "taken_at", "closed_at"))),
        {"alert": pl.String(), "episode": pl.String(), "opened": TIME, "since": TIME, "taken": TIME, "closed": TIME},
    )
    calls = _copied(
        sql.SQL(
            "SELECT alert_id AS alert, {} AS called FROM telemonitoring_call c WHERE outcome = ANY({}) AND EXISTS"
            " (SELECT FROM accounts_membership m WHERE m.user_id = c.by_id AND m.role = {})"
        ).format(_stamp("created_at"), sql.Literal(list(REACHED)), sql.Literal(DOCTOR)),
        {"alert": pl.String(), "called": TIME},
    )
    moment = pl.col("received")
    held = (
        frame.select("id", "episode", "received")
        .join(alerts, on="episode")
        .filter(pl.col("taken") <= moment, pl.col("closed").is_null() | (pl.col("closed") > moment))
        .join(calls, on="alert", how="left")
    )
    risen = (pl.col("called") < pl.col("since")) & (pl.col("since") <= moment)
    reached = (pl.col("called") <= moment) & ~risen
    return held.group_by("id").agg(
        acknowledged=pl.lit(value=True).first(), contacted=reached.fill_null(value=False).any()
    )


def _stamp(column: str) -> sql.Composable:
    return sql.SQL(STAMP.format(column))


def _copied(query: sql.Composable, schema: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of a query; an empty value is NULL."""
    buffer = BytesIO()
    connection.ensure_connection()
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(query)) as copy:
        for block in copy:
            buffer.write(block)
    if not buffer.tell():
        return pl.DataFrame(schema=schema)
    buffer.seek(0)
    moments = [name for name, kind in schema.items() if kind == TIME]
    plain = {name: pl.Int64() if name in moments else kind for name, kind in schema.items()}
    return pl.read_csv(buffer, has_header=False, schema=plain).with_columns(pl.col(name).cast(TIME) for name in moments)
