"""Journey: a request for help and its answer reach the pages that are open, without reloading."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.accounts.testing import actor_for, make_user
from relais.portal import actions
from relais.portal.models import Ticket
from tests.browser.journey import House, see

pytestmark = pytest.mark.browser
PageOf = Callable[..., Any]


def ask(house: House, subject: str) -> Ticket:
    return actions.ask(
        actor=actor_for(house.secretary), key=uuid.uuid4(), service="Téléconsultation", subject=subject,
        text="Avec le casque.", email=house.secretary.user.email,
    )  # fmt: skip


def test_new_requests_and_answers_appear_in_the_open_list_and_in_the_open_conversation(
    house: House, page_of: PageOf, screens: Any
) -> None:
    agent = make_user("Morel", "Hugo", help_desk=True)
    desk = page_of(agent, "/support/")
    see(desk, "Tout est traité")
    screens("desk-empty", desk)
    ticket = ask(house, "Le son grésille")
    see(desk, "Le son grésille")
    see(desk, "Une demande à traiter.")
    ask(house, "La caméra ne s’allume pas")
    see(desk, "2 demandes à traiter.")
    screens("desk-live", desk)
    mine = page_of(house.secretary, f"/aide/demandes/{ticket.pk}/")
    see(mine, "Avec le casque.")
    mine.get_by_label("Votre message").fill("Toujours pas.")
    answering = page_of(agent, "/support/")
    answering.get_by_role("link", name="Le son grésille").click()
    answering.get_by_label("Votre message").fill("Bonjour, montez le volume.")
    answering.get_by_role("button", name="Envoyer la réponse").click()
    see(mine, "Bonjour, montez le volume.")
    see(mine, "Répondue")
    expect(mine.get_by_label("Votre message")).to_have_value("Toujours pas.")
    screens("ticket-live", mine)
    desk.get_by_text("Le son grésille").wait_for(state="detached")
    mine.get_by_role("button", name="Envoyer").click()
    see(desk, "Le son grésille")


@pytest.mark.req("SU-03", "SU-04")
def test_a_family_asks_by_keyboard_copies_the_number_and_reads_the_answer(
    house: House, page_of: PageOf, screens: Any
) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    family = page_of(None, "/p/aide/", width=320, permissions=permissions)
    family.get_by_label("Autre chose").focus()
    family.keyboard.press("Space")
    family.keyboard.press("Tab")
    family.keyboard.type("Le lien ne s'ouvre pas.")
    family.keyboard.press("Tab")
    family.keyboard.press("Tab")
    family.keyboard.type("famille@exemple.test")
    family.keyboard.press("Enter")
    number = family.locator("#ticket-number").inner_text()
    screens("help-asked", family, widths=(320,))
    family.get_by_role("button", name="Copier le numéro").click()
    family.get_by_role("button", name="Numéro copié").wait_for()
    assert family.evaluate("navigator.clipboard.readText()") == number

    agent = page_of(make_user("Morel", "Hugo", help_desk=True), f"/support/?q={number}")
    screens("help-desk-found", agent)
    agent.get_by_role("link", name="Autre chose").click()
    agent.get_by_label("Votre message").fill("Bonjour, ouvrez-le avec un autre navigateur.")
    agent.get_by_role("button", name="Envoyer la réponse").dblclick()
    see(agent, "Votre message est envoyé")
    screens("help-answered", agent)

    family.get_by_role("link", name="Suivre la demande").click()
    family.get_by_label("Numéro de la demande").fill(number)
    family.get_by_label("Adresse e-mail ou téléphone").fill("famille@exemple.test")
    family.get_by_role("button", name="Voir la demande").click()
    see(family, "ouvrez-le avec un autre navigateur")
    screens("help-followed", family, widths=(320,))
    assert Ticket.objects.get(number=number).answers.count() == 1
