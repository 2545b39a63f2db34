"""`python -m relais.core.guard HOME durable|fast DEADLINE`: runs the embedded server while somebody uses it.

Its last line on stderr, when it gives up, is the sentence that `embedded.start` raises.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from relais.core import cluster, embedded

POLL = 0.05
BACK_OFF = (0.1, 0.5, 1, 2, 5)  # seconds; shared memory of a killed server is free after some 20
FOREIGN_TRIES = 4  # 3.6 s: the time for a server whose guard was killed to finish its shutdown


def _die_with_parent() -> None:
    """In the child, on Linux: a fast shutdown of PostgreSQL when its guard dies, however it dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGINT)


class Guard:
    def __init__(self, home: Path, *, durable: bool, deadline: float) -> None:
        self.home = home
        self.durable = durable
        self.deadline = deadline
        self.failures = 0

    def run(self) -> int:
        held = embedded.lock(self.home, "guard.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not held:
            return 0
        served = False
        while True:
            postgres = self._launch()
            while postgres.poll() is None:
                users = embedded.lock(self.home, "users.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
                if users:
                    self._stop(postgres)
                    return 0
                if not served and embedded.ready(self.home):
                    served, self.failures = True, 0
                time.sleep(POLL)
            if not self._try_again(postgres.returncode, served=served):
                return 1

    def _try_again(self, status: int, *, served: bool) -> bool:
        """Say why the server ended; False when starting it again is hopeless."""
        foreign = self._foreign()
        sys.stderr.write((foreign or f"The embedded database stopped ({status}): see {self.home}/postgres.log.") + "\n")
        sys.stderr.flush()
        self.failures += 1
        if foreign and self.failures > FOREIGN_TRIES:
            return False
        if not served and time.monotonic() > self.deadline - 1:
            return False
        time.sleep(BACK_OFF[min(self.failures, len(BACK_OFF)) - 1])
        return True

    def _launch(self) -> subprocess.Popen:
        data = self.home / "postgres" / "data"
        log = os.open(self.home / "postgres.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            return subprocess.Popen(
                cluster.command("postgres", "-D", str(data), *cluster.settings(self.home, durable=self.durable)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 (one thread)
                **cluster.identity(embedded.owner(self.home), self.home / "postgres"),
            )
        finally:
            os.close(log)

    def _stop(self, postgres: subprocess.Popen) -> None:
        """Fast shutdown (open transactions roll back), immediate after 20 s: nothing committed is lost."""
        postgres.send_signal(signal.SIGINT)
        try:
            postgres.wait(20)
        except subprocess.TimeoutExpired:
            postgres.send_signal(signal.SIGQUIT)
            postgres.wait(10)

    def _foreign(self) -> str:
        """The sentence for data that a server which is not ours holds, if one does."""
        try:
            pid = int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return ""
        return f"Another PostgreSQL (process {pid}) holds the data in {self.home}: stop it, then start again."


if __name__ == "__main__":
    sys.exit(Guard(Path(sys.argv[1]), durable=sys.argv[2] == "durable", deadline=float(sys.argv[3])).run())
