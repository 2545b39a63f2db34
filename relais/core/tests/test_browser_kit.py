"""The shells and their behaviours in a real browser, on the style page."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread

from relais.core import navigation

pytestmark = [pytest.mark.browser, pytest.mark.urls("relais.core.tests.kit_urls")]
DESK, TELEPHONE = 1280, 320


@pytest.fixture
def site(_strict: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The style page served without a database: nothing on it comes from one."""
    who = navigation.Identity(
        name="Dr Claire Roussel", role="Praticienne", establishment="CH de Créteil", can_switch=True
    )
    urls = {
        "portal:home": "/",
        "portal:help": "/aide/",
        "patients:search": "/",
        "account_logout": "/",
        "t": "/",
        "h": "/aide/",
    }
    item = navigation.NavItem
    monkeypatch.setattr(navigation, "_identify", [lambda actor: who])
    monkeypatch.setattr(navigation, "_trays", [])
    monkeypatch.setattr("relais.core.context.url_or_none", urls.get)
    entries = [
        item(key="t", label="Téléconsultation", icon="video", url_name="t", in_banner=True),
        item(key="h", label="Historique", icon="history", url_name="h"),
    ]
    monkeypatch.setattr(navigation, "_items", {entry.key: entry for entry in entries})
    thread = LiveServerThread("localhost", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://localhost:{thread.port}"
    thread.terminate()


@pytest.mark.parametrize("path", ["/?messages=1", "/?form=errors", "/p/kit/?shell=patient&form=errors", "/?shell=call"])
def test_axe_finds_nothing_and_nothing_overflows(
    site: str, open_page: Callable[..., Any], axe: Callable[..., Any], path: str
) -> None:
    page = open_page(site + path)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(300)  # colours pass from one to the other
        for width in (DESK, TELEPHONE):
            page.set_viewport_size({"width": width, "height": 800})
            assert axe(page) == [], (theme, width)
            assert page.evaluate("document.documentElement.scrollWidth") == width, (theme, width)


def test_a_double_click_has_one_effect(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.expected.append("403")
    page.evaluate("document.querySelector('form[data-draft]').action = '/expired/'")
    page.evaluate(
        "(() => {const b = document.querySelector('form[data-draft] [type=submit]'); b.click(); b.click()})()"
    )
    page.wait_for_url("**/expired/")
    assert len(posts) == 1


def test_what_was_typed_survives_an_expired_session_but_no_code(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    page.expected.append("403")
    page.fill("#id_note", "Prévoir un interprète")
    page.fill("#id_code", "123456")
    page.evaluate("document.querySelector('form[data-draft]').action = '/expired/'")
    page.click("form[data-draft] [type=submit]")
    page.wait_for_url("**/expired/")
    assert page.input_value("main form textarea[name=note]") == "Prévoir un interprète"
    page.goto(site)
    assert (page.input_value("#id_note"), page.input_value("#id_code")) == ("Prévoir un interprète", "")


def test_what_was_accepted_is_forgotten(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    page.fill("#id_note", "Prévoir un interprète")
    page.evaluate("document.querySelector('form[data-draft]').method = 'get'")  # a page that accepts it
    page.click("form[data-draft] [type=submit]")
    page.wait_for_url("**/?*note=*")
    assert page.input_value("#id_note") == ""


def test_the_keyboard_reaches_search_menu_and_question(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    focused = "document.activeElement.textContent.trim() || document.activeElement.id"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Aller au contenu"
    page.keyboard.press("/")
    assert page.evaluate(focused) == "relais-search"
    page.focus("details[data-menu] summary")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "Comme l’appareil"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.focus("details[data-confirm] summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details[data-confirm] dialog').open")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Annuler le rendez-vous"


def test_shortcuts_of_one_key_can_be_switched_off(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    page.keyboard.press("?")
    page.uncheck("[data-shortcuts-on]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "relais-search"


def test_errors_take_the_focus(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{site}/?form=errors")
    page.wait_for_function("() => document.activeElement.className === 'error-summary'")


def test_a_question_unfolds_without_script(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site, java_script_enabled=False)
    page.click("details[data-confirm] summary")
    assert page.locator("details[data-confirm] [type=submit]").is_visible()


def test_the_theme_follows_the_device_until_one_is_chosen(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site, theme="dark")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    page.click("details[data-menu] summary")
    page.click("[data-theme-choice=light]")
    page.reload()
    assert page.get_attribute("html", "data-bs-theme") == "light"
