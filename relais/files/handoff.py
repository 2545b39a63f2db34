"""Long downloads leave the page threads: the view's thread ends with the headers, the event loop sends the bytes.

Django gives a response with `file_to_stream` to the server's `wsgi.file_wrapper` (PEP 3333): ours lays it in the
ASGI scope and returns nothing; `sending` then streams it where the empty body would have gone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor
from itertools import chain
from typing import Any
from wsgiref.util import FileWrapper

from django.http import StreamingHttpResponse

STALLED = 60.0  # seconds in which a reader takes not one block
ROOM = 1 << 16  # bytes sent at a time
KEY = "relais.handoff"

Send = Callable[[dict[str, Any]], Awaitable[None]]


def respond(blocks: Iterator[bytes], content_type: str, *, pool: Executor | None = None) -> StreamingHttpResponse:
    """An answer whose `blocks` (a generator) the event loop sends; elsewhere, as under test, it streams as usual.

    `pool`: the threads in which the blocks are made when they take their time; those of all files unless given.
    """
    # chain() hides the generator's close, which the response would call when the page thread leaves it.
    response = StreamingHttpResponse(chain(blocks), content_type=content_type)
    response.file_to_stream = Source(blocks, pool)  # type: ignore[attr-defined]
    response.block_size = ROOM  # type: ignore[attr-defined]
    return response


class Source:
    """What a response carries for `wsgi.file_wrapper`; Django gives it the response's `close`."""

    def __init__(self, blocks: Iterator[bytes], pool: Executor | None) -> None:
        self.blocks, self.pool = blocks, pool
        self.close: Callable[[], None] = lambda: None


class _Nothing:
    """The body that the page thread iterates: none. Closing it closes the response, not its blocks."""

    def __init__(self, source: Source) -> None:
        self.close = source.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


def page(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The WSGI application, whose file responses are laid in the ASGI scope."""

    def handing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def wrapper(source: Any, size: int = ROOM) -> Iterable[bytes]:
            if not isinstance(source, Source):
                return FileWrapper(source, size)  # an ordinary file, such as a style sheet (WhiteNoise)
            environ["asgi.scope"][KEY] = source
            return _Nothing(source)

        if "asgi.scope" in environ:
            environ["wsgi.file_wrapper"] = wrapper
        return app(environ, start_response)

    return handing


def sending(scope: Any, send: Any) -> Any:
    """The `send` of a page: where the page handed a file over, its last, empty body becomes the file."""

    async def handed(message: Any) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and (source := scope.pop(KEY, None)):
            await _stream(source, send)
        await send(message)

    return handed


async def _stream(source: Source, send: Send) -> None:
    blocks, run = source.blocks, asyncio.get_running_loop().run_in_executor
    try:
        while body := await run(source.pool, _some, blocks):
            message = {"type": "http.response.body", "body": body, "more_body": True}
            await asyncio.wait_for(send(message), STALLED)
    finally:
        await run(source.pool, blocks.close)  # type: ignore[attr-defined]


def _some(blocks: Iterator[bytes]) -> bytes:
    found = bytearray()
    for block in blocks:
        found += block
        if len(found) >= ROOM:
            break
    return bytes(found)
