"""(f) Telemonitoring: answers stored with their alert, the cell's list of 12,000 patients, and a storm of answers."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from bench import servers
from bench.counting import ASKED, QUERIES, ROWS
from bench.live import OPENING, _request
from bench.pages import Browser, percentile

SIZE = "stress"
ROUNDS, WARM, COUNTED = 60, 6, 3
LIST_AIM, QUERY_AIM, ANSWER_AIM, RED_AIM, SHARE_AIM = 250.0, 12, 150.0, 2000.0, 0.2  # ms, queries, ms, ms, of bare rows
REPLAY_AIM, FILE_AIM = 10.0, 10.0  # seconds; of a file: what people see of it and what they send, together
ALONE = 60  # answers sent one after the other
PROCESSES = os.cpu_count() or 1  # web processes under the storm: one a core, as docs/operations/growing.md says
RATE = 12_000 / 300  # a second: everybody's answers of two hours within five minutes
SECONDS = 60.0  # of the storm: at this rate, a fifth of the five minutes
RED_EVERY = 3.0  # seconds; few enough that all of them stand on the first page of the list
LAST_WAIT = 20.0
KEPT = b"/p/suivi/consigne/"  # where an answer that was kept leads; one that was not leads home, or to the door


def run(report: dict[str, Any]) -> None:
    """Fill `report["follow-ups"]`, and the memory of the web server before and under the storm."""
    found = report["follow-ups"] = {"patients followed": servers.facts(SIZE, "followed")["count"]}
    found |= _told("storing")
    found["share met"] = found["share of bare"] >= SHARE_AIM
    found |= _told("replaying")
    found["replay met"] = found["replay, two compared, s"] <= REPLAY_AIM
    found |= _told("including")
    found["file met"] = found["file of 1,000 lines, preview, s"] + found["file of 1,000 lines, included, s"] <= FILE_AIM
    with servers.running(SIZE) as web:
        facts = servers.facts(SIZE, "storm")
        found |= _list(web, facts)
        found |= _alone(web, facts)
        report["memory"][f"web, {SIZE}, before the storm"] = web.rss()
        with contextlib.ExitStack() as others:
            webs = [web, *(others.enter_context(servers.running(SIZE)) for _more in range(PROCESSES - 1))]
            found |= asyncio.run(Storm(webs, facts).run())
        report["memory"][f"web, {SIZE}, under the storm (most, of {PROCESSES})"] = found.pop("rss")


def _told(name: str) -> dict[str, Any]:
    """What a measurement of the bench tells from a process of its own, without a page."""
    made = subprocess.run(
        [sys.executable, "-m", f"bench.{name}"], cwd=servers.ROOT, env=servers.environment(SIZE), check=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def _list(web: servers.Web, facts: dict[str, Any]) -> dict[str, Any]:
    """The cell's list as a page and as the fragment that is drawn again."""
    browser = Browser(web.port, facts["screens"][0])
    found: dict[str, Any] = {}
    fragment = {"HX-Request": "true", "HX-Target": "cell-rows"}
    for name, headers in (("list", {}), ("list, rows again", fragment)):
        for _round in range(WARM):
            browser.ask(facts["list"], headers)
        times, beside = [], []
        for _round in range(ROUNDS):
            beside.append(browser.ask(facts["calibration"], {}).ms)
            times.append(browser.ask(facts["list"], headers).ms)
        counted = [browser.ask(facts["list"], {**headers, ASKED: "1"}).headers for _time in range(COUNTED)]
        found |= {
            f"{name} p50": round(percentile(times, 50)),
            f"{name} p95": round(percentile(times, 95)),
            f"{name} ratio": round(percentile(times, 50) / percentile(beside, 50), 2),
            f"{name} queries": max(int(each[QUERIES]) for each in counted),
            f"{name} rows read": max(int(each[ROWS]) for each in counted),
        }
        found[f"{name} met"] = found[f"{name} p95"] <= LIST_AIM and found[f"{name} queries"] <= QUERY_AIM
    return found


def _alone(web: servers.Web, facts: dict[str, Any]) -> dict[str, Any]:
    """Answers sent one after the other, each until its redirection."""
    times = []
    for patient in facts["patients"][-ALONE:]:
        browser = Browser(web.port, patient["cookies"])
        times.append(browser.ask(facts["answer"], {}, _form(facts, patient, red=False), 302).ms)
        browser.line.close()
    return {
        "answer sent p50": round(percentile(times, 50)),
        "answer sent p95": round(percentile(times, 95)),
        "answer sent met": percentile(times, 95) <= ANSWER_AIM,
    }


def _form(facts: dict[str, Any], patient: dict[str, Any], *, red: bool) -> dict[str, str]:
    return {**facts["red" if red else "well"], **patient["form"], "request_key": str(uuid4())}


class Storm:
    """Patients who answer at a fixed rate whatever the server does, and the screens of their cell."""

    def __init__(self, webs: list[servers.Web], facts: dict[str, Any]) -> None:
        self.webs, self.facts = webs, facts
        self.ports = itertools.cycle([one.port for one in webs])  # in turn, as nginx does
        self.waiting: dict[str, float] = {}  # patient: when their red answer was sent
        self.told: list[float] = []
        self.drawn: list[float] = []
        self.answered: list[float] = []
        self.refused = 0
        self.seen: dict[int, set[str]] = {}
        self.redrawn = 0

    async def run(self) -> dict[str, Any]:
        screens = [Screen(self, number, one) for number, one in enumerate(self.facts["screens"])]
        tasks = [asyncio.create_task(one.watch()) for one in screens]
        async with asyncio.timeout(OPENING):
            await asyncio.gather(*(one.open.wait() for one in screens))
        begun, sent = time.perf_counter(), []
        most = self.rss()
        for number, (patient, red) in enumerate(self._patients()):
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            sent.append(asyncio.create_task(self._send(patient, red=red)))
            if number % 200 == 0:
                most = max(most, self.rss())
        await asyncio.gather(*sent)
        took = time.perf_counter() - begun
        deadline = time.perf_counter() + LAST_WAIT
        while len(self.drawn) < len(self.waiting) * len(screens) and time.perf_counter() < deadline:
            await asyncio.sleep(0.1)
        most = max(most, self.rss())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        due = len(self.waiting) * len(screens)
        return {
            "storm": f"{len(sent)} answers at {RATE:g}/s for {SECONDS:g} s (not the whole five minutes), {len(screens)} screens, {len(self.webs)} web processes",
            "storm answers a second": round(len(self.answered) / took, 1),
            "storm refused": self.refused,
            "storm answer p50": round(percentile(self.answered, 50)),
            "storm answer p95": round(percentile(self.answered, 95)),
            "red answers": len(self.waiting),
            "red to the event p50": round(percentile(self.told, 50)) if self.told else None,
            "red to the event p99": round(percentile(self.told, 99)) if self.told else None,
            "red to the rows p50": round(percentile(self.drawn, 50)) if self.drawn else None,
            "red to the rows p99": round(percentile(self.drawn, 99)) if self.drawn else None,
            "red lost": due - len(self.drawn),
            "rows drawn again a second": round(self.redrawn / took, 1),
            "red met": len(self.drawn) == due and percentile(self.drawn, 99) <= RED_AIM,
            "rss": most,
        }

    def rss(self) -> float:
        return max(one.rss() for one in self.webs)

    def _patients(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """Each with whether the answer is red; the red ones had no open alert."""
        reds = iter(self.facts["calm"])
        step = round(RATE * RED_EVERY)
        for number, patient in enumerate(self.facts["patients"][: round(RATE * SECONDS)]):
            red = next(reds, None) if number % step == step - 1 else None
            yield (red, True) if red else (patient, False)

    async def _send(self, patient: dict[str, Any], *, red: bool) -> None:
        body = urlencode(_form(self.facts, patient, red=red))
        begun = time.perf_counter()
        if red:
            self.waiting[patient["pk"]] = begun
        status = await exchange(
            next(self.ports), _request("POST", self.facts["answer"], patient["cookies"], body, Connection="close")
        )
        self.answered.append((time.perf_counter() - begun) * 1000)
        if not status.startswith(b"HTTP/1.1 302") or KEPT not in status:
            self.refused += 1


class Screen:
    """One member's open list: its stream, and the rows that it draws again when it is told."""

    def __init__(self, storm: Storm, number: int, cookies: dict[str, str]) -> None:
        self.storm, self.number, self.cookies = storm, number, cookies
        self.open = asyncio.Event()
        self.found: set[str] = set()

    async def watch(self) -> None:
        facts = self.storm.facts
        reader, writer = await asyncio.open_connection("127.0.0.1", next(self.storm.ports))
        query = urlencode({"t": facts["token"], "since": f"{time.time():.3f}"})
        writer.write(_request("GET", f"{facts['stream']}?{query}", self.cookies, Accept="text/event-stream"))
        name = ""
        try:
            while raw := await reader.readline():
                line = raw.decode().strip()
                if line.startswith("HTTP/1.1 ") and " 200 " not in line:
                    raise RuntimeError(f"a stream was refused: {line}")
                if line.startswith("event: "):
                    name = line[7:]
                    self.open.set()
                if line.startswith("data: ") and name == "ping":
                    await self._redraw(time.perf_counter())
        finally:
            writer.close()

    async def _redraw(self, told: float) -> None:
        """A browser that is told again while it draws draws once more, not at once."""
        storm = self.storm
        due = [pk for pk in storm.waiting if pk not in self.found]
        headers = {"HX-Request": "true", "HX-Target": "cell-rows", "Connection": "close"}
        page = await exchange(next(storm.ports), _request("GET", storm.facts["list"], self.cookies, **headers))
        storm.redrawn += 1
        for pk in due:
            if f"/suivi/{pk}/alerte/take/".encode() in page:
                now, sent = time.perf_counter(), storm.waiting[pk]
                self.found.add(pk)
                storm.drawn.append((now - sent) * 1000)
                storm.told.append((max(told, sent) - sent) * 1000)


async def exchange(port: int, request: bytes) -> bytes:
    """One request on a line of its own: the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer
