"""A child's thread of life: a pipe whose other end its supervisor holds, closed by whatever ends the supervisor."""

import os
import signal
import threading
import time

VARIABLE = "RELAIS_LIFELINE"
PATIENCE = 20.0  # seconds for a clean end, then the process goes


def follow() -> None:
    """Stop this process (SIGTERM, then at once) when its supervisor is gone; nothing without a supervisor."""
    descriptor = os.environ.pop(VARIABLE, "")
    if descriptor:
        threading.Thread(target=_wait, args=[int(descriptor)], name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)  # nothing is ever written: this returns at the end of the pipe
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)
