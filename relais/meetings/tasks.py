"""Jobs of meetings: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.meetings.actions import places


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="meetings.sweep", lock="meetings.sweep")
def sweep(timestamp: int) -> None:
    """End the rooms that everybody has left."""
    places.end_empty()
