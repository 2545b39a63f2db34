"""Journey: the connection is lost and comes back.

The dashboard, the patient space and the waiting room say that what they show is old, and mend by themselves; who
closes the telephone's browser during the call comes back by the link, without password.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for
from relais.rooms.models import Presence
from relais.teleconsultation.actions import call
from tests.browser.call_scene import PROBE, in_call
from tests.browser.journey import TELEPHONE, House, book, see

pytestmark = pytest.mark.browser
PageOf = Callable[..., Any]
LOST = "Connexion perdue : les informations affichées datent de"


def test_pages_say_that_they_are_old_and_mend_by_themselves(
    house: House, page_of: PageOf, site: Any, screens: Any
) -> None:
    scene = book(house)
    doctor = page_of(house.doctor, "/teleconsultation/")
    patient = page_of(scene.grant, "/p/rendez-vous/", **TELEPHONE)
    see(doctor, "Connecté")
    for page in (doctor, patient):
        page.expected += ["Failed to load resource", "net::ERR", "htmx:"]
        page.evaluate("window.untouched = true")
    site.server.stop()
    for page in (doctor, patient):
        page.get_by_text(LOST).wait_for(timeout=30_000)
    screens("lost-dashboard", doctor)
    screens("lost-space", patient, widths=(320,))
    Presence.objects.update(place="waiting", since=timezone.now(), seen_at=timezone.now())
    call.join(actor=actor_for(house.doctor), tele=scene.tele)
    site.server.start()
    see(doctor, "En cours")
    see(patient, "Le professionnel vous attend")
    for page in (doctor, patient):
        page.get_by_text(LOST).wait_for(state="detached")
        assert page.evaluate("window.untouched")


def test_a_telephone_without_network_for_a_while_waits_on(house: House, page_of: PageOf, screens: Any) -> None:
    scene = book(house)
    patient = page_of(scene.grant, "/p/rendez-vous/", scripts=(PROBE,), **TELEPHONE)
    patient.get_by_role("button", name="Rejoindre").click()
    patient.get_by_role("button", name="Allumer ma caméra et mon micro").click()
    patient.get_by_role("heading", name="Vous êtes prêt").wait_for()
    patient.expected += ["Failed to load resource", "net::ERR", "htmx:"]
    patient.context.set_offline(True)
    doctor = page_of(house.doctor, scene.path, scripts=(PROBE,))
    doctor.get_by_role("button", name="Rejoindre").first.click()
    doctor.get_by_role("button", name="Rejoindre avec caméra et micro").click()
    see(doctor, "La vidéo commencera dès que l’autre personne sera là.")
    patient.context.set_offline(False)
    in_call(doctor, patient)
    screens("lost-back", patient, widths=(320,))


def test_who_closes_the_browser_comes_back_by_the_link(house: House, page_of: PageOf, site: Any) -> None:
    scene = book(house)
    doctor = page_of(house.doctor, scene.path, scripts=(PROBE,))
    doctor.get_by_role("button", name="Rejoindre").first.click()
    doctor.get_by_role("button", name="Rejoindre avec caméra et micro").click()
    patient = page_of(scene.grant, "/p/rendez-vous/", scripts=(PROBE,), **TELEPHONE)
    patient.get_by_role("button", name="Rejoindre").click()
    patient.get_by_role("button", name="Allumer ma caméra et mon micro").click()
    in_call(doctor, patient)
    patient.goto("about:blank")
    see(doctor, "La vidéo commencera dès que l’autre personne sera là.")
    patient.goto(f"{site.base}/p/{scene.grant.pk}/")
    patient.get_by_role("button", name="Rejoindre").click()
    in_call(doctor, patient)
