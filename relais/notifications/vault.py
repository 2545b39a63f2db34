"""Secrets at rest: encrypted with a key that does not lie in the database (SECRETS_KEY_FILE)."""

import base64
import hashlib
import json
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings

from relais.core import embedded


def seal(values: dict[str, Any]) -> bytes:
    """`values` (JSON) encrypted and authenticated."""
    return _cipher(settings.SECRETS_KEY_FILE).encrypt(json.dumps(values).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, Any]:
    """What `seal` was given. Raises cryptography.fernet.InvalidToken under another key."""
    return json.loads(_cipher(settings.SECRETS_KEY_FILE).decrypt(bytes(sealed)))


def make_key() -> bool:
    """Make the key when there is none; whether it did. Never replaces one: what waits could not be read any more."""
    made = not settings.SECRETS_KEY_FILE.exists()
    _key(settings.SECRETS_KEY_FILE)
    return made


@cache
def _cipher(path: Path) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(_key(path)).digest()))


def _key(path: Path) -> bytes:
    """The content of the key file, made (0600) by whoever needs it first."""
    if not path.exists():
        _make_folder(path.parent)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass  # another process was faster: its key is the one
        finally:
            fresh.unlink()
    return path.read_bytes()


def _make_folder(folder: Path) -> None:
    if folder.parent == settings.HOME:
        embedded.make_home(settings.HOME)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
