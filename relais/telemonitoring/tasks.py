"""Jobs of telemonitoring: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.telemonitoring.actions import windows


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="telemonitoring.watch", lock="telemonitoring.watch")
def watch(timestamp: int) -> None:
    """Remind, note the answers that are missing, propose what may end."""
    windows.watch()
