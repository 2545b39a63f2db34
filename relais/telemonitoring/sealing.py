"""Answers closed on a telephone without network for this server alone to open.

A key pair made for each answer set and the server's public key (ECDH, P-256) give a key (HKDF-SHA256) for AES-256-GCM;
whose answers they are and the id of the sending are authenticated with them. The key file (ANSWERS_KEY_FILE) holds
private keys in PEM, several at a time: the first is handed out, each opens what was closed for it.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
from django.utils.translation import gettext as _

from relais.core import keys
from relais.core.errors import Refused

CURVE = ec.SECP256R1()
PURPOSE = "relais-suivi-1"
PEM = re.compile(r"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL)


class Damaged(Refused):
    """What came cannot be read: it was changed on the way, or was never sealed answers."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Ces réponses sont arrivées abîmées : elles ne peuvent pas être lues. Répondez de nouveau, s’il vous plaît."
            )
        )


@dataclass(frozen=True)
class Envelope:
    """What a telephone sends: readable but for `box`."""

    key: str  # which key of the server it was closed for
    grant: UUID  # whose answers
    request: UUID  # one sending, however often it comes
    point: bytes  # the public half of the key pair made for it
    iv: bytes
    box: bytes

    @classmethod
    def read(cls, given: Any) -> "Envelope":
        """Raises Damaged."""
        try:
            return cls(
                str(given["key"]), UUID(given["grant"]), UUID(given["request"]),
                _bytes(given["point"]), _bytes(given["iv"]), _bytes(given["box"]),
            )  # fmt: skip
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Damaged from None

    @property
    def said(self) -> bytes:
        """What is readable and may not be changed."""
        return "|".join([PURPOSE, self.key, str(self.grant), str(self.request)]).encode()


def public() -> dict[str, str] | None:
    """{id, point}: the key for which telephones close now; None in an installation that has made none."""
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
        cipher = AESGCM(derive(private.exchange(ec.ECDH(), other), envelope.point))
        content = json.loads(cipher.decrypt(envelope.iv, envelope.box, envelope.said))
    except (InvalidTag, ValueError, RecursionError):
        raise Damaged from None
    if not isinstance(content, dict):
        raise Damaged
    return content


def derive(shared: bytes, point: bytes) -> bytes:
    """The key of one answer set."""
    return HKDF(hashes.SHA256(), 32, salt=point, info=PURPOSE.encode()).derive(shared)


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
    """Make the key once. Never replaces one: what waits on telephones could not be read any more."""
    keys.make_once(path, new_key())


def new_key() -> str:
    """A private key as its file holds it."""
    return (
        ec.generate_private_key(CURVE)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
