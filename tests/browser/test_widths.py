"""Professionals work on a computer, a tablet or a telephone (TC-56, settled): every page of their day at three widths."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.journey import House, book

pytestmark = pytest.mark.browser
WIDTHS = {"telephone": 320, "tablet": 768, "computer": 1280}


@pytest.mark.req("TC-56")
@pytest.mark.parametrize("device", WIDTHS)
def test_nothing_is_cut_and_the_next_action_is_within_reach(
    site: Any, house: House, page_of: Callable[..., Any], axe: Callable[..., Any], device: str
) -> None:
    """No page scrolls sideways, and *Rejoindre* and *Réserver* are there, on each device."""
    tele = book(house, starts_in=timedelta(minutes=10)).tele
    page = page_of(house.doctor, width=WIDTHS[device], height=800)
    for name, args, wanted in (
        ("dashboard", [], "Rejoindre"),
        ("dossier", [tele.pk], "Rejoindre"),
        ("book", [], "Réserver et envoyer le lien"),
        ("agenda", [], "Ajouter"),
        ("history", [], "Rechercher"),
    ):
        page.goto(site.base + reverse(f"teleconsultation:{name}", args=args))
        button = page.get_by_role("button", name=wanted).first
        if name != "agenda":
            button.click(trial=True)  # within reach: in sight once scrolled to, and under nothing
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px at {WIDTHS[device]} px"
        assert axe(page) == [], name


@pytest.mark.req("TC-56")
def test_on_a_telephone_filters_wait_behind_one_button_unless_one_is_active(
    site: Any, house: House, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    """The rows come first there; on a computer the filters are all in sight, and there is no such button."""
    book(house, starts_in=timedelta(minutes=10))
    page = page_of(house.doctor, "/teleconsultation/", width=320, height=640)
    opener, reason = page.get_by_role("button", name="Filtres"), page.get_by_label("Motif")
    expect(reason).to_be_hidden()
    expect(page.get_by_role("link", name="DURAND Camille")).to_be_in_viewport()
    screens("dashboard-filters-folded", page)
    opener.click()
    reason.select_option("CONSULTATION")
    screens("dashboard-filters-open", page, widths=(320,))
    page.get_by_role("button", name="Filtrer").click()
    page.get_by_role("link", name="Tout afficher").wait_for()
    expect(reason, "a filter that is active is in sight").to_be_visible()
    page.goto(site.base + "/teleconsultation/historique/")
    expect(page.get_by_label("État")).to_be_hidden()
    expect(page.get_by_label("Nom du patient ou référence")).to_be_visible()
    screens("history-filters-folded", page)
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.get_by_label("État")).to_be_visible()
    expect(opener).to_be_hidden()
    page.goto(site.base + "/teleconsultation/")
    expect(reason).to_be_visible()
    expect(opener).to_be_hidden()
