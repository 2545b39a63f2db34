"""Answers closed on a device without network for this server alone to open.

A key pair made for each answer set and the server's public key (ECDH, P-256) give a key (HKDF-SHA256) for AES-256-GCM;
what they are for (`purpose`), whose they are and the id of the sending are authenticated with them. The key file (ANSWERS_KEY_FILE) holds
private keys in PEM, several at a time: the first is handed out, each opens what was closed for it.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from relais.core import keys
from relais.core.errors import Refused
from relais.core.reading import FIRST, LAST

CURVE = ec.SECP256R1()
CLOCK = timedelta(minutes=5)  # what a device's clock may be wrong by before its times are moved
MOST = 200_000  # bytes of a sending: a whole form with free texts has some 10,000
PEM = re.compile(r"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL)


class Damaged(Refused):
    """What came cannot be read: it was changed on the way, or was never sealed answers."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Ces réponses sont arrivées abîmées : elles ne peuvent pas être lues. Répondez de nouveau, s’il vous plaît."
            )
        )


def parsed(body: bytes) -> Any:
    """The JSON of a sending. Raises Damaged for what is none, or too long to be one."""
    if len(body) > MOST:
        raise Damaged
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Damaged from None


@dataclass(frozen=True)
class Envelope:
    """What a device sends: readable but for `box`."""

    purpose: str  # of which workflow: what was closed for one opens in no other
    key: str  # which key of the server it was closed for
    whose: UUID
    request: UUID  # one sending, however often it comes
    point: bytes  # the public half of the key pair made for it
    iv: bytes
    box: bytes

    @classmethod
    def read(cls, given: Any, *, purpose: str, whose: str = "whose") -> "Envelope":
        """From JSON; `whose` names its field of that meaning. Raises Damaged."""
        try:
            return cls(
                purpose, str(given["key"]), UUID(given[whose]), UUID(given["request"]),
                _bytes(given["point"]), _bytes(given["iv"]), _bytes(given["box"]),
            )  # fmt: skip
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Damaged from None

    @property
    def said(self) -> bytes:
        """What is readable and may not be changed."""
        return "|".join([self.purpose, self.key, str(self.whose), str(self.request)]).encode()


def public() -> dict[str, str] | None:
    """{id, point}: the key for which devices close now; None in an installation that has made none."""
    found = list(_keys().items())
    return {"id": found[0][0], "point": text_of(point_of(found[0][1]))} if found else None


def unseal(envelope: Envelope) -> Mapping[str, Any]:
    """What was closed. Raises Damaged, or Refused for a key that this server no longer has."""
    private = _keys().get(envelope.key)
    if private is None:
        raise Refused(
            _(
                "Ces réponses ont été fermées avec une clé que le serveur n’a plus. Répondez de nouveau, s’il vous plaît."
            )
        )
    try:
        other = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, envelope.point)
        cipher = AESGCM(derive(private.exchange(ec.ECDH(), other), envelope.point, envelope.purpose))
        content = json.loads(cipher.decrypt(envelope.iv, envelope.box, envelope.said))
    except (InvalidTag, ValueError, RecursionError):
        raise Damaged from None
    if not isinstance(content, dict):
        raise Damaged
    return content


def put_right(
    content: Mapping[str, Any], device_at: Any, first: datetime, now: datetime
) -> tuple[datetime, datetime, datetime | None]:
    """(started, ended, device): when what was closed was begun and finished, by the device's clock as it sends.

    Both are moved by as much as that clock is wrong beyond CLOCK; never after now, nor before `first`. Raises Damaged.
    """
    device = _moment(device_at)
    wrong = now - device if device else timedelta()
    moved = wrong if abs(wrong) > CLOCK else timedelta()
    ended, started = _moment(content.get("ended_at")), _moment(content.get("started_at"))
    if ended is None:
        raise Damaged
    try:
        ended, started = ended + moved, (started or ended) + moved
    except OverflowError:
        raise Damaged from None
    ended = min(max(ended, first), now)
    return min(max(started, first), ended), ended, device


def _moment(text: Any) -> datetime | None:
    """An instant in UTC of the years that are read: at either end of the calendar a row could be kept and never read."""
    try:
        found = parse_datetime(str(text))
        instant = found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return instant if instant and FIRST <= instant.date() < LAST else None


def derive(shared: bytes, point: bytes, purpose: str) -> bytes:
    """The key of one answer set."""
    return HKDF(hashes.SHA256(), 32, salt=point, info=purpose.encode()).derive(shared)


def point_of(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _keys() -> dict[str, ec.EllipticCurvePrivateKey]:
    """The keys of the file by their id, the first first. A demo makes its own; production without one offers none.

    A file that changes is read anew: a process that began before a new key does not refuse what was closed for it.
    """
    path: Path = settings.ANSWERS_KEY_FILE
    if not path.exists():
        if settings.PRODUCTION:
            return {}
        make_key(path)
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, ec.EllipticCurvePrivateKey]:
    if path.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"ANSWERS_KEY_FILE: others may read {path}. Run `chmod 600` on it.")
    found = [serialization.load_pem_private_key(one.encode(), None) for one in PEM.findall(path.read_text())]
    return {sha256(point_of(one)).hexdigest()[:16]: one for one in found if isinstance(one, ec.EllipticCurvePrivateKey)}


def make_key(path: Path) -> None:
    """Make the key once. Never replaces one: what waits on devices could not be read any more."""
    keys.make_once(path, new_key())


def new_key() -> str:
    """A private key as its file holds it."""
    return (
        ec.generate_private_key(CURVE)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
