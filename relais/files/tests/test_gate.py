"""Uploads on a real socket-like channel: size, deadlines, places; pages stay fast meanwhile."""

import asyncio
import json
from typing import Any

import pytest

from relais.files import gate
from relais.files.gate import Gate

COOKIE = (b"cookie", b"relais_session=abc")


class Handler:
    """Stands for Django: reads the whole body, then answers."""

    def __init__(self) -> None:
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


def send(*parts: bytes, headers: Any = (COOKIE,), path: str = "/upload/", pause: float = 0.0, to: Any = None) -> tuple:
    """Send `parts`, one message each with a pause between; returns status, JSON and the handler."""
    handler = Handler()
    app, sent = to or Gate(handler), []

    async def run() -> None:
        left = list(parts)

        async def receive() -> dict:
            await asyncio.sleep(pause)
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def answer(message: dict) -> None:
            sent.append(message)

        await app({"type": "http", "method": "POST", "path": path, "headers": list(headers)}, receive, answer)

    asyncio.run(run())
    return sent[0]["status"], json.loads(sent[1]["body"]), handler


def test_a_body_of_the_largest_size_goes_through_whole(settings) -> None:
    settings.UPLOAD_MAX_BYTES = 10
    status, _, handler = send(b"12345", b"67890")
    assert (status, handler.body) == (200, b"1234567890")


def test_a_body_one_byte_larger_is_cut(settings) -> None:
    settings.UPLOAD_MAX_BYTES = 10
    status, told, _ = send(b"12345", b"678901")
    assert (status, "dépasse" in told["error"]) == (413, True)


def test_a_body_that_says_it_is_too_large_is_not_read(settings) -> None:
    settings.UPLOAD_MAX_BYTES = 10
    status, _, handler = send(b"1", headers=[COOKIE, (b"content-length", b"11")])
    assert (status, handler.body) == (413, b"")


def test_a_sender_that_falls_silent_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "IDLE", 0.05)
    status, told, _ = send(b"1", b"2", pause=0.3)
    assert (status, "trop lente" in told["error"]) == (408, True)


def test_a_sender_that_drips_is_cut_at_the_end_of_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "WHOLE", 0.1)
    status, _, _ = send(*[b"1"] * 20, pause=0.03)
    assert status == 408


@pytest.mark.parametrize(
    ("path", "cookie", "status"),
    [
        ("/upload/", b"relais_session=a", 200),
        ("/upload/", b"relais_patient=a", 401),
        ("/upload/", b"", 401),
        ("/upload/p/", b"x=1; relais_patient=a", 200),
        ("/upload/p/", b"relais_session=a", 401),
    ],
)
def test_a_stranger_s_body_is_not_read(path: str, cookie: bytes, status: int) -> None:
    found, _, handler = send(b"x", path=path, headers=[(b"cookie", cookie)])
    assert (found, bool(handler.body)) == (status, status == 200)


def test_beyond_its_places_the_gate_asks_to_try_again_and_frees_each_place() -> None:
    app = Gate(Handler())
    app.inside = gate.PLACES
    assert send(b"x", to=app)[0] == 503
    app.inside = gate.PLACES - 1
    assert send(b"x", to=app)[0] == 200
    assert app.inside == gate.PLACES - 1
