"""/health, the banner of a late scheduler, and jobs whose worker died."""

import time
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.test import Client
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from relais.core import health, tasks

pytestmark = pytest.mark.django_db


def run(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def beat(seconds_ago: float) -> None:
    run(
        "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp, periodic_id) VALUES (%s, %s, '')",
        tasks.heartbeat.name,
        int(time.time() - seconds_ago),
    )


def sign(seconds_ago: float) -> None:
    run(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))",
        seconds_ago,
    )


def queue(seconds_ago: float) -> int:
    job = tasks.heartbeat.defer(timestamp=0)
    run("UPDATE procrastinate_events SET at = now() - make_interval(secs => %s)", seconds_ago)
    return job


def test_health_is_well_when_worker_and_scheduler_signed(client: Client) -> None:
    beat(10)
    sign(3)
    answer = client.get("/health")
    assert answer.status_code == 200
    found = answer.json()
    assert found["ok"] is True
    assert found["database"] == {"ok": True}
    assert found["worker"]["seen"] == pytest.approx(3, abs=1)
    assert found["worker"]["queue"] == 0.0
    assert found["scheduler"] == {"ok": True, "delay": 0.0}


@pytest.mark.parametrize(
    ("beat_ago", "sign_ago", "queue_ago", "broken"),
    [
        (None, 3, 0, "scheduler"),
        (200, 3, 0, "scheduler"),
        (10, None, 0, "worker"),
        (10, 70, 0, "worker"),
        (10, 3, 400, "worker"),
    ],
)
def test_health_is_503_and_names_the_part(
    client: Client, beat_ago: int | None, sign_ago: int | None, queue_ago: int, broken: str
) -> None:
    if beat_ago is not None:
        beat(beat_ago)
    if sign_ago is not None:
        sign(sign_ago)
    if queue_ago:
        queue(queue_ago)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert [part for part in ("database", "worker", "scheduler") if not answer.json()[part]["ok"]] == [broken]


def test_health_without_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(query: str, *parameters: str) -> float:
        raise DatabaseError

    monkeypatch.setattr(health, "_seconds", refuse)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["database"] == {"ok": False}


@pytest.mark.parametrize(("seconds_ago", "late"), [(60, False), (170, False), (190, True)])
def test_the_scheduler_is_late_two_minutes_after_its_minute(
    seconds_ago: int, *, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_kept", (0.0, False))
    beat(seconds_ago)
    assert health.scheduler_late() is late


def test_the_answer_is_kept_for_some_seconds(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries) -> None:
    monkeypatch.setattr(health, "_kept", (0.0, False))
    with django_assert_num_queries(1):
        assert health.scheduler_late() is True
        assert health.scheduler_late() is True


def test_a_job_whose_worker_died_runs_again_and_others_are_left() -> None:
    lost = queue(0)
    run("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL WHERE id = %s", lost)
    running = tasks.heartbeat.defer(timestamp=1)
    sign(1)
    run(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers) WHERE id = %s",
        running,
    )
    async_to_sync(tasks.retry_stalled.func)(SimpleNamespace(app=app), timestamp=0)
    states = dict(ProcrastinateJob.objects.values_list("id", "status"))
    assert states == {lost: "todo", running: "doing"}
