"""(c) From the second *Rejoindre* to the first decoded frame, between two real browsers."""

import os
import shutil
import sys
import time
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench import servers
from bench.pages import percentile
from relais.core.testing.browser import BROWSERS, FLAGS

TRIES = 12
AIM = 2000.0  # ms, p95
SECONDS = 30_000
# Frames decoded of somebody else: one's own picture is muted.
SEEN = """() => Array.from(document.querySelectorAll('video')).filter((one) => !one.muted)
  .some((one) => one.getVideoPlaybackQuality().totalVideoFrames > 0)"""


def run(report: dict[str, Any]) -> None:
    """Fill `report["call"]`: milliseconds of TRIES calls, each in fresh browser windows."""
    size = servers.SIZES[-1]
    names = [os.environ.get("CHROMIUM", ""), *BROWSERS]
    chromium = next(filter(None, map(shutil.which, filter(None, names))), None)
    if not chromium:
        sys.exit("Bench: part c needs Chromium: install it, or name one with CHROMIUM=.")
    with servers.running(size) as web, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            took = [_once(browser, web.port, servers.facts(size, "call")) for _try in range(TRIES)]
        finally:
            browser.close()
    both = [max(pair) for pair in took]
    report["call"] = {
        "tries": len(took),
        "doctor sees p50": round(percentile([pair[0] for pair in took], 50)),
        "patient sees p50": round(percentile([pair[1] for pair in took], 50)),
        "both p50": round(percentile(both, 50)),
        "both p95": round(percentile(both, 95)),
        "slowest": round(max(both)),
        "aim": f"p95 ≤ {AIM:g} ms",
        "met": percentile(both, 95) <= AIM,
    }


def _once(browser: Browser, port: int, facts: dict[str, Any]) -> tuple[float, float]:
    """The patient is in the call page and ready; the doctor joins: ms until each sees the other."""
    base = f"http://localhost:{port}"
    patient, doctor = (window(browser, base, facts[who]) for who in ("patient", "doctor"))
    try:
        patient.goto(base + facts["space"])
        _join(patient)
        patient.get_by_role("button", name="Allumer ma caméra et mon micro").click()
        doctor.goto(base + facts["dossier"])
        _join(doctor)
        second = doctor.get_by_role("button", name="Rejoindre avec caméra et micro")
        second.wait_for()
        patient.wait_for_timeout(1500)  # the patient's own camera is on, they wait
        begun = time.perf_counter()
        second.click()
        doctor.wait_for_function(SEEN, polling=20)
        at_doctor = (time.perf_counter() - begun) * 1000
        patient.wait_for_function(SEEN, polling=20)
        return at_doctor, (time.perf_counter() - begun) * 1000
    finally:
        patient.context.close()
        doctor.context.close()


def window(browser: Browser, base: str, cookies: dict[str, str]) -> Page:
    context = browser.new_context(locale="fr-FR", timezone_id="Europe/Paris")
    context.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies.items()])
    context.set_default_timeout(SECONDS)
    return context.new_page()


def _join(page: Page) -> None:
    page.get_by_role("button", name="Rejoindre").or_(page.get_by_role("link", name="Rejoindre")).first.click()
