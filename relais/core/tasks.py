"""What keeps the queue itself alive and small."""

import logging

from procrastinate import JobContext, builtin_tasks
from procrastinate.contrib.django import app

KEEP_HOURS = 72
logger = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="heartbeat")
def heartbeat(timestamp: int) -> None:
    """Nothing to do: that it was deferred shows that the scheduler runs, see relais.core.health.

    Its queueing lock refuses a second one while the first still waits, so a stuck worker shows as well.
    """


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Put jobs whose worker died back into the queue (seen by its heartbeat, 30 s)."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        logger.warning("Job %s (%s) lost its worker and runs again", job.id, job.task_name)
        await manager.retry_job(job)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="remove_old_jobs", pass_context=True)
async def remove_old_jobs(context: JobContext, timestamp: int) -> None:
    """Forget finished jobs; failed ones stay for whoever looks into them."""
    await builtin_tasks.remove_old_jobs(context, max_hours=KEEP_HOURS)
