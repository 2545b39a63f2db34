"""What keeps the folder of files clean."""

from procrastinate.contrib.django import app

from relais.files import actions, spool

DAY = 24 * 3600.0


@app.periodic(cron="41 3 * * *")
@app.task(queueing_lock="sweep_files")
def sweep_files(timestamp: int) -> None:
    """Remove encrypted files that no row has claimed for a day."""
    actions.sweep(older_than=DAY)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="sweep_uploads")
def sweep_uploads(timestamp: int) -> None:
    """Remove uploads that no form has claimed within the hour."""
    spool.sweep(older_than=spool.LIFE)
