"""Journey: a doctor's morning by keyboard alone.

Password and authenticator application, the dashboard, the dossier of the next appointment, the call (in, muted,
message, out), the note: Tab, Enter, Space and arrows.
"""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time

from relais.accounts.testing import PASSWORD
from relais.dossiers.models import Note
from tests.browser.call_scene import PROBE
from tests.browser.journey import House, book, press, see, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def totp() -> str:
    """What the authenticator application shows now."""
    _before, now, _after = yield_hotp_counters_from_time()
    return format_hotp_value(hotp_value(SECRET, now))


@pytest.mark.req("TC-01", "TC-02", "TC-23", "TC-39")
def test_from_sign_in_to_the_end_of_the_call(house: House, page_of: Callable[..., Any], screens: Any) -> None:
    scene = book(house)
    TOTP.activate(house.doctor.user, SECRET)
    page = page_of(None, "/connexion/", scripts=(PROBE,))
    page.keyboard.type(house.doctor.user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Confirmer que c’est vous").wait_for()
    if not page.evaluate("document.activeElement.matches('[name=code]')"):
        tab_to(page, page.locator("[name=code]"))
    page.keyboard.type(totp())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Bonjour, ").wait_for()
    press(page, "link", "Téléconsultation")
    page.get_by_role("heading", name="Téléconsultations").wait_for()
    tab_to(page, page.locator("a.row-link"))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="DURAND").wait_for()
    screens("keyboard-dossier", page, full=True)

    tab_to(page, page.get_by_label("Note pour les professionnels"), most=90)
    page.keyboard.type("Vu par téléphone hier.")
    press(page, "button", "Ajouter cette note")
    see(page, "Vu par téléphone hier.")
    assert Note.objects.get().text == "Vu par téléphone hier."

    press(page, "button", "Rejoindre")
    press(page, "button", "Rejoindre avec caméra et micro")
    see(page, "La vidéo commencera dès que l’autre personne sera là.")
    microphone = page.locator("[data-control=microphone]")
    tab_to(page, microphone)
    page.keyboard.press("Space")
    see(page, "Micro coupé")
    page.keyboard.press("Space")
    page.locator("[data-control=microphone]:has-text('Micro'):not(:has-text('coupé'))").wait_for()
    press(page, "button", "Messages")
    page.keyboard.type("Bonjour")  # the field has the focus
    press(page, "button", "Envoyer")
    page.locator("#room-lines").get_by_text("Bonjour").first.wait_for()
    press(page, "button", "Quitter")
    page.get_by_role("heading", name="Vous avez quitté l’appel").wait_for()
    press(page, "link", "Revenir à mes rendez-vous")
    page.wait_for_url(f"**{scene.path}")
