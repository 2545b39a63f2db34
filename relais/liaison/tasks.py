"""Jobs of liaison: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.liaison.actions import watching


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="liaison.watch", lock="liaison.watch")
def watch(timestamp: int) -> None:
    """Ask the next one, say what is due, propose the hand-over."""
    watching.watch()
