"""(g) A nurse sends an urgent request: how long until the telephone of the doctor on call sounds, in a real browser."""

import os
import shutil
import sys
import time
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench import calls, servers
from bench.pages import Browser, percentile
from relais.core.testing.browser import BROWSERS, FLAGS

AIM = 1000.0  # ms, p99
CHIMES = """window.chimes = [];
document.addEventListener('relais:chime', (event) => window.chimes.push([Date.now(), event.detail.heard]));"""

# Not wait_for_function: our Content-Security-Policy lets nothing be evaluated in the page.
AWAITED = """(before) => new Promise((done) => {
  const look = () => (window.chimes.length > before ? done(window.chimes[before]) : setTimeout(look, 10));
  look();
})"""


def run(report: dict[str, Any]) -> None:
    """Fill `report["ringing"]`: from the press that sends until the page sounds; the doctor takes each before the next."""
    names = [os.environ.get("CHROMIUM", ""), *BROWSERS]
    chromium = next(filter(None, map(shutil.which, filter(None, names))), None)
    if not chromium:
        sys.exit("Bench: part g needs Chromium: install it, or name one with CHROMIUM=.")
    size = servers.SIZES[-1]
    with servers.running(size) as web, sync_playwright() as playwright:
        facts = servers.facts(size, "ringing")
        nurse, doctor = Browser(web.port, facts["nurse"]), Browser(web.port, facts["doctor"])
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            page = calls.window(browser, f"http://localhost:{web.port}", facts["doctor"])
            page.set_viewport_size({"width": 360, "height": 640})  # as a telephone
            page.add_init_script(CHIMES)
            page.goto(f"http://localhost:{web.port}{facts['list']}")
            page.get_by_role("heading", level=1).click()  # a page that was touched may sound
            page.wait_for_timeout(2000)  # its stream is open
            took, heard = [], 0
            for one in facts["requests"]:
                before = page.evaluate("window.chimes.length")
                begun = time.time() * 1000
                nurse.ask(one["send"], {}, {**facts["form"], "request_key": one["key"]}, 302)
                at, sounded = _chime(page, before)
                took.append(at - begun)
                heard += sounded
                doctor.ask(one["take"], {}, {}, 302)
                page.wait_for_timeout(300)  # the list is drawn again without it
        finally:
            browser.close()
    report["ringing"] = {
        "requests": len(took),
        "sounded": heard,
        "p50": round(percentile(took, 50)),
        "p95": round(percentile(took, 95)),
        "p99": round(percentile(took, 99)),
        "slowest": round(max(took)),
        "aim": f"p99 ≤ {AIM:g} ms",
        "met": percentile(took, 99) <= AIM and heard == len(took),
    }


def _chime(page: Page, before: int) -> tuple[float, bool]:
    """When the first sound after `before` came, in ms since 1970, and whether it could be heard."""
    at, heard = page.evaluate(AWAITED, before)
    return float(at), bool(heard)
