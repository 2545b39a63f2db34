"""The way in, in a real browser: every screen at 1280 and 320 px, passkeys with a virtual authenticator, the clock."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import expect

from relais.accounts.actions.passwords import RESET, new_link
from relais.accounts.models import Role
from relais.accounts.testing import (
    PASSWORD,
    client_of,
    last_secret,
    make_establishment,
    make_member,
    make_practitioner,
    make_user,
    sign_in,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK, TELEPHONE = 1280, 320
Open = Callable[..., Any]


def enter(page: Any, client: Client, address: str) -> None:
    """Give the browser the session of a test client."""
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    page.context.add_cookies([{**cookie, "url": address}])


def add_authenticator(page: Any) -> Any:
    """A passkey device that answers by itself, as a finger on a reader would."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return device


@pytest.mark.req("TC-01")
def test_password_and_code_by_keyboard_alone(live_server: Any, open_page: Open, screens: Any) -> None:
    user = make_member(password=PASSWORD, mobile="+33639980042").user
    page = open_page(f"{live_server.url}/connexion/?next=/connexion/profil/", width=TELEPHONE)
    screens("accounts-sign-in", page)
    page.keyboard.type(user.email)  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("pas le bon")
    page.keyboard.press("Enter")
    page.get_by_role("alert").first.wait_for()
    screens("accounts-sign-in-refused", page)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Recevoir un code").wait_for()
    screens("accounts-code-choice", page)
    page.get_by_role("button", name="Recevoir un code par SMS").press("Enter")
    page.get_by_role("heading", name="Saisir le code reçu").wait_for()
    page.get_by_label("Code à 6 chiffres").fill("000 000")
    page.keyboard.press("Enter")
    page.get_by_text("Il reste 4 essais").first.wait_for()
    screens("accounts-code-wrong", page)
    page.get_by_label("Code à 6 chiffres").fill(last_secret(user)["code"])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Bienvenue").wait_for()
    screens("accounts-welcome", page)
    page.get_by_role("link", name="Plus tard, continuer").click()
    page.get_by_role("heading", name="Mon profil").wait_for()


def test_screens_of_an_account(live_server: Any, open_page: Open, screens: Any) -> None:
    here = make_establishment("Centre de santé des Tilleuls")
    manager = make_member(here, Role.MANAGER, password=PASSWORD, mobile="+33639980042")
    make_member(here, Role.SECRETARY, family_name="Lefebvre-Desmoulins", given_name="Marie-Antoinette")
    for number in range(9):
        make_member(make_establishment(f"Maison de santé pluridisciplinaire n° {number}"), user=manager.user)
    make_practitioner(here, family_name="Nguyen", given_name="Linh")
    client = sign_in(Client(), manager, confirmed=True)
    sign_in(Client(), manager)
    page = open_page(width=TELEPHONE)
    enter(page, client, live_server.url)
    pages = {
        "profile": "profil/",
        "mobile": "profil/mobile/",
        "devices": "appareils/",
        "choose": "etablissement/",
        "members": "membres/",
        "add-member": "membres/ajouter/",
        "security": "securite/",
        "application": "securite/application/ajouter/",
        "add-key": "securite/cles/ajouter/",
        "password-change": "mot-de-passe/changer/",
        "reauthenticate": "confirmer/",
    }
    for name, path in pages.items():
        page.goto(f"{live_server.url}/connexion/{path}")
        screens(f"accounts-{name}", page)
    page.goto(f"{live_server.url}/connexion/membres/")
    page.get_by_text("Retirer", exact=True).first.click()
    page.get_by_role("button", name="Retirer ce membre").wait_for()
    screens("accounts-remove-member", page)
    page.goto(f"{live_server.url}/connexion/membres/ajouter/")
    page.get_by_role("button", name="Ajouter ou inviter").click()
    screens("accounts-add-member-empty", page)


def test_screens_of_who_is_outside(live_server: Any, open_page: Open, screens: Any) -> None:
    page = open_page(f"{live_server.url}/connexion/mot-de-passe/oublie/", width=TELEPHONE)
    screens("accounts-ask-password", page)
    page.get_by_label("Adresse e-mail professionnelle").fill("personne@exemple.test")
    page.get_by_role("button", name="Recevoir un lien").click()
    screens("accounts-password-asked", page)
    nowhere = open_page(width=TELEPHONE)
    enter(nowhere, client_of(make_user()), live_server.url)
    nowhere.goto(f"{live_server.url}/connexion/etablissement/")
    screens("accounts-nowhere", nowhere)


def test_a_link_fills_the_form_and_leaves_the_address(live_server: Any, open_page: Open, screens: Any) -> None:
    user = make_member(password=PASSWORD).user
    secret = new_link(user, RESET).partition("#")[2]
    page = open_page(f"{live_server.url}/connexion/mot-de-passe/choisir/#{secret}", width=TELEPHONE)
    assert (secret in page.url, page.get_by_label("Code du lien").is_visible()) == (False, False)
    page.get_by_label("Nouveau mot de passe").fill("court")
    page.get_by_label("Le même, une seconde fois").fill("court")
    page.get_by_role("button", name="Enregistrer le mot de passe").click()
    screens("accounts-choose-password-refused", page, widths=(TELEPHONE,))
    page.get_by_label("Nouveau mot de passe").fill("une phrase assez longue")
    page.get_by_label("Le même, une seconde fois").fill("une phrase assez longue")
    page.get_by_role("button", name="Enregistrer le mot de passe").click()
    page.get_by_text("Votre mot de passe est enregistré").first.wait_for()
    user.refresh_from_db()
    assert user.check_password("une phrase assez longue")


def test_a_passkey_is_added_then_opens_a_session_alone_and_after_the_password(
    live_server: Any, open_page: Open, screens: Any
) -> None:
    member = make_member(password=PASSWORD)
    page = open_page()
    add_authenticator(page)
    enter(page, sign_in(Client(), member, confirmed=True), live_server.url)
    page.goto(f"{live_server.url}/connexion/securite/cles/ajouter/")
    page.get_by_label("Nom de cette clé").fill("Ordinateur du bureau")
    page.get_by_role("button", name="Ajouter la clé").click()
    page.get_by_role("button", name="Afficher mes codes").click()
    screens("accounts-recovery-codes", page, widths=(DESK,))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Enregistrer dans un fichier").click()
    codes = page.locator("[data-recovery-codes] li").all_inner_texts()
    assert len(codes) == 10
    assert all(code in saved.value.path().read_text() for code in codes)
    page.goto(f"{live_server.url}/connexion/securite/")
    screens("accounts-security-with-key", page, widths=(DESK,))
    assert Authenticator.objects.get(type="webauthn").wrap().name == "Ordinateur du bureau"

    page.context.clear_cookies()
    page.goto(f"{live_server.url}/connexion/?next=/connexion/appareils/")
    page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    page.get_by_role("heading", name="Mes appareils").wait_for()

    page.context.clear_cookies()
    page.goto(f"{live_server.url}/connexion/?next=/connexion/profil/")
    page.get_by_label("Adresse e-mail professionnelle").fill(member.user.email)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("heading", name="Confirmer que c’est vous").wait_for()
    screens("accounts-second-factor", page, widths=(DESK,))
    page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    page.get_by_role("heading", name="Mon profil").wait_for()


def test_a_device_without_the_key_gets_a_sentence(live_server: Any, open_page: Open) -> None:
    page = open_page(f"{live_server.url}/connexion/")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    no = "() => { navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
    page.evaluate(no)
    page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    page.get_by_text("La clé n’a pas répondu").first.wait_for()


def test_the_clock_asks_before_the_end_and_what_was_typed_comes_back(
    live_server: Any, open_page: Open, screens: Any
) -> None:
    manager = make_member(role=Role.MANAGER, password=PASSWORD)
    client = client_of(manager)
    page = open_page(width=TELEPHONE)
    enter(page, client, live_server.url)
    page.clock.install()
    page.goto(f"{live_server.url}/connexion/membres/ajouter/")
    page.get_by_label("Prénom").fill("Nina")

    _age(client, settings.SESSION_IDLE_SECONDS - 119)
    page.clock.fast_forward((settings.SESSION_IDLE_SECONDS - 119) * 1000)
    page.get_by_role("alertdialog", name="Toujours là ?").wait_for()
    screens("accounts-idle", page, widths=(TELEPHONE,))
    page.get_by_role("button", name="Rester connecté").click()
    page.get_by_role("alertdialog").wait_for(state="hidden")

    _age(client, settings.SESSION_IDLE_SECONDS + 1)
    page.clock.fast_forward(settings.SESSION_IDLE_SECONDS * 1000)
    page.wait_for_url("**/connexion/?next=*")
    page.get_by_text("Votre session a pris fin").first.wait_for()
    enter(page, client_of(manager), live_server.url)
    page.goto(f"{live_server.url}/connexion/membres/ajouter/")
    expect(page.get_by_label("Prénom")).to_have_value("Nina")


def _age(client: Client, seconds: float) -> None:
    session = client.session
    session["active_at"] -= seconds
    session.save()
    assert Session.objects.filter(session_key=session.session_key).exists()
