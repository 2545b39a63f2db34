"""Jobs of tele-expertise: thin, idempotent."""

from procrastinate.contrib.django import app

from relais.expertise.actions import watch as actions


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="expertise.watch", lock="expertise.watch")
def watch(timestamp: int) -> None:
    """Tell of the requests whose delay has run out."""
    actions.watch()
