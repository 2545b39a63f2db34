"""Starts the reader of DICOM, a few at a time, and gives it up when it takes too long: a bomb costs nobody else a page."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

READER = Path(__file__).with_name("reader.py")
TOGETHER = 2  # readers at a time in one process: their memory and their processors stay bounded
WAITING = 6  # more that wait for a place
PATIENCE = 5.0  # seconds in which one waits for a place
WHOLE = 60.0  # seconds for an answer
MOST_BYTES = 96 << 20  # of an answer
HEAVY = (3, -9, -24)  # out of memory; killed: by us, or by the limit of processor time
KEPT = ("LD_LIBRARY_PATH", "SYSTEMROOT")  # without which some Pythons do not start
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}  # no secret of ours

# Threads in which answers wait for their reader: not one of those in which files leave.
POOL = ThreadPoolExecutor(TOGETHER + WAITING, thread_name_prefix="dicom")


class Failed(Exception):
    """The reader gave nothing that can be used; says why in one word that the page knows: busy, heavy, unreadable."""


class Places:
    """Of the readers in one process: one a person at most, and of those who wait for theirs the last request alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._inside: list[str] = []
        self._waiting: dict[str, object] = {}

    @contextmanager
    def held(self, who: str) -> Iterator[None]:
        """A place for as long as the block lasts. Raises Failed (busy) when none is free in PATIENCE."""
        ticket = object()

        def over() -> bool:
            return self._waiting.get(who) is not ticket

        def free() -> bool:
            return len(self._inside) < self._most and who not in self._inside

        with self._changed:
            self._waiting[who] = ticket
            self._changed.notify_all()  # the one before gives up
            self._changed.wait_for(lambda: over() or free(), PATIENCE)
            if over():
                raise Failed("busy")
            del self._waiting[who]
            if not free():
                raise Failed("busy")
            self._inside.append(who)
        try:
            yield
        finally:
            with self._changed:
                self._inside.remove(who)
                self._changed.notify_all()


_places = Places(TOGETHER)


def read(blocks: Iterator[bytes], order: dict[str, Any], *, who: str) -> bytes:
    """What the reader answers to `order` about the file whose clear bytes are `blocks`, to the person `who` (their id).

    Raises Failed.
    """
    with _places.held(who):
        return _read(blocks, order)


def _read(blocks: Iterator[bytes], order: dict[str, Any]) -> bytes:
    command = [sys.executable, "-I", str(READER), json.dumps(order)]
    environment = {**ENVIRONMENT, **{name: os.environ[name] for name in KEPT if name in os.environ}}
    answer = b""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        late = threading.Timer(WHOLE, process.kill)
        late.start()
        feeder = threading.Thread(target=_feed, args=(blocks, process.stdin), name="feed", daemon=True)
        feeder.start()
        try:
            answer = process.stdout.read(MOST_BYTES + 1) if process.stdout else b""
        finally:
            if len(answer) > MOST_BYTES:
                process.kill()
            status = process.wait()
            late.cancel()
            feeder.join()
    if len(answer) > MOST_BYTES or status in HEAVY:
        raise Failed("heavy")
    if status or not answer:
        raise Failed("unreadable")
    return answer


def _feed(blocks: Iterator[bytes], stdin: Any) -> None:
    try:
        with stdin:
            for block in blocks:
                stdin.write(block)
    except (BrokenPipeError, ValueError):  # the reader has left
        return
    except Exception:  # noqa: BLE001 (a damaged file: the reader sees half of it, and says so)
        return
    finally:
        blocks.close()  # type: ignore[attr-defined]
