"""How jobs run. The tasks are in each module's `tasks.py`, their hours in the `@app.periodic` above them.

Jobs are idempotent: one whose worker was killed is run again (relais.core.tasks.retry_stalled).
"""

WORKER = {
    "name": "relais",
    "concurrency": 4,
    "shutdown_graceful_timeout": 10.0,  # seconds; a job cut off then is stalled, and retried
    "update_heartbeat_interval": 10.0,
    "stalled_worker_timeout": 30.0,
}
# A worker that starts catches up with the runs it missed, if they are younger than this (seconds).
PERIODIC = {"max_delay": 600.0}
