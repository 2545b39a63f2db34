"""A permanent room between real browsers: one tap in, an alert on every page of those of the place, one way out."""

from collections.abc import Callable
from typing import Any

import pytest

from relais.meetings.testing import make_scene
from tests.browser.call_scene import PROBE, in_call

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]
RUNG = "document.addEventListener('relais:chime', () => { window.rung = (window.rung || 0) + 1; });"


@pytest.mark.req("VR-01", "VR-02", "VR-04", "VR-05")
def test_after_the_call_two_meet_in_the_nursing_home_s_room_and_whoever_knocks_is_heard(
    site: Any, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    scene = make_scene()
    nurse = page_of(scene.nurse, "/", scripts=(PROBE, RUNG))
    nurse.mouse.click(5, 400)  # browsers let a page sound once it was touched
    regulator = page_of(scene.regulator, "/salles-esms/", scripts=(PROBE,))
    regulator.fill("#p-q", "mesanges")
    regulator.get_by_role("button", name="Chercher").click()
    regulator.get_by_role("button", name="Entrer : EHPAD Les Mésanges").click()
    regulator.wait_for_selector("text=Vous êtes dans l’appel")
    nurse.get_by_role("link", name="1 personne attend").wait_for()
    nurse.wait_for_function("() => window.rung > 0")
    screens("quick-alert", nurse, widths=(1280,))
    nurse.get_by_role("link", name="DISPOSITIF COVID-19 – ACCÈS SALLES ESMS").click()
    screens("quick-places", nurse, full=True)
    nurse.get_by_role("button", name="Entrer : EHPAD Les Mésanges").click()
    in_call(nurse, regulator)
    stranger = page_of(scene.stranger, "/salles-esms/?q=mesanges")
    stranger.get_by_role("button", name="Demander à entrer : EHPAD Les Mésanges").click()
    nurse.get_by_role("button", name="Refuser : Dr Claire Lointain (Cabinet du Port)").wait_for()
    screens("quick-door", stranger, widths=(320,))
    screens("quick-room", nurse)
    nurse.click("[data-control=leave]:has-text('QUITTER LA SALLE')")
    nurse.wait_for_url("**/salles-esms/")
    threshold = nurse.context.new_page()
    threshold.goto(site.base + f"/salles-esms/{scene.home.pk}/")
    nurse.get_by_text("Va entrer").first.wait_for()
    threshold.close()
    nurse.goto(site.base + f"/salles-esms/{scene.home.pk}/passages")
    nurse.get_by_role("row", name="Dr Paul Roche (SAMU 93)").get_by_text("Dans la salle").first.wait_for()
    screens("quick-stays", nurse)
