"""Help, guides, desk and demo page in a real browser: nothing for axe to find, no sideways scrolling, by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from relais.portal.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PUBLIC = [
    "/demo/",
    "/bienvenue/",
    "/aide/",
    "/p/aide/",
    "/aide/suivi/",
    "/guides/",
    "/guides/consultation-video/",
    "/guides/en-cas-de-probleme/",
    "/guides/professionnel/",
    "/guides/responsable/",
    "/guides/cellule/",
    "/accessibilite/",
    "/mentions-legales/",
]


def sideways(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_public_pages(live_server: Any, open_page: Callable[..., Any], axe: Callable[..., list]) -> None:
    call_command("demo_region", size="small", verbosity=0)
    page = open_page()
    for path in PUBLIC:
        page.goto(live_server.url + path)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert (path, width, axe(page), sideways(page)) == (path, width, [], 0)


def test_without_scripts_help_still_works(live_server: Any, open_page: Callable[..., Any]) -> None:
    page = open_page(live_server.url + "/aide/", java_script_enabled=False)
    page.get_by_label("Objet").fill("Sans script")
    page.get_by_label("Votre question").fill("Une question.")
    page.get_by_label("Adresse e-mail").fill("a@exemple.test")
    page.get_by_role("button", name="Envoyer la demande").click()
    assert page.locator("#ticket-number").inner_text() == Ticket.objects.get().number
