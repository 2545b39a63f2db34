"""What an upload must pass before Django reads it: a size, a deadline, a place. ASGI, so that slow ones hold no thread."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from relais.files.spool import too_large

IDLE = 60.0  # seconds without a byte
WHOLE = 600.0  # seconds for the whole file
PLACES = 64  # uploads at a time in one process

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
SLOW = "L’envoi a été interrompu : la connexion est trop lente. Rapprochez-vous du réseau, puis réessayez."
FULL = "Trop d’envois en même temps : réessayez dans une minute."
UNKNOWN = "Votre session est terminée. Connectez-vous."


class _Stopped(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


class Gate:
    """Stands before the handler of `/upload/`: answers JSON {"error"} itself when an upload may not go on."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self.inside = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        if scope["method"] == "POST" and not _has_cookie(scope["path"], headers.get(b"cookie", b"")):
            await _answer(send, 401, UNKNOWN)
        elif declared.isdigit() and int(declared) > settings.UPLOAD_MAX_BYTES:
            await _answer(send, 413, too_large())
        elif self.inside >= PLACES:
            await _answer(send, 503, FULL)
        else:
            self.inside += 1
            try:
                await self.app(scope, self._watched(receive), send)
            except _Stopped as stopped:
                await _answer(send, stopped.status, stopped.message)
            finally:
                self.inside -= 1

    @staticmethod
    def _watched(receive: Receive) -> Receive:
        end, size, whole = time.monotonic() + WHOLE, 0, False

        async def watched() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()  # the handler waits for a disconnection
            try:
                message = await asyncio.wait_for(receive(), max(0.0, min(IDLE, end - time.monotonic())))
            except TimeoutError:
                raise _Stopped(408, SLOW) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > settings.UPLOAD_MAX_BYTES:
                raise _Stopped(413, too_large())
            return message

        return watched


def _has_cookie(path: str, cookies: bytes) -> bool:
    """A stranger's body is not even read; who the cookie belongs to is the page's question, as everywhere."""
    name = settings.PATIENT_COOKIE_NAME if path.startswith("/upload/p/") else settings.SESSION_COOKIE_NAME
    return any(part.strip().startswith(f"{name}=".encode()) for part in cookies.split(b";"))


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
