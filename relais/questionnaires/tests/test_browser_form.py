"""A questionnaire in a real browser: conditions at once, one question a screen, by keyboard, and for assistive technology."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread

pytestmark = [pytest.mark.browser, pytest.mark.urls("relais.questionnaires.tests.kit_urls")]
DESK, TELEPHONE = 1280, 320
ASKED = "[data-item='{}']"


@pytest.fixture
def site(_strict: None) -> Iterator[str]:
    """The page of every type, served without a database."""
    thread = LiveServerThread("localhost", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://localhost:{thread.port}"
    thread.terminate()


def title(page: Any) -> str:
    """The question that has the focus."""
    return str(page.evaluate("document.activeElement.textContent")).split("(")[0].strip()


def tick(page: Any, key: str, value: str) -> None:
    page.locator(f'[name="q-{key}"][value="{value}"]').check()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, TELEPHONE])
def test_axe_finds_nothing_and_nothing_overflows(
    site: str, open_page: Callable[..., Any], axe: Callable[..., Any], width: int, theme: str
) -> None:
    page = open_page(site, width=width, theme=theme)
    tick(page, "mesuree", "true")
    page.fill("#q-temp", "385")
    page.click("[data-stepper-end] button")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_screen_of_a_telephone_passes_axe(
    site: str, open_page: Callable[..., Any], axe: Callable[..., Any]
) -> None:
    page = open_page(f"{site}/p/?stepper=1", width=TELEPHONE)
    screens = 0
    while page.locator("[data-stepper-next]").is_visible():
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == TELEPHONE
        screens += 1
        for name, value in (("mesuree", "true"), ("toux", "non")):
            if page.locator(f'[name="q-{name}"]').first.is_visible():
                tick(page, name, value)
        if page.locator("#q-temp").is_visible():
            page.fill("#q-temp", "38,5")
        page.click("[data-stepper-next]")
    assert screens == 14
    tick(page, "consigne", "true")
    page.click("[data-stepper-end] button")
    page.wait_for_selector(".answers")


def test_a_condition_shows_and_hides_at_once_and_hidden_answers_are_not_kept(
    site: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(site)
    assert not page.is_visible("#q-temp")
    tick(page, "mesuree", "true")
    page.fill("#q-temp", "39")
    tick(page, "mesuree", "false")
    assert not page.is_visible("#q-temp")
    tick(page, "toux", "non")
    tick(page, "consigne", "true")
    page.click("[data-stepper-end] button")
    page.wait_for_selector(".answers")
    assert "39" not in page.inner_text(".answers")


def test_an_impossible_value_is_said_at_entry_and_unsaid_once_mended(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    tick(page, "mesuree", "true")
    page.fill("#q-temp", "385")
    page.keyboard.press("Tab")
    page.wait_for_selector("#q-temp-error", state="visible")
    assert "34 à 42,5\u00a0°C" in page.inner_text(ASKED.format("temp"))
    assert page.get_attribute("#q-temp", "aria-invalid") == "true"
    assert "q-temp-error" in page.get_attribute("#q-temp", "aria-describedby")
    page.fill("#q-temp", "38,5")
    page.keyboard.press("Tab")
    assert page.get_attribute("#q-temp", "aria-invalid") is None
    assert "Valeur impossible" not in page.inner_text(ASKED.format("temp"))


def test_what_is_missing_is_listed_on_top_with_the_focus(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    page.click("[data-stepper-end] button")
    assert page.evaluate("document.activeElement.className") == "error-summary"
    assert page.locator(".error-summary li").all_inner_texts() == [
        "Avez-vous pu mesurer votre température ? : Répondez à cette question.",
        "Toux : Répondez à cette question.",
        "J’ai lu les consignes : Ce point doit être confirmé pour continuer.",
    ]
    page.locator(".error-summary a").nth(1).click()
    assert page.evaluate("document.activeElement.name") == "q-toux"


def test_an_answer_that_excludes_the_others_unticks_them(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    chosen = "Array.from(document.querySelectorAll('[name=\"q-digestif\"]:checked')).map((box) => box.value)"
    tick(page, "digestif", "nausees")
    tick(page, "digestif", "dia")
    tick(page, "digestif", "non")
    assert page.evaluate(chosen) == ["non"]
    tick(page, "digestif", "dia")
    assert page.evaluate(chosen) == ["dia"]


def test_rows_are_added_judged_one_by_one_and_removed(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    page.fill("[name='q-aidant/0/aidant.nom']", "Ana")
    page.click("[data-row-add]")
    assert page.evaluate("document.activeElement.name") == "q-aidant/1/aidant.nom"
    page.locator("[name='q-aidant/1/aidant.lien'][value=voisin]").check()
    assert page.is_visible("[name='q-aidant/1/aidant.etage']")
    assert not page.is_visible("[name='q-aidant/0/aidant.etage']")
    page.locator("[data-row-remove]").nth(1).click()
    tick(page, "mesuree", "false")
    tick(page, "toux", "non")
    tick(page, "consigne", "true")
    page.click("[data-stepper-end] button")
    page.wait_for_selector(".answers")
    assert page.locator(".answers-title").all_inner_texts() == ["Aidant à contacter (1)", "Pour finir"]


def test_one_question_a_screen_by_keyboard(site: str, open_page: Callable[..., Any]) -> None:
    """Next and back move the focus to the question, Enter goes on, what is wrong keeps one there."""
    page = open_page(f"{site}/p/?stepper=1", width=TELEPHONE)
    assert page.inner_text("[data-stepper-count]") == "Question 1 sur 14"
    assert not page.is_visible("[data-stepper-back]")
    page.click("[data-stepper-next]")
    assert title(page) == "Avez-vous pu mesurer votre température ?"
    page.click("[data-stepper-next]")
    assert "Répondez à cette question." in page.inner_text(ASKED.format("mesuree"))
    page.keyboard.press("Space")
    assert page.inner_text("[data-stepper-count]") == "Question 2 sur 15"
    page.keyboard.press("Enter")
    assert title(page) == "Température"
    page.keyboard.press("Tab")
    page.keyboard.type("385")
    page.keyboard.press("Enter")
    assert "34 à 42,5\u00a0°C" in page.inner_text(ASKED.format("temp"))
    assert page.evaluate("document.activeElement.id") == "q-temp"
    page.fill("#q-temp", "38,5")
    page.keyboard.press("Enter")
    assert title(page) == "Fréquence respiratoire"
    page.click("[data-stepper-back]")
    page.wait_for_function("() => document.activeElement.textContent.trim().indexOf('Température') === 0")
    assert (title(page), page.input_value("#q-temp")) == ("Température", "38,5")
    page.go_back()
    page.wait_for_function("() => document.activeElement.textContent.trim().indexOf('Avez-vous') === 0")


def test_number_pads_open_for_numbers(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    assert [page.get_attribute(f"#q-{key}", "inputmode") for key in ("temp", "fr")] == ["decimal", "numeric"]


def test_a_minute_is_counted_beside_the_respiratory_rate(site: str, open_page: Callable[..., Any]) -> None:
    page = open_page(site)
    page.evaluate("document.querySelector('[data-timer]').dataset.timer = '1'")
    page.clock.install()
    page.reload()
    page.click("[data-timer-start]")
    assert page.inner_text("[data-timer-said]") == "Comptez vos respirations jusqu’au signal."
    page.clock.run_for(30_000)
    assert page.inner_text("[data-timer-seconds]") == "30"
    page.clock.run_for(31_000)
    assert "La minute est passée" in page.inner_text("[data-timer-said]")
    assert page.evaluate("document.activeElement.id") == "q-fr"


def test_a_draft_is_told_after_each_change_and_taken_back(site: str, open_page: Callable[..., Any]) -> None:
    """What offline pages hang on: two events on the form."""
    page = open_page(f"{site}/p/?stepper=1")
    page.evaluate(
        "document.addEventListener('questionnaire:change', (event) => { window.draft = JSON.stringify(event.detail); })"
    )
    page.click("[data-stepper-next]")
    tick(page, "mesuree", "true")
    page.click("[data-stepper-next]")
    page.fill("#q-temp", "38,5")
    draft = page.evaluate("window.draft")
    page.goto(f"{site}/p/?stepper=1")
    page.evaluate(
        "(draft) => document.querySelector('form[data-questionnaire]').dispatchEvent("
        "new CustomEvent('questionnaire:restore', {detail: JSON.parse(draft)}))",
        draft,
    )
    assert (title(page), page.input_value("#q-temp")) == ("Température", "38,5")
