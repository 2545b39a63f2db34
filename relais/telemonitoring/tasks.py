"""Jobs of telemonitoring: thin, idempotent."""

from uuid import UUID

from procrastinate.contrib.django import app

from relais.telemonitoring.actions import bulk, laboratory, windows


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="telemonitoring.watch", lock="telemonitoring.watch")
def watch(timestamp: int) -> None:
    """Remind, note the answers that are missing, propose what may end."""
    windows.watch()


@app.task(retry=5)
def let_in(follow_up_ids: list[str]) -> None:
    """Send their way in to people who were included from a file; one transaction each, one that fails holds back no other."""
    bulk.let_all_in(map(UUID, follow_up_ids))


@app.task(lock="telemonitoring.replay")
def replay(replay_id: str) -> None:
    """Replay the last 14 days with a draft, one at a time."""
    laboratory.run_replay(UUID(replay_id))
