"""One LISTEN connection for each web process, and its fan-out to the streams of that process.

Lives on the event loop that first asks for it. A burst on one topic reaches the pages once a second; urgent pings
go at once. When the database connection is lost the streams are told, and told again once it is back.
"""

import asyncio
import contextlib
import json
import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.db import close_old_connections, connections

from relais.core.live import CHANNEL

logger = logging.getLogger(__name__)

GATHER = 1.0  # seconds in which the pings of a topic become one
REMEMBER = 120.0  # seconds for which a page that subscribes late is told what it missed
ALIVE = 20.0  # seconds without a ping before the connection is tried
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
TICK = 5.0
LOST, AGAIN, END = "lost", "again", "end"

Work = Callable[[], None]
ticks: list[Work] = []  # what modules want done every TICK seconds while somebody watches (see rooms.apps)


class Stream:
    """What one page has not been told yet: at most one entry a topic, however slow the page."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._pings: dict[str, bool] = {}
        self._notice: str | None = None
        self._wake = asyncio.Event()

    def tell(self, topic: str, *, urgent: bool) -> None:
        self._pings[topic] = urgent or self._pings.get(topic, False)
        self._wake.set()

    def note(self, notice: str) -> None:
        """LOST: pings may be missing from now on. AGAIN: refetch everything. END: this stream is over."""
        self._notice = notice
        self._wake.set()

    async def next(self, timeout: float) -> tuple[str | None, dict[str, bool]]:
        """The notice and the pings since the last call, after at most `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), timeout)
        self._wake.clear()
        notice, pings = self._notice, self._pings
        self._notice, self._pings = None, {}
        return notice, pings


class Hub:
    """Streams by topic, fed by one connection to the database."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.streams: set[Stream] = set()
        self.worker = ThreadPoolExecutor(1, "live")  # one database connection for all checks of this process
        self.closed = False
        self._topics: dict[str, set[Stream]] = {}
        self._recent: dict[str, float] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._listening_since: float | None = None
        self._tasks = [self.loop.create_task(self._listen()), self.loop.create_task(self._tick())]
        self._end_on_signals()

    def subscribe(self, topics: frozenset[str], since: float) -> Stream:
        """A stream of `topics` that begins with what was pinged after `since` (seconds since 1970)."""
        stream = Stream(topics)
        self.streams.add(stream)
        for topic in topics:
            self._topics.setdefault(topic, set()).add(stream)
        if self._listening_since is None:
            stream.note(LOST)
        elif since < max(self._listening_since, time.time() - REMEMBER):
            stream.note(AGAIN)
        else:
            for topic in topics:
                if self._recent.get(topic, 0.0) >= since:
                    stream.tell(topic, urgent=True)
        return stream

    def unsubscribe(self, stream: Stream) -> None:
        self.streams.discard(stream)
        for topic in stream.topics:
            watchers = self._topics.get(topic)
            if watchers:
                watchers.discard(stream)
                if not watchers:
                    del self._topics[topic]

    async def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run database work in this process's one thread for it."""
        return await self.loop.run_in_executor(self.worker, _with_connection, work, arguments)

    def close(self) -> None:
        """End every stream: pages connect again, to the process that takes over."""
        if self.closed:
            return
        self.closed = True
        for task in self._tasks:
            task.cancel()
        for stream in self.streams:
            stream.note(END)
        self.worker.submit(connections.close_all)
        self.worker.shutdown(wait=False)

    def heard(self, topic: str, *, urgent: bool) -> None:
        """A ping came in: pass it on now, or at the end of the second that the last one of this topic began."""
        now = time.time()
        last = self._recent.get(topic, 0.0)
        self._recent[topic] = now
        if urgent or now - last >= GATHER:
            self._pass_on(topic, urgent=urgent)
        elif topic not in self._due:
            self._due[topic] = self.loop.call_later(GATHER - (now - last), self._pass_on_late, topic)

    def _pass_on_late(self, topic: str) -> None:
        self._due.pop(topic, None)
        self._pass_on(topic, urgent=False)

    def _pass_on(self, topic: str, *, urgent: bool) -> None:
        for stream in self._topics.get(topic, ()):
            stream.tell(topic, urgent=urgent)

    async def _listen(self) -> None:
        tries = 0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._found()
                    tries = 0
                    await self._follow(connection)
            except (psycopg.Error, OSError) as error:
                logger.warning("Live pings: connection lost (%s), trying again", type(error).__name__)
            self._lost()
            await asyncio.sleep(BACK_OFF[min(tries, len(BACK_OFF) - 1)])
            tries += 1

    async def _follow(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            async for notify in connection.notifies(timeout=ALIVE):
                payload = json.loads(notify.payload)
                self.heard(payload["topic"], urgent=payload["urgent"])
            await asyncio.wait_for(connection.execute("SELECT 1"), ALIVE)

    def _found(self) -> None:
        self._listening_since = time.time()
        for stream in self.streams:
            stream.note(AGAIN)

    def _lost(self) -> None:
        self._listening_since = None
        for stream in self.streams:
            stream.note(LOST)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            oldest = time.time() - REMEMBER
            self._recent = {topic: at for topic, at in self._recent.items() if at >= oldest}
            for work in ticks if self.streams and self._listening_since else []:
                try:
                    await self.run(work)
                except Exception:
                    logger.exception("Live: %s failed", work.__name__)

    def _end_on_signals(self) -> None:
        """Streams end with the server instead of keeping it waiting; its own handlers run next."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            following = signal.getsignal(number)

            def handle(number: int, frame: Any, following: Any = following) -> None:
                self.loop.call_soon_threadsafe(self.close)
                if callable(following):
                    following(number, frame)

            if callable(following):
                signal.signal(number, handle)


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of the running loop, started by the first who asks."""
    global _hub  # noqa: PLW0603 (one a process; a new loop, as in tests, gets its own)
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        _hub = Hub()
    return _hub


def _parameters() -> dict[str, Any]:
    known = connections["default"].get_connection_params()
    kept = {key: value for key, value in known.items() if key not in ("cursor_factory", "context", "prepare_threshold")}
    return {**kept, "application_name": "relais live", "connect_timeout": 10}


def _with_connection(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    close_old_connections()
    try:
        return work(*arguments)
    finally:
        close_old_connections()
