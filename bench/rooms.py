"""(r) A room of six through the video relay: seconds until everybody sees everybody, cores and memory of Janus."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench import calls, servers
from bench.pages import percentile
from relais.core.testing.browser import BROWSERS, FLAGS, SMALL_PICTURES

PEOPLE = 6
TRIES = 3
WATCHED = 10.0  # seconds over which cores are counted
# Pictures of others that have shown a frame.
SEEN = """() => Array.from(document.querySelectorAll('.tile video'))
  .filter((one) => one.getVideoPlaybackQuality().totalVideoFrames > 0).length"""


def run(report: dict[str, Any]) -> None:
    """Fill `report["room"]`."""
    names = [os.environ.get("CHROMIUM", ""), *BROWSERS]
    chromium = next(filter(None, map(shutil.which, filter(None, names))), None)
    if not chromium or not shutil.which("janus"):
        sys.exit("Bench: part r needs Chromium and Janus (package janus).")
    size = servers.SIZES[0]
    os.environ["SFU_PORT"] = str(servers.free_port())
    took, six, all_in = [], [], []
    with servers.running(size, "sfu") as janus, servers.running(size) as web, sync_playwright() as playwright:
        idle = janus.rss()
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            for _try in range(TRIES):
                facts = servers.facts(size, "room")
                base = f"http://localhost:{web.port}"
                pages = [calls.window(browser, base, one) for one in facts["people"]]
                for page in pages:
                    page.set_viewport_size({"width": 480, "height": 480})  # six windows on one machine
                    page.add_init_script(SMALL_PICTURES)
                    page.goto(base + facts["path"])
                begun = time.perf_counter()
                for page in pages:
                    page.click("[data-choose=both]")
                six.append(_last_enters(pages) - begun)
                for page in pages:
                    page.wait_for_function(f"{SEEN} >= {PEOPLE - 1}", polling=100)
                all_in.append(time.perf_counter() - begun)
                before, at = _cpu(janus.process.pid), time.perf_counter()
                time.sleep(WATCHED)
                took.append((_cpu(janus.process.pid) - before) / (time.perf_counter() - at))
                full = janus.rss()
                for page in pages:
                    page.context.close()
        finally:
            browser.close()
    report["room"] = {
        "people": PEOPLE,
        "tries": TRIES,
        "s until all are inside": [round(one, 1) for one in six],
        "s until all frames, p50": round(percentile(all_in, 50), 1),
        "s until all frames": [round(one, 1) for one in all_in],
        "cores of Janus": [round(one, 2) for one in took],
        "MB of Janus, idle": idle,
        "MB of Janus, six inside": full,
    }


def _last_enters(pages: list[Page]) -> float:
    for page in pages:
        page.locator("[data-room][data-phase=inside]").wait_for()
    return time.perf_counter()


def _cpu(process: int) -> float:
    """Seconds of a core that the process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
