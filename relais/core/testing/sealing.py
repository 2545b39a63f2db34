"""What a device closes without network, as core/offline/seal.js does."""

import base64
import json
import os
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from relais.core import sealing


def close(purpose: str, whose: UUID, request: UUID, content: dict[str, Any]) -> dict[str, Any]:
    """The envelope as JSON, without the field that says whose it is."""
    server = sealing.public() or {}
    mine = ec.generate_private_key(sealing.CURVE)
    their_point = base64.urlsafe_b64decode(server["point"] + "=")
    other = ec.EllipticCurvePublicKey.from_encoded_point(sealing.CURVE, their_point)
    point, iv = sealing.point_of(mine), os.urandom(12)
    readable = "|".join([purpose, server["id"], str(whose), str(request)]).encode()
    cipher = AESGCM(sealing.derive(mine.exchange(ec.ECDH(), other), point, purpose))
    box = cipher.encrypt(iv, json.dumps(content).encode(), readable)
    return {
        "key": server["id"], "request": str(request), "point": sealing.text_of(point), "iv": sealing.text_of(iv),
        "box": sealing.text_of(box),
    }  # fmt: skip
