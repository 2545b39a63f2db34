"""The link of a meeting: its secret, and the token of a browser that came by it. Rules only: no request, no table."""

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from django.conf import settings

COOKIE = "relais_guest"


def secret_of(meeting_id: UUID, serial: int) -> str:
    """What the link carries after its #: 160 bits that nobody without our key makes; another `serial`, another secret."""
    said = f"relais.meetings.link:{meeting_id}:{serial}".encode()
    digest = hmac.new(settings.SECRET_KEY.encode(), said, hashlib.sha256).digest()[:20]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def opens(meeting_id: UUID, serial: int, secret: str) -> bool:
    """Whether this is the secret of the meeting's present link."""
    return hmac.compare_digest(secret_of(meeting_id, serial).encode(), secret.strip().encode())


def new_token() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What the database keeps of a token: useless to who reads it."""
    return hashlib.sha256(token.encode()).hexdigest()
