"""Starts the reader of DICOM, a few at a time, and gives it up when it takes too long: a bomb costs nobody else a page."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

READER = Path(__file__).with_name("reader.py")
TOGETHER = 2  # readers at a time in one process: their memory and their processors stay bounded
PATIENCE = 5.0  # seconds in which one waits for a place
WHOLE = 60.0  # seconds for an answer
MOST_BYTES = 96 << 20  # of an answer
HEAVY = (3, -9, -24)  # out of memory; killed: by us, or by the limit of processor time
KEPT = ("LD_LIBRARY_PATH", "SYSTEMROOT")  # without which some Pythons do not start
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}  # no secret of ours

_places = threading.BoundedSemaphore(TOGETHER)


class Failed(Exception):
    """The reader gave nothing that can be used; says why in one word that the page knows: busy, heavy, unreadable."""


def read(blocks: Iterator[bytes], order: dict[str, Any]) -> bytes:
    """What the reader answers to `order` about the file whose clear bytes are `blocks`. Raises Failed."""
    if not _places.acquire(timeout=PATIENCE):
        raise Failed("busy")
    try:
        return _read(blocks, order)
    finally:
        _places.release()


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
