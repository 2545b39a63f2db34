"""Jobs of the rotas: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.oncall.actions import watch


@app.periodic(cron="7,37 * * * *")
@app.task(queueing_lock="oncall.alert_gaps", lock="oncall.alert_gaps")
def alert_gaps(timestamp: int) -> None:
    """Tell referents of the holes ahead."""
    watch.alert_gaps()
