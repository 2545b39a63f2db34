"""The body of a request to a page, received before a thread is taken: a slow line holds a coroutine, no thread."""

import asyncio
from typing import Any

BODY_MAX = 5_000_000  # bytes; files have their own door, /upload/
# Read beyond it and forgotten: whoever is answered in the middle of sending, nginx too, loses the sentence with the line.
# What nginx lets through (6 MiB) is within.
MARGIN = 1_500_000
BODY_SECONDS = 60.0

TOO_LARGE = (413, "Ce formulaire est trop volumineux. Envoyez les fichiers un par un.")
TOO_SLOW = (408, "Votre envoi a pris trop de temps. Vérifiez la connexion, puis recommencez.")


class Whole:
    """ASGI application around the pages: it gives them requests whose body is complete, or answers 413 or 408."""

    def __init__(self, pages: Any) -> None:
        self.pages = pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self.pages(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive)
        except TimeoutError:
            await _refuse(send, *TOO_SLOW)
            return
        except OverflowError:
            await _refuse(send, *TOO_LARGE)
            return
        if body is not None:
            await self.pages(scope, _given(body, receive), send)


def _has_body(scope: Any) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def _read(receive: Any) -> bytes | None:
    """The whole body; None when the visitor left. Raises OverflowError beyond BODY_MAX."""
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_MAX:
            body += part
        last = not message.get("more_body", False)
        if size > BODY_MAX and (last or size > BODY_MAX + MARGIN):
            raise OverflowError
        if last:
            return bytes(body)


def _given(body: bytes, receive: Any) -> Any:
    """A `receive` that hands out the body once, then what comes after it (the end of the connection)."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_again


async def _refuse(send: Any, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})
