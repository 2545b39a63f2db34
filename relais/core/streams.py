"""Server-sent events under /live/: pings for the topics that a page shows signed tokens for."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import SyncToAsync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished
from django.db import connections
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse

from relais.core import health, listener
from relais.core.access import anyone_inside
from relais.core.live import Expired, unsign

BEAT = 15.0  # seconds between two signs of life, by which a page notices a dead line
CHECK = 60.0  # seconds between two looks at the session or the grant
TOPICS_MAX = 400
KEPT_HEADERS = ("HTTP_HOST", "HTTP_COOKIE", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT")  # fmt: skip


@anyone_inside
async def stream(request: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """GET /live/stream?t=<token>&t=…&since=<seconds>: an endless text/event-stream.

    Events: `ping` {"topic", "urgent"}; `beat`; `late` (the scheduler is, told again each minute); `lost` (pings may be missing), `again` (refetch all), `end`
    (connect again), `out` (session or grant over: do not) and `old` {"tokens"}: these have expired, the pages that show
    them must be loaded again; the stream goes on with the others. A token may hold several topics, separated by spaces.
    400 for a wrong token.
    """
    tokens = request.GET.getlist("t")
    found, old = _read(tokens)
    topics = frozenset(topic for topics in found if topics for topic in topics.split(" "))
    if not tokens or None in found or len(topics) > TOPICS_MAX:
        return HttpResponseBadRequest("token")
    await sync_to_async(connections.close_all)()
    first = _event("old", {"tokens": old}) if old else ""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if not topics:
        return HttpResponse(first, content_type="text/event-stream", headers=headers)
    _let_thread_go()
    events = _events(request, topics, _since(request), first)
    return StreamingHttpResponse(events, content_type="text/event-stream", headers=headers)


@receiver(request_finished, sender=ASGIHandler)
def _leave_no_connection(**kwargs: Any) -> None:
    """Each async request has a thread of its own: a connection kept for the next one would never be used again."""
    connections.close_all()


@anyone_inside
def check(request: HttpRequest) -> HttpResponse:
    """204 to whoever may have a stream: what `_still_inside` asks, through every middleware."""
    return HttpResponse(status=204)


def _let_thread_go() -> None:
    """End the thread that Django keeps for this request: a stream has no more work for it, and there are hundreds."""
    try:
        thread = SyncToAsync.context_to_thread_executor.pop(SyncToAsync.thread_sensitive_context.get())
    except LookupError:
        return  # not served by Django's ASGI handler
    thread.shutdown(wait=False)


def _since(request: HttpRequest) -> float:
    try:
        return float(request.GET.get("since", ""))
    except ValueError:
        return time.time()


def _read(tokens: list[str]) -> tuple[list[str | None], list[str]]:
    """What the tokens hold (None for a wrong one), without those that have expired, which come second."""
    found, old = [], []
    for token in tokens:
        try:
            found.append(unsign(token))
        except Expired:
            old.append(token)
    return found, old


async def _events(request: HttpRequest, topics: frozenset[str], since: float, first: str) -> AsyncIterator[str]:
    hub = listener.hub()
    line = hub.subscribe(topics, since)
    checked = time.monotonic() - spread()
    try:
        yield first + _event("beat")
        while not hub.closed:
            notice, pings = await line.next(min(BEAT, max(0.05, CHECK - (time.monotonic() - checked))))
            if time.monotonic() - checked >= CHECK:
                checked = time.monotonic()
                if not hub.closed and not await hub.run(_still_inside, request):
                    yield _event("out")
                    return
                if not hub.closed and await hub.run(health.scheduler_late):
                    yield _event("late")
            if notice:
                yield _event(notice)
            if notice == listener.END:
                return
            for topic, urgent in pings.items():
                yield _event("ping", {"topic": topic, "urgent": urgent})
            if not pings and not notice:
                yield _event("beat")
    except asyncio.CancelledError:
        return
    finally:
        hub.unsubscribe(line)


def spread() -> float:
    """How much sooner the first look comes, up to a minute: streams that opened together do not all look together."""
    return random.uniform(0, CHECK)  # noqa: S311 (no secret)


def _event(name: str, data: dict[str, Any] | None = None) -> str:
    return f"event: {name}\nid: {time.time():.3f}\ndata: {json.dumps(data or {})}\n\n"


_pages: BaseHandler | None = None


def _still_inside(original: HttpRequest) -> bool:
    """Whether the same cookies still open the door: the one that every page passes, so that rules are not written twice."""
    global _pages  # noqa: PLW0603 (built once, by the thread that checks)
    if _pages is None:
        _pages = BaseHandler()
        _pages.load_middleware()
    request = HttpRequest()
    request.method = "GET"
    request.path = request.path_info = original.path.replace("stream", "check")
    request.META = {key: original.META[key] for key in KEPT_HEADERS if key in original.META}
    request.META["REQUEST_METHOD"] = "GET"
    request.COOKIES = dict(original.COOKIES)
    response = _pages.get_response(request)
    response.close()
    return response.status_code == 204
