"""A real video relay for tests, as the site runs it: `manage.py sfu` on a port of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from relais.rooms.janus import Janus

SECRET = "a secret of these tests"  # noqa: S105 (of a relay that lives as long as they do)
NO_JANUS = "Janus is not installed (package janus)"


def installed() -> bool:
    return shutil.which("janus") is not None


class Relay:
    """Janus on the loopback. `environment` is what the site under test must know of it."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {"SFU_PORT": str(self.port), "SFU_SECRET": SECRET}
        self.janus = Janus(f"http://127.0.0.1:{self.port}", SECRET)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> int:
        """Its process id, 0 when stopped."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Returns once it answers."""
        environment = {**os.environ, **self.environment, "RELAIS_HOME": str(settings.HOME)}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "sfu"], cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 120
        while not self.janus.alive():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"Janus did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Killed, as by a power cut."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
