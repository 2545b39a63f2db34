"""Professionals work on a computer, a tablet or a telephone (TC-56, settled): every page of their day at three widths."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

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
