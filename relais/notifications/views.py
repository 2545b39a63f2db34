"""The door of the SMS gateway: signed receipts, nothing else."""

import hashlib
import hmac
import json
import time
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from relais.core.access import public
from relais.notifications import actions

WINDOW = 300  # seconds that a signature stays good
STATES = {"delivered": True, "failed": False}


@public
@csrf_exempt
@require_POST
def receipt(request: HttpRequest) -> HttpResponse:
    """What became of an SMS (docs/operations/sms-gateway.md). 403 for a signature that is wrong or too old."""
    if not _signed(request):
        return HttpResponse(status=403)
    try:
        body = json.loads(request.body)
        reference, delivered = UUID(str(body["reference"])), STATES[body["status"]]
    except (ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    actions.receipt(reference=reference, delivered=delivered, reason=str(body.get("reason", "")))
    return HttpResponse(status=204)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `timestamp.body`, in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _signed(request: HttpRequest) -> bool:
    secret = settings.ENV["SMS_RECEIPT_SECRET"]
    timestamp = request.headers.get("X-Relais-Timestamp", "")
    given = request.headers.get("X-Relais-Signature", "").removeprefix("sha256=")
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(time.time() - int(timestamp)) > WINDOW:
        return False
    return hmac.compare_digest(sign(secret, timestamp, request.body).encode(), given.encode())
