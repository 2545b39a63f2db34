"""(b) A patient enters the waiting room: how long until 500 open dashboards of 60 establishments are told, and redrawn."""

import asyncio
import time
from typing import Any
from urllib.parse import urlencode

from bench import servers
from bench.pages import percentile

AIM = 1000.0  # ms, p99
OPENING, LONGEST = 120.0, 10.0  # seconds: for all streams to open; for one entry to be told
STAYS = 10.0  # seconds between two signs of life of a page that waits (rooms/presence.js)
AT_ONCE = 20  # streams opened at a time


class Dashboard:
    """One open dashboard: its stream, and the rows that it draws again when it is told."""

    def __init__(self, port: int, facts: dict[str, Any], watching: dict[str, Any]) -> None:
        self.port, self.facts, self.place = port, facts, watching["place"]
        self.token, self.cookies = watching["token"], watching["cookies"]
        self.told: asyncio.Queue[tuple[float, float]] = asyncio.Queue()  # when it was told, when the rows were there
        self.open = asyncio.Event()
        self._drawing: set[asyncio.Task[None]] = set()

    async def watch(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        query = urlencode({"t": self.token, "since": f"{time.time():.3f}"})
        writer.write(_request("GET", f"{self.facts['stream']}?{query}", self.cookies, Accept="text/event-stream"))
        try:
            name = ""
            while line := (await reader.readline()).decode().strip("\r\n") or not reader.at_eof():
                if line is True:
                    continue
                if line.startswith("HTTP/1.1 ") and " 200 " not in line:
                    raise RuntimeError(f"a stream was refused: {line}")
                if line.startswith("event: "):
                    name = line[7:]
                    self.open.set()
                if line.startswith("data: ") and name == "ping":
                    self._drawing.add(asyncio.create_task(self._redraw(time.perf_counter())))
        finally:
            writer.close()

    async def _redraw(self, told: float) -> None:
        headers = {"HX-Request": "true", "HX-Target": "dashboard-rows"}
        await ask(self.port, _request("GET", self.facts["dashboard"], self.cookies, Connection="close", **headers))
        self.told.put_nowait((told, time.perf_counter()))

    async def heard(self, since: float) -> tuple[float, float]:
        """When it was first told after `since`, and when its rows were there; what it was told before is no answer."""
        while True:
            when, redrawn = await self.told.get()
            if when >= since:
                return when, redrawn


def _request(method: str, path: str, cookies: dict[str, str], body: str = "", **headers: str) -> bytes:
    lines = {
        "Host": "localhost",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["csrftoken"],
        **headers,
    }
    if body:
        lines |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode()


async def ask(port: int, request: bytes) -> None:
    """One request on a line of its own, read to the end; raises when the answer is no success."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"refused: {answer[:200]!r}")


def run(report: dict[str, Any]) -> None:
    """Fill `report["live"]`, and the memory of the web server with all streams open."""
    size = servers.SIZES[-1]
    with servers.running(size) as web:
        before = web.rss()
        facts = servers.facts(size, "streams")
        report["live"] = asyncio.run(_measure(web, facts))
        count = report["live"]["streams"]
        report["memory"][f"web, {size}, before the streams"] = before
        report["memory"][f"web, {size}, {count} streams open"] = report["live"].pop("rss")


async def _measure(web: servers.Web, facts: dict[str, Any]) -> dict[str, Any]:
    boards = [Dashboard(web.port, facts, each) for each in facts["watching"]]
    tasks = []
    async with asyncio.timeout(OPENING):
        for first in range(0, len(boards), AT_ONCE):
            some = boards[first : first + AT_ONCE]
            tasks += [asyncio.create_task(board.watch()) for board in some]
            await asyncio.gather(*(_opened(board, task) for board, task in zip(some, tasks[-len(some) :], strict=True)))
    told: list[float] = []
    drawn: list[float] = []
    lost = 0
    for entry in facts["coming"]:
        waiting = [board for board in boards if board.place == entry["place"]]
        begun = time.perf_counter()
        await ask(web.port, _enter(facts, entry))
        tasks.append(asyncio.create_task(_stay(web.port, facts, entry)))
        for board in waiting:
            try:
                async with asyncio.timeout(LONGEST):
                    when, redrawn = await board.heard(begun)
            except TimeoutError:
                lost += 1
                continue
            told.append((when - begun) * 1000)
            drawn.append((redrawn - begun) * 1000)
        await asyncio.sleep(0.1)
    rss = web.rss()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "streams": len(boards),
        "establishments": len({board.place for board in boards}),
        "entries": len(facts["coming"]),
        "told": len(told),
        "lost": lost,
        "event p50": round(percentile(told, 50)),
        "event p99": round(percentile(told, 99)),
        "rows redrawn p50": round(percentile(drawn, 50)),
        "rows redrawn p99": round(percentile(drawn, 99)),
        "aim": f"p99 ≤ {AIM:g} ms, none lost",
        "met": percentile(drawn, 99) <= AIM and not lost,
        "rss": rss,
    }


async def _stay(port: int, facts: dict[str, Any], entry: dict[str, Any]) -> None:
    """The patient's page says every ten seconds that it is still there; else all would seem to leave together."""
    while True:
        await asyncio.sleep(STAYS)
        await ask(port, _enter(facts, entry))


async def _opened(board: Dashboard, task: asyncio.Task) -> None:
    opened = asyncio.create_task(board.open.wait())
    await asyncio.wait({opened, task}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        opened.cancel()
        task.result()


def _enter(facts: dict[str, Any], entry: dict[str, Any]) -> bytes:
    body = urlencode({"about": entry["about"], "place": "waiting"})
    return _request("POST", facts["presence"], entry["cookies"], body, Connection="close")
