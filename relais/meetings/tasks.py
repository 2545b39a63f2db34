"""Jobs of meetings: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.meetings.actions import meetings, places
from relais.rooms import actions as rooms


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="meetings.sweep", lock="meetings.sweep")
def sweep(timestamp: int) -> None:
    """End the rooms that everybody has left, and the meetings that are long over."""
    places.end_empty()
    meetings.end_past()


@app.periodic(cron="47 3 * * *")
@app.task(queueing_lock="meetings.forget")
def forget(timestamp: int) -> None:
    """Erase who was where once it is kept no more."""
    places.forget()
    meetings.forget()
    rooms.forget_heartbeats()
