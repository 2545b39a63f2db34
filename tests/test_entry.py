"""The entry of the web server: slow and oversized bodies never reach a page's thread."""

import asyncio
from typing import Any

import pytest

from config import body


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the body that it received in one message."""
    message = await receive()
    assert message["more_body"] is False
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def ask(chunks: list[bytes | float | None]) -> tuple[int, bytes] | None:
    """Status and body of the answer to a POST; a number is a pause in seconds, None a visitor who leaves."""
    sent: list[dict] = []
    waiting = list(chunks)

    async def receive() -> dict:
        while isinstance(waiting[0], float):
            await asyncio.sleep(waiting.pop(0))
        chunk = waiting.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"transfer-encoding", b"chunked")]}
    asyncio.run(body.Whole(pages)(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"]) if sent else None


def test_a_body_in_pieces_reaches_the_page_whole() -> None:
    assert ask([b"one ", b"two ", b"three"]) == (200, b"one two three")


def test_a_slow_body_is_refused_and_no_page_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)
    assert ask([b"one", 0.5, b"two"]) == (408, body.TOO_SLOW[1].encode())


def test_a_body_too_large_is_refused_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_MAX", 10)
    assert ask([b"12345", b"67890"]) == (200, b"1234567890")
    assert ask([b"12345", b"67890", b"1", b"2"]) == (413, body.TOO_LARGE[1].encode())


def test_what_is_a_little_too_large_is_read_to_its_end_so_that_the_sentence_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "BODY_MAX", 2)
    monkeypatch.setattr(body, "MARGIN", 2)
    assert ask([b"12", b"3", None]) is None, "read on, although it is too large"
    assert ask([b"12", b"3", b"4"]) == (413, body.TOO_LARGE[1].encode())
    assert ask([b"12", b"3", b"4", b"5", None]) == (413, body.TOO_LARGE[1].encode()), "but not without end"


def test_a_visitor_who_leaves_in_the_middle_costs_nothing() -> None:
    assert ask([b"one", None]) is None
