"""Jobs of meetings: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.meetings.actions import meetings, places


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="meetings.sweep", lock="meetings.sweep")
def sweep(timestamp: int) -> None:
    """End the rooms that everybody has left, and the meetings that are long over."""
    places.end_empty()
    meetings.end_past()
