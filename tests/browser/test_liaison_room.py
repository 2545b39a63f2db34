"""From one request to its decision: nurse on a tablet that loses its network, doctor on a telephone and SAMU in one room,
three real windows."""

from collections.abc import Callable
from typing import Any

import pytest

from relais.liaison.actions import asking
from relais.liaison.models import Request
from relais.liaison.testing import answers, make_home
from tests.browser.call_scene import PROBE, in_call

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]
# Six pictures are coded at once on one machine: small ones.
SMALL = """(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    ask({ ...wanted, video: wanted.video && { width: 160, height: 90, frameRate: 8 } });
})()"""
STILL = "navigator.vibrate = () => true;"  # nobody has touched the page yet
SCRIPTS = (PROBE, SMALL, STILL)


def leave(page: Any) -> None:
    page.locator("[data-control=leave]").click()
    page.get_by_role("link", name="Revenir à la demande").click()


def join(page: Any) -> None:
    page.get_by_role("button", name="la visio").first.click()
    page.locator("[data-choose=both]").click()


@pytest.mark.req("FG-02", "FG-07", "FG-08", "VR-04")
def test_nurse_doctor_and_samu_meet_from_the_request_and_the_decision_reaches_the_nurse(
    site: Any, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    scene = make_home(name="EHPAD des Sorbiers")
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    asking.keep_draft(actor=scene.nurse_actor, demand=draft, answers=answers(urgence="vitale", spo2=82, gir=None))
    doctor = page_of(scene.doctor, "/liaison/", width=320, height=640, scripts=SCRIPTS)
    nurse = page_of(scene.nurse, f"/liaison/{draft.pk}/saisie/", width=768, height=1024, scripts=SCRIPTS)
    nurse.locator("form[data-followed]").wait_for()
    nurse.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    nurse.context.set_offline(True)
    nurse.get_by_text("Pas de réseau : pour un avis maintenant, téléphonez").wait_for()
    nurse.get_by_role("button", name="Envoyer la demande").click()
    nurse.get_by_text("Personne ne l’a encore lue").wait_for()
    assert Request.objects.get().state == "brouillon"
    nurse.context.set_offline(False)
    nurse.get_by_text("Un message part à").first.wait_for()
    nurse.get_by_role("link", name="Ouvrir la demande").click()
    nurse.get_by_text("1 réponse à compléter").first.wait_for()
    screens("liaison-vital-home", nurse)
    nurse.set_viewport_size({"width": 768, "height": 1024})
    doctor.get_by_role("button", name="Prendre en charge").click()
    doctor.get_by_role("link", name="Rendre l’avis").wait_for()
    samu = page_of(scene.regulator, f"/liaison/{draft.pk}/", scripts=SCRIPTS)
    for page in (nurse, doctor, samu):
        join(page)
    in_call(nurse, doctor, samu)
    screens("liaison-room-doctor", doctor, widths=(320,))
    leave(doctor)
    doctor.get_by_role("link", name="Rendre l’avis").click()
    doctor.get_by_label("Décision").select_option("urgences-via-samu")
    doctor.get_by_label("Niveau de soins").select_option("pas-de-rea")
    doctor.get_by_label("Pourquoi").fill("Détresse respiratoire, vue en visio avec le SAMU.")
    doctor.get_by_label("Famille prévenue").select_option("oui")
    doctor.get_by_label("Prochaine évaluation").select_option("2")
    doctor.get_by_role("button", name="Rendre l’avis").click()
    doctor.get_by_text("l’EHPAD peut le lire").first.wait_for()
    leave(nurse)
    nurse.get_by_text("Détresse respiratoire, vue en visio avec le SAMU.").first.wait_for()
    assert Request.objects.get().state == "orientation-en-cours"
