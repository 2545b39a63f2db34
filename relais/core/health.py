"""Whether the installation works: database, worker, scheduler, and their delays."""

import time
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from relais.core.access import public

HEARTBEAT = "relais.core.tasks.heartbeat"
EVERY = 60.0  # seconds between two heartbeats
WORKER_SILENT = 60.0  # a worker signs every 10 s
QUEUE_SLOW = 300.0
SCHEDULER_LATE = 120.0
KEPT = 5.0  # seconds that scheduler_late() answers from memory

# procrastinate keeps the tick of the last run of each periodic task; the heartbeat's queueing lock stops it
# from growing when the worker does nothing any more, so that one age tells both.
SCHEDULER = """
SELECT EXTRACT(EPOCH FROM now()) - max(defer_timestamp) FROM procrastinate_periodic_defers WHERE task_name = %s
"""
WORKER = "SELECT EXTRACT(EPOCH FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
QUEUE = """
SELECT EXTRACT(EPOCH FROM now() - min(COALESCE(job.scheduled_at, event.at)))
  FROM procrastinate_jobs job
  JOIN procrastinate_events event ON event.job_id = job.id AND event.type = 'deferred'
 WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
"""

_kept: tuple[float, bool] = (0.0, False)  # until when (monotonic), and the answer


def status() -> dict[str, Any]:
    """State of the parts, delays in seconds (None: never seen, or nothing waits), and `ok` for the whole.

    worker.seen: since its last sign of life; worker.queue: age of the oldest job that could run;
    scheduler.delay: beyond the minute that separates two runs.
    """
    try:
        worker, queue, delay = _seconds(WORKER), _seconds(QUEUE) or 0.0, _scheduler_delay()
    except DatabaseError:
        return {"ok": False, "database": {"ok": False}, "worker": {"ok": False}, "scheduler": {"ok": False}}
    parts: dict[str, dict[str, Any]] = {
        "database": {"ok": True},
        "worker": {
            "ok": worker is not None and worker < WORKER_SILENT and queue < QUEUE_SLOW,
            "seen": _rounded(worker),
            "queue": _rounded(queue),
        },
        "scheduler": {"ok": not _late(delay), "delay": _rounded(delay)},
    }
    return {"ok": all(part["ok"] for part in parts.values()), **parts}


def scheduler_late() -> bool:
    """Whether pages must say that reminders and alerts are late (more than two minutes, or never run).

    Answered from memory for five seconds, so that pages do not pay a query each.
    """
    global _kept  # noqa: PLW0603 (one value a process)
    until, late = _kept
    if time.monotonic() >= until:
        try:
            late = _late(_scheduler_delay())
        except DatabaseError:  # an error page is being drawn: it must not fail in turn
            late = True
        _kept = (time.monotonic() + KEPT, late)
    return late


@public
@never_cache
def view(request: HttpRequest) -> JsonResponse:
    """GET /health, open to all: 200 when all is well, 503 otherwise. States and delays, nothing else."""
    found = status()
    answer = JsonResponse(found, status=200 if found["ok"] else 503)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # 503 is this page's work, not an error of the site
    return answer


def _seconds(query: str, *parameters: str) -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        (value,) = cursor.fetchone()
    return None if value is None else float(value)


def _scheduler_delay() -> float | None:
    age = _seconds(SCHEDULER, HEARTBEAT)
    return None if age is None else max(0.0, age - EVERY)


def _late(delay: float | None) -> bool:
    return delay is None or delay > SCHEDULER_LATE


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
