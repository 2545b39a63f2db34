"""ICE servers of a call: the relay's credentials live for a time and belong to one holder (coturn's REST scheme)."""

import base64
import hashlib
import hmac
import time
from typing import Any
from uuid import UUID

from django.conf import settings

LIFETIME = 6 * 3600  # seconds: longer than any consultation, so that a restart of the connection still finds its relay


def configured() -> bool:
    """Whether this installation has a relay."""
    return bool(settings.ENV["TURN_URLS"] and settings.ENV["TURN_SECRET"])


def credentials(holder: UUID) -> list[dict[str, Any]]:
    """The `iceServers` of an RTCPeerConnection: STUN when set, and the relay with a name and password for `holder`.

    Name ``<expiry>:<opaque>``, password base64(HMAC-SHA1(secret, name)): what coturn's `use-auth-secret` checks.
    The relay learns no id of ours.
    """
    servers: list[dict[str, Any]] = []
    if settings.ENV["STUN_URLS"]:
        servers.append({"urls": settings.ENV["STUN_URLS"]})
    if configured():
        secret = settings.ENV["TURN_SECRET"].encode()
        opaque = hmac.new(secret, holder.bytes, hashlib.sha256).hexdigest()[:16]
        name = f"{int(time.time()) + LIFETIME}:{opaque}"
        password = base64.b64encode(hmac.new(secret, name.encode(), hashlib.sha1).digest()).decode()
        servers.append({"urls": settings.ENV["TURN_URLS"], "username": name, "credential": password})
    return servers
