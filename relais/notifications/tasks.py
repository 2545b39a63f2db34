"""Jobs of the outbox: thin, idempotent."""

from uuid import UUID

from procrastinate.contrib.django import app

from relais.notifications import sending


@app.task
def send(message_id: str) -> None:
    """Send one message if it still waits."""
    sending.send(UUID(message_id))


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="notifications.sweep", lock="notifications.sweep")
def sweep(timestamp: int) -> None:
    """Give a job to every message that is due and has none: reminders, new attempts, jobs that were lost."""
    sending.sweep()


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="notifications.mark_uncertain", lock="notifications.mark_uncertain")
def mark_uncertain(timestamp: int) -> None:
    """Show to staff the messages whose worker died between the attempt and its outcome."""
    sending.mark_uncertain()
