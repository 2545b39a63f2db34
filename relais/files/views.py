"""Where a browser sends a file ahead of its form: the body is the file, `X-File-Name` its name (percent-encoded)."""

import asyncio
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from relais.core.access import patient, professional
from relais.core.errors import Refused
from relais.files import spool


async def _spool(request: Any) -> JsonResponse:
    name = unquote(request.headers.get("X-File-Name", ""))[:200]
    try:
        # The handler has the body on disk already; encrypting it is work for a thread.
        return JsonResponse(await asyncio.to_thread(spool.put, request._stream, actor=request.actor, name=name))
    except Refused as refused:
        return JsonResponse({"error": refused.message}, status=400)


@require_POST
@professional()
async def upload(request: HttpRequest) -> JsonResponse:
    """A professional's file, for the form of the page that sent it."""
    return await _spool(request)


@require_POST
@patient
async def patient_upload(request: HttpRequest) -> JsonResponse:
    """The file of a patient, a proxy or a guest of a room."""
    return await _spool(request)
