"""The encrypted files on disk (age, with the keys of FILES_KEY_FILE). A file is whole on disk before its row is committed."""

import os
import queue
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from uuid import UUID

import pyrage
from django.conf import settings

from relais.core import keys

BLOCKS = 32  # decrypted blocks (of 8 KB) that wait for a slow reader


def path_of(pk: UUID) -> Path:
    """Where the file lies: 256 folders, named by the first two hexadecimal digits."""
    return settings.FILES_DIR / pk.hex[:2] / f"{pk}.age"


def write(stream: IO[bytes], path: Path) -> None:
    """Encrypt `stream` into `path`, on disk for good when this returns; nothing half-written bears that name."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            pyrage.encrypt_io(stream, target, [keys.recipient(settings.FILES_KEY_FILE)])
            target.flush()
            os.fsync(target.fileno())
        fresh.rename(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def decrypt(path: Path, target: IO[bytes]) -> None:
    """Write the clear bytes of `path` into `target`; raises pyrage.DecryptError or OSError when it was tampered with."""
    with path.open("rb") as source:
        pyrage.decrypt_io(source, target, list(keys.identities(settings.FILES_KEY_FILE)))


def stream(path: Path) -> Iterator[bytes]:
    """The clear bytes of `path`, block by block: a thread of its own decrypts no faster than they are read."""
    blocks: queue.Queue[bytes | Exception | None] = queue.Queue(BLOCKS)
    left = threading.Event()
    path.stat()  # a missing file is told before the first byte

    class Target:
        def write(self, block: bytes) -> int:
            while not left.is_set():
                try:
                    blocks.put(bytes(block), timeout=0.5)
                except queue.Full:
                    continue
                return len(block)
            raise BrokenPipeError

        def flush(self) -> None:
            return None

    def work() -> None:
        end: Exception | None = None
        try:
            decrypt(path, Target())  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 (handed to the reader, which raises it)
            end = error
        while not left.is_set():
            try:
                blocks.put(end, timeout=0.5)
            except queue.Full:
                continue
            return

    return _drain(blocks, left, threading.Thread(target=work, name="decrypt", daemon=True))


def _drain(blocks: queue.Queue, left: threading.Event, worker: threading.Thread) -> Iterator[bytes]:
    worker.start()
    try:
        while (block := blocks.get()) is not None:
            if isinstance(block, Exception):
                raise block
            yield block
    finally:
        left.set()


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def older_than(seconds: float) -> Iterator[Path]:
    """Files, whole or half-written, last changed that long ago."""
    limit = time.time() - seconds
    for path in settings.FILES_DIR.glob("[0-9a-f][0-9a-f]/*"):
        if path.stat().st_mtime < limit:
            yield path


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
