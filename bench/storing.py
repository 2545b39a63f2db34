"""Answers stored with their alert beside the same rows inserted bare: one JSON object. Runs in a process of its own.

Both in turn on the same connection, one committed transaction each. *Bare*: the rows that an answer left behind
(answers, judgement, alert, events, trace), as plain INSERTs of ready values, with nothing read, checked or judged.
"""

import json
import os
import statistics
import sys
import time
from typing import Any
from uuid import UUID, uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402 (Django is set up above)
from django.db.models import JSONField  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.pages import percentile  # noqa: E402
from bench.prepare import adults, calm_ones  # noqa: E402
from relais.audit.models import Entry  # noqa: E402
from relais.core.actor import PATIENT, Actor  # noqa: E402
from relais.dossiers.models import Event  # noqa: E402
from relais.questionnaires.actions import Times  # noqa: E402
from relais.questionnaires.models import Response  # noqa: E402
from relais.questionnaires.queries import current  # noqa: E402
from relais.telemonitoring.actions.answers import answer  # noqa: E402
from relais.telemonitoring.models import Alert, FollowUp, Judgement  # noqa: E402
from relais.telemonitoring.testing import WELL  # noqa: E402
from relais.telemonitoring.workflow import AlertState  # noqa: E402

COUNT, WARM = 200, 10
ORANGE = {**WELL, "ad.temp": [39.2], "ad.fievre.resist": [False]}  # AO06: a call-back


def main() -> None:
    found = calm_ones(adults())[: 2 * (COUNT + WARM)]
    form = current("ecovid-suivi-adulte")
    last = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    real, bare, rows, started = [], [], 0, timezone.now()
    for number in range(0, len(found), 2):
        mine, other = found[number : number + 2]
        row = FollowUp.objects.get(pk=mine.about)
        actor = Actor(kind=PATIENT, grant_id=mine.pk, patient_id=mine.patient_id, about=row.pk, assurance=1)
        begun, traced = time.perf_counter(), timezone.now()
        answer(
            actor=actor,
            follow_up=row,
            questionnaire=form,
            answers=ORANGE,
            times=Times(timezone.now()),
            request_key=uuid4(),
        )
        took = (time.perf_counter() - begun) * 1000
        made = _made(row.pk, last, traced)
        statements = _copies(made, {row.pk: other.about})
        begun = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            for sql, values in statements:
                cursor.execute(sql, values)
        if number >= 2 * WARM:
            real.append(took)
            bare.append((time.perf_counter() - begun) * 1000)
            rows = len(made)
    left = Alert.objects.filter(follow_up__in=[one.about for one in found], opened_at__gte=started, closed_at=None)
    left.update(state=AlertState.CLOSED, closed_at=timezone.now())  # else the next run finds other lists than this one
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        fsync = cursor.fetchone()[0]
    told = {
        "answers stored a second": round(1000 / statistics.mean(real), 1),
        "the same rows bare a second": round(1000 / statistics.mean(bare), 1),
        "share of bare": round(statistics.mean(bare) / statistics.mean(real), 3),
        "share of bare, medians": round(statistics.median(bare) / statistics.median(real), 3),
        "stored p50": round(percentile(real, 50), 1),
        "stored p95": round(percentile(real, 95), 1),
        "rows each": rows,
        "fsync": fsync,
    }
    json.dump(told, sys.stdout)


def _made(pk: UUID, last: int, since: Any) -> list[Any]:
    """The rows that this answer left."""
    judgement = Judgement.objects.filter(follow_up=pk).latest("at")
    alert = Alert.objects.filter(follow_up=pk).latest("opened_at")
    events = Event.objects.filter(dossier=pk, pk__gt=last).order_by("pk")
    entries = Entry.objects.filter(about=pk, at__gte=since)
    return [Response.objects.get(pk=judgement.response_id), judgement, alert, *events, *entries]


def _copies(made: list[Any], ids: dict[Any, Any]) -> list[tuple[str, list[Any]]]:
    """An INSERT for each row, about somebody else, with new keys."""
    ids = {**ids, **{one.pk: uuid4() for one in made if isinstance(one.pk, UUID)}}
    if request_key := getattr(made[0], "request_key", None):
        ids[request_key] = uuid4()
    found = []
    for one in made:
        fields = [each for each in one._meta.concrete_fields if not each.generated]
        fields = [each for each in fields if not (each.primary_key and not isinstance(one.pk, UUID))]
        values = [getattr(one, each.attname) for each in fields]
        ready = [
            each.get_db_prep_save(ids.get(value, value) if isinstance(value, UUID) else value, connection)
            if isinstance(each, JSONField) or value is not None else None
            for each, value in zip(fields, values, strict=True)
        ]  # fmt: skip
        names = ", ".join(connection.ops.quote_name(each.column) for each in fields)
        marks = ", ".join(["%s"] * len(fields))
        found.append((f"INSERT INTO {connection.ops.quote_name(one._meta.db_table)} ({names}) VALUES ({marks})", ready))
    return found


if __name__ == "__main__":
    main()
