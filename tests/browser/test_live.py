"""Live pages in a real browser: one stream for all tabs, nothing typed replaced, and a banner when the line is lost."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from relais.accounts.models import Membership
from relais.accounts.testing import make_practitioner
from relais.core import live
from relais.core.live import ping, sign

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><html lang="fr"><head><title>Essai</title>
<meta name="relais-now" content="{now}"><meta name="csrf-token" content="">
<meta name="htmx-config" content='{{"includeIndicatorStyles": false, "allowEval": false}}'>
<link rel="stylesheet" href="/static/core/tokens.css"><link rel="stylesheet" href="/static/core/lists.css">
<script src="/static/vendor/htmx/htmx.min.js" defer></script>
<script type="module" src="/static/core/ui/main.js"></script></head>
<body><main><h1>Essai</h1><div id="relais-banner"></div>
<div id="list" data-live="{token}" hx-get="/essai/liste" hx-trigger="live consume" {more}>{inside}</div>
</main></body></html>"""


class Try:
    """A page of our own in front of the real server: it counts how often its list was fetched."""

    def __init__(self, site: Any, page: Any, topic: str, more: str = "", inside: str = "au début") -> None:
        self.page, self.fetched, self.streams = page, 0, 0
        self.headers: dict[str, str] = {}
        self._inside = inside

        def whole(route: Any) -> None:
            now = timezone.now().isoformat()
            route.fulfill(
                body=PAGE.format(now=now, token=sign(topic), more=more, inside=inside), content_type="text/html"
            )

        def fragment(route: Any) -> None:
            self.fetched += 1
            self.headers = route.request.headers
            route.fulfill(body=f"lu {self.fetched} fois", content_type="text/html")

        page.route("**/essai", whole)
        page.route("**/essai/liste", fragment)
        page.on("request", self._count)
        page.goto(f"{site.base}/essai")

    def _count(self, request: Any) -> None:
        self.streams += "/live/stream?" in request.url

    def fetches_again(self, before: int) -> None:
        """Until the list was fetched more than `before` times, and shows it."""
        self.page.wait_for_function(
            """(before) => {
              const found = /lu (\\d+) fois/.exec(document.querySelector('#list').textContent);
              return found && Number(found[1]) > before;
            }""",
            arg=before,
        )


@pytest.fixture
def doctor(site: Any) -> Membership:
    return make_practitioner()


def listening(page: Any) -> None:
    """Until the stream is open: its first sign of life has come."""
    page.wait_for_timeout(1500)


def test_a_ping_refetches_what_watches_its_topic(site: Any, doctor: Membership, page_of: Callable[..., Any]) -> None:
    page = page_of(doctor)
    one = Try(site, page, "list:1")
    listening(page)
    before = one.fetched
    ping("list:2")
    ping("list:1", urgent=True)
    one.fetches_again(before)
    assert one.headers["x-background"] == "1", "nobody acted"


def test_two_tabs_of_one_browser_share_one_stream_and_the_other_takes_over(
    site: Any, doctor: Membership, page_of: Callable[..., Any]
) -> None:
    first = page_of(doctor)
    one = Try(site, first, "list:1")
    listening(first)
    other = first.context.new_page()
    two = Try(site, other, "list:2")
    listening(other)
    assert two.streams == 0
    ping("list:2", urgent=True)
    two.fetches_again(0)
    assert one.streams >= 1
    first.close()
    other.wait_for_timeout(1500)
    assert two.streams == 1, "the tab that is left has the stream now"
    before = two.fetched
    ping("list:2", urgent=True)
    two.fetches_again(before)


def test_what_is_being_typed_is_not_replaced_until_one_leaves_it(
    site: Any, doctor: Membership, page_of: Callable[..., Any]
) -> None:
    page = page_of(doctor)
    Try(site, page, "list:1", inside='<label>Note <input id="note"></label>')
    page.focus("#note")
    listening(page)
    page.fill("#note", "Toux sèche")
    for _ in range(2):
        ping("list:1", urgent=True)
        page.wait_for_timeout(300)
    page.wait_for_selector("[data-live-mark]:has-text('afficher')")
    assert page.input_value("#note") == "Toux sèche"
    page.evaluate("document.activeElement.blur()")
    page.wait_for_selector("#list:has-text('lu')")
    assert page.query_selector("[data-live-mark]") is None


def test_nothing_is_replaced_under_a_finger(site: Any, doctor: Membership, page_of: Callable[..., Any]) -> None:
    """Between press and release the list stays as it is, or the click would be lost; then it comes."""
    page = page_of(doctor)
    one = Try(site, page, "list:1")
    listening(page)
    before = one.fetched
    page.hover("#list")
    page.mouse.down()
    ping("list:1", urgent=True)
    page.wait_for_timeout(1000)
    assert one.fetched == before
    assert page.query_selector("[data-live-mark]") is None
    page.mouse.up()
    one.fetches_again(before)


def test_the_mark_that_something_waits_moves_nothing(
    site: Any, doctor: Membership, page_of: Callable[..., Any]
) -> None:
    page = page_of(doctor)
    Try(site, page, "list:1", more="data-live-hold", inside='<button type="button">Rejoindre</button>')
    listening(page)
    place = "document.querySelector('#list').getBoundingClientRect().top"
    before = page.evaluate(place)
    ping("list:1")
    page.wait_for_selector("[data-live-mark]")
    assert page.evaluate(place) == before


def test_a_list_being_read_waits_behind_a_mark_unless_it_is_urgent(
    site: Any, doctor: Membership, page_of: Callable[..., Any]
) -> None:
    page = page_of(doctor)
    one = Try(site, page, "list:1", more="data-live-hold")
    listening(page)
    if page.query_selector("[data-live-mark]"):
        page.click("[data-live-mark]")
        page.wait_for_timeout(300)
    before = one.fetched
    ping("list:1")
    page.wait_for_selector("[data-live-mark]:has-text('1 nouveauté : afficher')")
    assert one.fetched == before
    page.click("[data-live-mark]")
    one.fetches_again(before)
    ping("list:1", urgent=True)
    one.fetches_again(before + 1)


def test_a_lost_line_is_said_with_the_time_of_what_is_shown_and_mended(
    site: Any, doctor: Membership, page_of: Callable[..., Any]
) -> None:
    page = page_of(doctor)
    page.expected += ["Failed to load resource", "net::ERR"]
    one = Try(site, page, "list:1")
    listening(page)
    site.server.stop()
    page.wait_for_selector("text=Connexion perdue : les informations affichées datent de", timeout=12_000)
    before = one.fetched
    site.server.start()
    page.wait_for_selector("text=Connexion perdue", state="detached", timeout=30_000)
    one.fetches_again(before)


def test_a_session_that_ended_is_said(site: Any, doctor: Membership, page_of: Callable[..., Any]) -> None:
    page = page_of(doctor)
    page.expected += ["Failed to load resource", "EventSource", "MIME"]
    Try(site, page, "list:1")
    listening(page)
    page.context.clear_cookies()
    site.restart()
    page.wait_for_selector("text=Votre session est terminée", timeout=15_000)


def test_a_page_of_before_yesterday_asks_to_be_loaded_again_and_the_tab_beside_goes_on(
    site: Any, doctor: Membership, page_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = page_of(doctor)
    with monkeypatch.context() as before_yesterday:
        before_yesterday.setattr(live, "_day", lambda: int(time.time() // live.DAY) - 2)
        Try(site, old, "list:1")
    banner = old.get_by_text("Cette page est ouverte depuis plus d’un jour : elle n’est plus à jour.")
    banner.wait_for()
    beside = Try(site, old.context.new_page(), "list:1")
    listening(beside.page)
    expect(beside.page.locator("[data-live-banner]")).to_have_count(0)
    before = beside.fetched
    ping("list:1")
    beside.fetches_again(before)
    assert banner.is_visible(), "the stream of the other tab does not make this page whole"
    old.get_by_role("button", name="Recharger la page").click()
    banner.wait_for(state="detached")
    listening(old)
    expect(old.locator("[data-live-banner]")).to_have_count(0)
