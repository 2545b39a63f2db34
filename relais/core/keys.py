"""Key files of what is encrypted at rest (age, X25519): made once, readable by their owner alone, several at a time."""

import os
import secrets
from functools import lru_cache
from pathlib import Path

import pyrage
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PREFIX = "AGE-SECRET-KEY-"


def identities(path: Path) -> tuple[pyrage.x25519.Identity, ...]:
    """The keys of the file, one a line: the first encrypts, each of them decrypts (that is how one changes keys).

    A demo makes its own. Raises ImproperlyConfigured with one sentence when the file is missing in production, open
    to others, or holds no key.
    """
    return _read(path)


def recipient(path: Path) -> pyrage.x25519.Recipient:
    """The public half of the key that encrypts now."""
    return identities(path)[0].to_public()


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[pyrage.x25519.Identity, ...]:
    if not path.exists():
        if settings.PRODUCTION:
            raise ImproperlyConfigured(f"FILES_KEY_FILE: {path} is missing. Make it with `manage.py files_key`.")
        make(path)
    if path.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"FILES_KEY_FILE: others may read {path}. Run `chmod 600` on it.")
    if not (found := parse(path.read_text())):
        raise ImproperlyConfigured(f"FILES_KEY_FILE: {path} holds no key.")
    return found


def parse(text: str) -> tuple[pyrage.x25519.Identity, ...]:
    """The keys of a key file's text; other lines are comments."""
    lines = [line.strip() for line in text.splitlines()]
    return tuple(pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(PREFIX))


def make(path: Path) -> None:
    """Make the key once, 0600; when two processes do at a time, one key is kept. Never replaces one."""
    make_once(path, f"{pyrage.x25519.Identity.generate()}\n")


def make_once(path: Path, text: str) -> None:
    """A key file of this content, unless there is one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_private(fresh, text)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def put(path: Path, text: str) -> None:
    """Give a key file another content (a restore); what it held is kept beside it as `.replaced`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_private(fresh, text)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.replaced"))
    fresh.replace(path)
    _read.cache_clear()
