"""The call between real browsers with fake cameras: frames are decoded on both sides, whatever happens to the line."""

from collections.abc import Callable
from typing import Any

import pytest

from relais.core.actor import SYSTEM_ACTOR
from relais.rooms import actions
from tests.browser.call_scene import Scene, frames, in_call, wait_for_frames

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]
Enter = Callable[..., Any]


@pytest.mark.req("TC-33", "TC-35", "TC-36", "TC-38", "TC-60")
def test_doctor_and_patient_see_each_other(scene: Scene, enter: Enter, screens: Callable[..., None]) -> None:
    patient = enter(scene.grant, scene.patient_path, "", width=390, height=760)
    patient.wait_for_selector("text=Le professionnel est prévenu. Gardez cette page ouverte.")
    screens("call-waiting-patient", patient)
    patient.click("[data-choose=both]")
    patient.wait_for_selector("text=Vous êtes prêt")
    screens("call-ready-patient", patient)
    doctor = enter(scene.doctor, scene.path, "")
    screens("call-prepare-doctor", doctor, widths=(1280,))
    doctor.click("[data-choose=both]")
    in_call(doctor, patient)
    for page in (doctor, patient):
        wait_for_frames(page, more_than=max(frames(page)))
    assert "Ligne" in doctor.inner_text("[data-quality-text]")
    doctor.click("[data-panel-close]")
    screens("call-doctor", doctor)
    screens("call-patient", patient)


def test_a_page_that_is_loaded_again_is_back_in_the_call(scene: Scene, enter: Enter) -> None:
    doctor, patient = enter(scene.doctor, scene.path), enter(scene.grant, scene.patient_path)
    in_call(doctor, patient)
    patient.reload()
    in_call(doctor, patient)
    doctor.reload()
    in_call(doctor, patient)


def test_the_call_outlives_a_restart_of_the_server(scene: Scene, enter: Enter, site: Any) -> None:
    doctor, patient = enter(scene.doctor, scene.path), enter(scene.grant, scene.patient_path)
    in_call(doctor, patient)
    for page in (doctor, patient):
        page.expected += ["Failed to load resource", "net::ERR", "htmx:sendError", "htmx:afterRequest"]
    site.server.stop()
    before = frames(doctor)[0]
    doctor.wait_for_selector("text=Connexion perdue", timeout=20_000)
    assert frames(doctor)[0] > before, "the pictures go from browser to browser"
    site.server.start()
    doctor.wait_for_selector("text=Connexion perdue", state="detached", timeout=20_000)
    doctor.click("[data-panel-open=lines]")
    doctor.fill("#room-text", "Toujours là ?")
    doctor.keyboard.press("Enter")
    patient.wait_for_selector("[data-unread]:not([hidden])", timeout=20_000)
    assert len(frames(doctor)) == 1


@pytest.mark.req("TC-39", "TC-41")
def test_microphone_and_camera_are_turned_off_on_and_changed(
    scene: Scene, enter: Enter, screens: Callable[..., None]
) -> None:
    doctor, patient = enter(scene.doctor, scene.path), enter(scene.grant, scene.patient_path)
    in_call(doctor, patient)
    patient.click("[data-control=microphone]")
    patient.click("[data-control=camera]")
    doctor.wait_for_selector(".tile-mark:has-text('Micro coupé'):visible")
    doctor.wait_for_selector(".tile-reason:has-text('Caméra coupée'):visible")
    screens("call-camera-off", doctor, widths=(1280,))
    patient.wait_for_selector("text=Votre caméra est coupée")
    patient.click("[data-control=microphone]")
    patient.click("[data-control=camera]")
    doctor.wait_for_selector(".tile-cover", state="hidden")
    before = patient.evaluate("document.querySelector('[data-self-video]').srcObject.getVideoTracks()[0].label")
    patient.click("[data-control=switch]")
    patient.wait_for_function(
        "(before) => {const stream = document.querySelector('[data-self-video]').srcObject;"
        "return stream && stream.getVideoTracks()[0].label !== before}",
        arg=before,
    )
    patient.click("[data-control=switch]")
    wait_for_frames(doctor, more_than=frames(doctor)[0] + 3)


@pytest.mark.req("TC-40")
def test_full_screen(scene: Scene, enter: Enter) -> None:
    doctor = enter(scene.doctor, scene.path)
    doctor.click("[data-control=full]")
    doctor.wait_for_function("() => document.fullscreenElement !== null")
    doctor.click("[data-control=full]")
    doctor.wait_for_function("() => document.fullscreenElement === null")


SPY = """(() => {
  window.asked = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => { window.asked.push(wanted); return ask(wanted); };
})()"""


@pytest.mark.parametrize(("how", "asked"), [("none", []), ("audio", [[True, False]])])
def test_without_camera_the_camera_is_never_asked_for(
    scene: Scene, enter: Enter, how: str, asked: list[list[bool]]
) -> None:
    doctor = enter(scene.doctor, scene.path)
    patient = enter(scene.grant, scene.patient_path, how, scripts=(SPY,))
    wait_for_frames(patient)
    assert patient.evaluate("window.asked.map((one) => [Boolean(one.audio), Boolean(one.video)])") == asked
    doctor.wait_for_selector(".tile-reason:has-text('Caméra coupée'):visible")


def refusing(name: str) -> str:
    return (
        "navigator.mediaDevices.getUserMedia = (wanted) => wanted.video && 'NAME' !== 'NotAllowedError' || 'NAME' ==="
        " 'NotAllowedError' ? Promise.reject(new DOMException('no', 'NAME')) : Promise.reject(new DOMException('', 'NAME'))"
    ).replace("NAME", name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "Touchez le cadenas à gauche de l’adresse"),
        ("NotFoundError", "n’a été trouvé sur cet appareil"),
        ("NotReadableError", "Fermez les autres applications"),
    ],
)
def test_a_camera_that_cannot_be_had_is_explained_and_one_can_go_on_without(
    scene: Scene, enter: Enter, screens: Callable[..., None], name: str, sentence: str
) -> None:
    doctor = enter(scene.doctor, scene.path, scripts=(refusing(name),))
    doctor.wait_for_selector(f"[data-problem]:has-text('{sentence}')")
    screens(f"call-{name}", doctor, widths=(1280,))
    doctor.click("[data-choose=none]")
    doctor.wait_for_selector("text=Vous êtes dans l’appel")


NO_CAMERA = """(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    wanted.video ? Promise.reject(new DOMException('none', 'NotFoundError')) : ask(wanted);
})()"""


@pytest.mark.req("TC-59")
def test_a_computer_without_camera_enters_with_its_sound(scene: Scene, enter: Enter) -> None:
    doctor = enter(scene.doctor, scene.path)
    patient = enter(scene.grant, scene.patient_path, scripts=(NO_CAMERA,))
    wait_for_frames(patient)
    doctor.wait_for_selector(".tile-reason:has-text('Caméra coupée'):visible")


@pytest.mark.req("TC-54")
def test_when_the_room_is_ended_both_read_so(scene: Scene, enter: Enter, screens: Callable[..., None]) -> None:
    doctor, patient = enter(scene.doctor, scene.path), enter(scene.grant, scene.patient_path)
    in_call(doctor, patient)
    actions.end_room(actor=SYSTEM_ACTOR, about=scene.room.about)
    for page in (doctor, patient):
        page.wait_for_selector("h2:has-text('L’appel est terminé')")
        page.wait_for_selector(".call-controls", state="hidden")
        assert page.evaluate("window.relaisConnections().length") == 0
    screens("call-ended-patient", patient)


def test_one_leaves_and_comes_back(scene: Scene, enter: Enter) -> None:
    doctor, patient = enter(scene.doctor, scene.path), enter(scene.grant, scene.patient_path)
    in_call(doctor, patient)
    patient.click("[data-control=leave]")
    patient.wait_for_selector("h2:has-text('Vous avez quitté l’appel')")
    doctor.wait_for_selector("text=Camille Durand a quitté l’appel.")
    patient.click("[data-again]")
    patient.click("[data-choose=both]")
    in_call(doctor, patient)


def test_the_same_person_in_a_second_window_takes_the_call_there(scene: Scene, enter: Enter) -> None:
    first = enter(scene.doctor, scene.path)
    first.wait_for_selector("text=Vous êtes dans l’appel")
    second = enter(scene.doctor, scene.path)
    second.wait_for_selector("text=Vous êtes dans l’appel")
    first.wait_for_selector("h2:has-text('L’appel continue dans une autre fenêtre')")


def test_the_call_works_by_keyboard_alone(scene: Scene, enter: Enter) -> None:
    doctor = enter(scene.doctor, scene.path, "")
    doctor.focus("[data-choose=both]")
    doctor.keyboard.press("Enter")
    doctor.wait_for_selector("text=Vous êtes dans l’appel")
    for control in ("[data-control=microphone]", "[data-control=camera]", "[data-panel-open=people]"):
        doctor.focus(control)
        doctor.keyboard.press("Enter")
    doctor.wait_for_selector("[data-control=microphone].is-off")
    doctor.wait_for_selector("[data-control=camera].is-off")
    doctor.wait_for_selector("#room-people li")
    doctor.focus("[data-self]")
    doctor.keyboard.press("Enter")
    assert doctor.get_attribute("[data-self]", "data-corner") == "2"
    doctor.focus("[data-control=leave]")
    doctor.keyboard.press("Enter")
    assert doctor.evaluate("document.activeElement.hasAttribute('data-over')")
