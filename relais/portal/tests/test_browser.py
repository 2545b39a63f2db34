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
    "/accessibilite/",
    "/mentions-legales/",
]


def sideways(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("width", [1280, 320])
def test_public_pages(live_server: Any, open_page: Callable[..., Any], axe: Callable[..., list], width: int) -> None:
    call_command("demo_region", size="small", verbosity=0)
    page = open_page(width=width)
    for path in PUBLIC:
        page.goto(live_server.url + path)
        assert (path, axe(page), sideways(page)) == (path, [], 0)


@pytest.mark.req("SU-03", "SU-04")
def test_a_family_asks_by_keyboard_copies_the_number_and_reads_the_answer(
    live_server: Any, open_page: Callable[..., Any], axe: Callable[..., list]
) -> None:
    call_command("demo_region", size="small", verbosity=0)
    family = open_page(live_server.url + "/p/aide/", width=320, permissions=["clipboard-read", "clipboard-write"])
    family.get_by_label("Autre chose").focus()
    family.keyboard.press("Space")
    family.keyboard.press("Tab")
    family.keyboard.type("Le lien ne s'ouvre pas.")
    family.keyboard.press("Tab")
    family.keyboard.press("Tab")
    family.keyboard.type("famille@exemple.test")
    family.keyboard.press("Enter")
    number = family.locator("#ticket-number").inner_text()
    assert axe(family) == []
    family.get_by_role("button", name="Copier le numéro").click()
    family.get_by_role("button", name="Numéro copié").wait_for()
    assert family.evaluate("navigator.clipboard.readText()") == number

    agent = open_page(live_server.url + "/demo/")
    agent.get_by_role("button", name="Ouvrir comme agent").click()
    agent.goto(f"{live_server.url}/support/?q={number}")
    assert axe(agent) == []
    agent.get_by_role("link", name="Autre chose").click()
    agent.get_by_label("Votre message").fill("Bonjour, ouvrez-le avec un autre navigateur.")
    agent.get_by_role("button", name="Envoyer la réponse").dblclick()
    agent.get_by_text("Votre message est envoyé").wait_for()
    assert axe(agent) == []

    family.get_by_role("link", name="Suivre la demande").click()
    family.get_by_label("Numéro de la demande").fill(number)
    family.get_by_label("Adresse e-mail ou téléphone").fill("famille@exemple.test")
    family.get_by_role("button", name="Voir la demande").click()
    family.get_by_text("ouvrez-le avec un autre navigateur").wait_for()
    assert (axe(family), sideways(family)) == ([], 0)
    assert Ticket.objects.get(number=number).answers.count() == 1


def test_without_scripts_help_still_works(live_server: Any, open_page: Callable[..., Any]) -> None:
    page = open_page(live_server.url + "/aide/", java_script_enabled=False)
    page.get_by_label("Objet").fill("Sans script")
    page.get_by_label("Votre question").fill("Une question.")
    page.get_by_label("Adresse e-mail").fill("a@exemple.test")
    page.get_by_role("button", name="Envoyer la demande").click()
    assert page.locator("#ticket-number").inner_text() == Ticket.objects.get().number
