"""Journey: a third person by link.

The doctor invites an interpreter during the call; the link and codes come by SMS; the interpreter waits at the door
until let in, stands in the list as *non authentifié*, sees nothing of the patient's space, and leaves when sent away.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.notifications.testing import SmsGateway
from tests.browser.call_scene import PROBE, in_call, wait_for_frames
from tests.browser.journey import CHIMES, TELEPHONE, House, book, link_in, said, see

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]


@pytest.mark.req("TC-38")
def test_an_interpreter_is_invited_let_in_and_sent_away(
    house: House, page_of: Callable[..., Any], site: Any, screens: Any, sms_gateway: SmsGateway,
    run_jobs: Callable[[], int],
) -> None:  # fmt: skip
    scene = book(house)
    doctor = page_of(house.doctor, scene.path, scripts=(PROBE, CHIMES))
    patient = page_of(scene.grant, "/p/rendez-vous/", scripts=(PROBE,), **TELEPHONE)
    doctor.get_by_role("button", name="Rejoindre").first.click()
    doctor.get_by_role("button", name="Rejoindre avec caméra et micro").click()
    patient.get_by_role("button", name="Rejoindre").click()
    patient.get_by_role("button", name="Allumer ma caméra et mon micro").click()
    in_call(doctor, patient)

    doctor.get_by_role("button", name="Personnes").click()
    doctor.get_by_label("Nom et lien avec le patient").fill("Alex Roy, interprète")
    doctor.get_by_label("Téléphone mobile").fill("06 39 98 00 77")
    doctor.get_by_role("button", name="Envoyer l’invitation").dblclick()
    see(doctor, "Invitation envoyée. La personne attendra que vous l’admettiez.")
    for label in ("Nom et lien avec le patient", "Téléphone mobile"):
        expect(doctor.get_by_label(label)).to_have_value("")
    screens("third-invited", doctor)
    run_jobs()
    (text,) = sms_gateway.to("+33639980077")

    guest = page_of(None, scripts=(PROBE,), **TELEPHONE)
    guest.goto(link_in(text))
    guest.get_by_label("Identifiant").fill(said(text, "Identifiant"))
    guest.get_by_label("Mot de passe").fill(said(text, "Mot de passe"))
    guest.get_by_role("button", name="Entrer").click()
    guest.get_by_role("button", name="Allumer ma caméra et mon micro").click()
    guest.get_by_role("heading", name="Vous attendez à la porte").wait_for()
    screens("third-door", guest, widths=(320,))
    see(doctor, "Alex Roy, interprète attend à la porte")
    doctor.wait_for_function("() => window.chimes.length === 1 && window.chimes[0]")
    assert doctor.title().startswith("(1) En attente · ")
    expect(patient.locator("[data-door]")).to_have_count(0)
    screens("third-asks", doctor)
    doctor.get_by_role("region", name="En attente à la porte").get_by_role("button", name="Faire entrer").click()
    in_call(doctor, patient, guest)

    doctor.locator(".tile-warning", has_text="Non authentifié").wait_for()
    assert not doctor.title().startswith("(")
    listed = doctor.locator("#room-people li", has_text="Alex Roy, interprète")
    listed.get_by_text("Non authentifié").first.wait_for()
    screens("third-inside", doctor)
    guest.goto(f"{site.base}/p/rendez-vous/documents/", wait_until="commit")
    assert "Mes documents" not in guest.content()
    guest.expected.append("404")
    guest.goto(f"{site.base}/p/rendez-vous/appel/")
    in_call(doctor, patient, guest)

    listed.get_by_role("button", name="Retirer de l’appel").click()
    guest.get_by_role("heading", name="Vous n’êtes plus dans l’appel").wait_for()
    for page in (doctor, patient):
        wait_for_frames(page, links=1)
