"""pytest plugin: pages in a real Chromium. A test that opens one fails on a console error or a page error; `axe` finds
what assistive technology would trip over."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

# The first has no window, no bar and no tabs to draw: half the processor's work for the same engine.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=device-count=3,fps=10",
]

WHOLE_RUN = "PYTEST_XDIST_WORKER" in os.environ
RESULTS = Path(__file__).parents[3] / "test-results"
HEIGHTS = {1280: 800, 320: 640, 768: 1024}
BOTH = (1280, 320)

# Cameras give small pictures: what is shown is that frames arrive, and two cores draw and encode those of all windows.
SMALL_PICTURES = """(() => {
  const media = navigator.mediaDevices;
  if (!media || !media.getUserMedia) return;
  const ask = media.getUserMedia.bind(media);
  const small = (video) => Object.assign({}, video === true ? {} : video, { width: 320, height: 180 });
  media.getUserMedia = (wanted) => ask(wanted.video ? Object.assign({}, wanted, { video: small(wanted.video) }) : wanted);
})()"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that roll back, then calls (one process makes them all, one by one), then the rest, browser tests last."""

    def rank(item: Any) -> int:
        marker = item.get_closest_marker("django_db")
        if item.get_closest_marker("xdist_group"):
            return 1
        if "chromium" in item.fixturenames:
            return 3
        return 0 if marker and not marker.kwargs.get("transaction") else 2

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def _without_the_loop_of_playwright(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Between its calls Playwright keeps a loop running in this thread; tests without a page may run their own."""
    if "chromium" in request.fixturenames:
        yield
        return
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    kept = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(kept)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium, with fake cameras and microphones."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only browser tests pay for it)

    path = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *BROWSERS))), None)
    if not path:
        pytest.fail("Browser tests need Chromium: install the package chromium.")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in this thread; the ORM runs beside it
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`open_page(url, width=…, height=…, theme=…, **context)` gives a Playwright page in a context of its own.

    Console errors, warnings and page errors fail the test at its end, but those whose text holds an item of
    `page.expected` (a list to append to). `page.wait_for_function` takes a function (`() => …`): Playwright evaluates
    any other text again and again within the page, which its security policy forbids. For a promise see `until`.
    """
    pages: list[Any] = []

    def make(url: str = "", *, width: int = 1280, height: int = 800, theme: str = "light", **options: Any) -> Any:
        options = {"locale": "fr-FR", "timezone_id": "Europe/Paris"} | options
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **options)
        context.add_init_script(SMALL_PICTURES)
        page = context.new_page()
        page.expected, page.errors = [], []
        page.on("console", lambda m: page.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        pages.append(page)
        if url:
            page.goto(url)
        return page

    yield make
    for page in pages:
        page.context.close()
    undeclared = [e for page in pages for e in page.errors if not any(text in e for text in page.expected)]
    if undeclared:
        pytest.fail(f"The browser complained: {undeclared}")


def until(page: Any, script: str, given: Any = None, *, seconds: float = 30) -> Any:
    """What an async function of the page answers once that is true; the test fails after `seconds`.

    `page.wait_for_function` takes a promise itself for true, and waits for nothing.
    """
    for _turn in range(int(seconds * 10)):
        if found := page.evaluate(script, given):
            return found
        page.wait_for_timeout(100)
    return pytest.fail(f"{page.url}: still not {script}")


@pytest.fixture(scope="session")
def axe() -> Callable[..., list[str]]:
    """`axe(page)` lists the violations of the page as it is now: rule and element; `contrast=False`: colours aside, which
    take half of the time."""
    source = (settings.NPM / "axe-core" / "axe.min.js").read_text()

    look = """async (contrast) => {
      const rules = { 'color-contrast': { enabled: contrast } };
      const found = await axe.run(document, { resultTypes: ['violations'], rules });
      return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}`));
    }"""

    def run(page: Any, *, contrast: bool = True) -> list[str]:
        if page.evaluate("!window.axe"):
            page.evaluate(source)
        return page.evaluate(look, contrast)

    return run


STICKING_OUT = """() => Array.from(document.querySelectorAll('.card table'))
  .filter((one) => !one.closest('.table-responsive'))
  .map((one) => one.getBoundingClientRect().right - one.closest('.card').getBoundingClientRect().right)
  .filter((over) => over > 1).length > 0"""


@pytest.fixture
def screens(axe: Callable[..., list[str]]) -> Callable[..., None]:
    """`screens(name, page)` keeps pictures of the page at 1280 and 320 px in test-results/ and fails on what axe finds.

    The page keeps the size it had. A whole run keeps no picture, which nobody would look at, and reads colours at the first
    width alone: both cost a minute.
    """

    def take(name: str, page: Any, *, full: bool = False, widths: tuple[int, ...] = BOTH) -> None:
        RESULTS.mkdir(exist_ok=True)
        before = page.viewport_size
        for width in widths:
            page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            page.wait_for_timeout(50 if WHOLE_RUN else 150)
            if not WHOLE_RUN:
                page.screenshot(path=RESULTS / f"{name}-{width}.png", full_page=full, caret="initial")
            if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
                pytest.fail(f"{name} takes {found} px of {width}")
            if page.evaluate(STICKING_OUT):
                pytest.fail(f"{name}: a table leaves its card at {width} px")
            if wrong := axe(page, contrast=not WHOLE_RUN or width == widths[0]):
                pytest.fail(f"{name} at {width} px: {wrong}")
        page.set_viewport_size(before)

    return take
