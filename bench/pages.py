"""(a) Pages: how long they take, what they read, beside a calibration page and as the region grows."""

import http.client
import statistics
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from bench import servers
from bench.counting import ASKED, QUERIES, ROWS

ROUNDS, WARM, COUNTED = 60, 6, 3
RATIO, GROWTH = 3.0, 1.3
KEPT = 2.0  # seconds without a request after which the server may be closing the line
# Page, who asks, p95 that is aimed at (ms).
PAGES = {
    "dashboard": ("doctor", 100),
    "agenda": ("doctor", 200),
    "history": ("doctor", 200),
    "search": ("doctor", 100),
    "dossier": ("doctor", 200),
    "space": ("patient", 200),
    "booking page": ("doctor", 200),
    "book": ("doctor", 200),
    "expert worklist": ("expert", 100),
    "requests": ("doctor", 100),
    "on-call list": ("on_call", 100),
    "figures": ("manager", 200),
}
GROWS = ("figures",)  # sums over all that was asked
TYPED = ["dub", "martin", "le goff", "lefevre", "06 39 98 12", "jean p"]


@dataclass
class Answer:
    """Of one request: milliseconds until its last byte, and its headers."""

    ms: float
    headers: Any  # names in any case


class Browser:
    """One person on one server, on a connection that is kept; plain http.client, so that little is measured of us."""

    def __init__(self, port: int, cookies: dict[str, str]) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.last = 0.0
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["csrftoken"],
            "Accept-Language": "fr",
            "User-Agent": "Firefox (Linux)",
        }

    def ask(self, path: str, headers: dict[str, str], data: dict[str, str] | None = None, expect: int = 200) -> Answer:
        more = {"Content-Type": "application/x-www-form-urlencoded"} if data is not None else {}
        body = urlencode(data) if data is not None else None
        if time.perf_counter() - self.last > KEPT:
            self.line.close()
        begun = time.perf_counter()
        self.line.request("POST" if body is not None else "GET", path, body, {**self.headers, **more, **headers})
        answer = self.line.getresponse()
        text = answer.read()
        self.last = time.perf_counter()
        ms = (self.last - begun) * 1000
        if answer.status != expect:
            raise RuntimeError(f"{path}: {answer.status}, not {expect}: {text[:300]!r}")
        return Answer(ms, answer.headers)


class Side:
    """The people of one size of the region, on its server."""

    def __init__(self, size: str, port: int) -> None:
        self.facts = servers.facts(size, "pages")
        self.people = {
            who: Browser(port, self.facts[who]) for who in ("doctor", "expert", "on_call", "manager", "patient")
        }
        self.typed = 0

    def page(self, name: str, headers: dict[str, str]) -> Answer:
        path, browser = self.facts["paths"][name], self.people[PAGES[name][0] if name in PAGES else "doctor"]
        if name == "search":
            self.typed += 1
            typed = {"q": TYPED[self.typed % len(TYPED)]}
            return browser.ask(path, {"HX-Request": "true", **headers}, typed)
        if name == "book":
            form = {**self.facts["bookings"].pop(), "request_key": str(uuid4())}
            return browser.ask(path, headers, form, 302)
        return browser.ask(path, headers)


def run(report: dict[str, Any]) -> None:
    """Fill `report["pages"]`, and the memory of the web server before and after."""
    with ExitStack() as stack:
        webs = {size: stack.enter_context(servers.running(size)) for size in servers.SIZES}
        sides = {size: Side(size, web.port) for size, web in webs.items()}
        for size, side in sides.items():
            side.page("calibration", {})
            report["memory"][f"web, {size}, first page"] = webs[size].rss()
        for _round in range(WARM):
            for name in PAGES:
                for side in sides.values():
                    side.page(name, {})
        took: dict[tuple[str, str], list[float]] = defaultdict(list)
        for _round in range(ROUNDS):
            for name in PAGES:
                for size, side in sides.items():
                    took[size, f"beside {name}"].append(side.page("calibration", {}).ms)
                    took[size, name].append(side.page(name, {}).ms)
        for size, web in webs.items():
            report["memory"][f"web, {size}, after {ROUNDS * len(PAGES) * 2} pages"] = web.rss()
        report["pages"] = [_line(name, took, sides) for name in ("calibration", *PAGES)]


def _line(name: str, took: dict[tuple[str, str], list[float]], sides: dict[str, Side]) -> dict[str, Any]:
    """The figures of one page; of the calibration page, those measured beside all others."""
    small, large = servers.SIZES
    times = {
        size: took[size, name] if name in PAGES else [ms for page in PAGES for ms in took[size, f"beside {page}"]]
        for size in sides
    }
    middle = {size: statistics.median(times[size]) for size in sides}
    beside = statistics.median(took[large, f"beside {name}"]) if name in PAGES else middle[large]
    line: dict[str, Any] = {
        "page": name,
        "p50": round(middle[large], 1),
        "p95": round(percentile(times[large], 95), 1),
        "p50 tenth": round(middle[small], 1),
        "p95 tenth": round(percentile(times[small], 95), 1),
        "ratio": round(middle[large] / beside, 2),
        "growth": round(middle[large] / middle[small], 2),
    }
    for size, side in sides.items():
        counted = [side.page(name, {ASKED: "1"}).headers for _time in range(COUNTED)]
        line[f"queries {size}"] = max(int(each[QUERIES]) for each in counted)
        line[f"rows {size}"] = max(int(each[ROWS]) for each in counted)
    if name in PAGES:
        aim = PAGES[name][1]
        grows = name in GROWS
        line["aim"] = f"p95 ≤ {aim} ms, ratio ≤ {RATIO:g}" + ("" if grows else f", growth ≤ {GROWTH:g}")
        line["met"] = line["p95"] <= aim and line["ratio"] <= RATIO and (grows or line["growth"] <= GROWTH)
    return line


def percentile(values: list[float], percent: int) -> float:
    """The smallest value that `percent` % of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
