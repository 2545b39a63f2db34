"""A slow reader of a long file holds no page thread."""

import asyncio
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from django.core.handlers.wsgi import WSGIHandler
from django.http import StreamingHttpResponse

from relais.files import handoff

LONG = 4_000_000


class Site(WSGIHandler):
    """Django's WSGI handler with one page: a long file; `left` is set when the page thread leaves it."""

    def __init__(self) -> None:
        self.left = threading.Event()
        self.pool: ThreadPoolExecutor | None = None
        self.makers: set[str] = set()

    def made(self) -> Iterator[bytes]:
        for _ in range(LONG // 8192):
            self.makers.add(threading.current_thread().name.split("_")[0])
            yield bytes(8192)

    def get_response(self, request: Any) -> StreamingHttpResponse:
        response = handoff.respond(self.made(), "video/mp4", pool=self.pool)
        response._resource_closers.append(self.left.set)
        return response


def fetch(app: Any, on_first_block: Any) -> int:
    size, first = 0, True

    async def run() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "http_version": "1.1",
        }

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict) -> None:
            nonlocal size, first
            if message.get("body") and first:
                first = False
                await on_first_block()
            size += len(message.get("body", b""))

        await app(scope, receive, handoff.sending(scope, send))

    asyncio.run(run())
    return size


def test_the_page_thread_is_free_before_the_first_byte_is_taken() -> None:
    site = Site()
    free: list[bool] = []

    async def wait() -> None:
        free.append(await asyncio.to_thread(site.left.wait, 5))

    assert fetch(WSGIMiddleware(handoff.page(site), workers=1), wait) == LONG // 8192 * 8192
    assert free == [True]


def test_blocks_that_take_their_time_are_made_in_threads_of_their_own() -> None:
    """Readers of images that wait hold none of the threads in which files leave."""
    site = Site()

    async def at_once() -> None:
        pass

    with ThreadPoolExecutor(1, thread_name_prefix="slow") as site.pool:
        assert fetch(WSGIMiddleware(handoff.page(site), workers=1), at_once) == LONG // 8192 * 8192
    assert site.makers == {"slow"}


@pytest.mark.django_db  # a request begins: Django looks at its connections
def test_without_the_asgi_entry_the_same_answer_streams_as_usual() -> None:
    site, told = Site(), []
    environ = {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    parts = handoff.page(site)(environ, lambda status, headers: told.append(status))
    assert sum(map(len, parts)) == LONG // 8192 * 8192
    assert told == ["200 OK"]


def test_an_ordinary_file_of_another_middleware_is_sent_whole() -> None:
    """WhiteNoise gives open files to the same wrapper: style sheets and scripts must arrive."""

    def static(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "300000")])
        return environ["wsgi.file_wrapper"](io.BytesIO(bytes(300_000)), 8192)

    async def at_once() -> None:
        pass

    assert fetch(WSGIMiddleware(handoff.page(static), workers=1), at_once) == 300_000
