"""In the call together: four people, messages, pictures."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import expect

from relais.accounts.testing import make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.testing.browser import until
from relais.patients.testing import make_grant
from relais.rooms import actions
from relais.rooms.models import Part
from tests.browser.call_scene import FRAMES, Scene, frames, in_call, wait_for_frames
from tests.browser.journey import CHIMES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]
Enter = Callable[..., Any]


# Twelve pictures are coded at once on one machine: small ones.
SMALL = """(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    ask({ ...wanted, video: wanted.video && { width: 160, height: 90, frameRate: 8 } });
})()"""


# Words of the bar with less than 4 px beside them in their button.
TIGHT = """() => Array.from(document.querySelectorAll('.call-button'))
  .filter((button) => {
    const box = button.getBoundingClientRect(), words = document.createRange();
    words.selectNodeContents(button);
    return Array.from(words.getClientRects()).some((one) => one.left < box.left + 4 || one.right > box.right - 4);
  })
  .map((button) => button.textContent.trim())"""


def another_guest(scene: Scene, name: str) -> Any:
    """A guest's way in, who waits at the door."""
    grant, _secrets = make_grant(scene.grant.patient, about=scene.room.about)
    actions.invite(
        actor=SYSTEM_ACTOR, room=scene.room, holder_id=grant.pk, part=Part.GUEST, name=name, authenticated=False
    )
    return grant


def let_in_from_the_door(doctor: Any, name: str) -> None:
    entry = doctor.get_by_role("region", name="En attente à la porte")
    entry.get_by_text(f"{name} attend à la porte").first.wait_for()
    entry.get_by_role("button", name="Faire entrer").click()


@pytest.mark.req("TC-38")
def test_four_people_see_each_other_and_a_fifth_waits_until_one_leaves(
    scene: Scene, enter: Enter, screens: Callable[..., None]
) -> None:
    small: dict[str, Any] = {"width": 320, "height": 480, "scripts": (SMALL,)}
    nurse_grant, fifth_grant = another_guest(scene, "Sam (infirmier)"), another_guest(scene, "Lou (sœur)")
    doctor, patient = (
        enter(scene.doctor, scene.path, **small),
        enter(scene.grant, scene.patient_path, **small),
    )
    interpreter = enter(scene.guest_grant, scene.patient_path, **small)
    let_in_from_the_door(doctor, "Alex (interprète)")
    nurse = enter(nurse_grant, scene.patient_path, **small)
    let_in_from_the_door(doctor, "Sam (infirmier)")
    four = (doctor, patient, interpreter, nurse)
    in_call(*four)
    for page in four:
        expect(page.locator(".tile")).to_have_count(3)
    assert doctor.evaluate(TIGHT) == [], "the words of the bar have room in their buttons at 320 px"

    fifth = enter(fifth_grant, scene.patient_path, "none", **small)
    knocks: list[str] = []
    fifth.on("request", lambda request: knocks.append(request.url) if request.url.endswith("/entrer") else None)
    let_in_from_the_door(doctor, "Lou (sœur)")
    fifth.get_by_role("heading", name="L’appel est complet").wait_for()
    fifth.get_by_text("4 personnes au plus").and_(fifth.get_by_text("vous entrerez dès qu’une place")).wait_for()
    expect(fifth.locator("[data-problem]")).to_be_hidden()
    screens("call-full", fifth)
    doctor.click("[data-panel-open=people]")
    doctor.locator("#room-people li:has-text('Lou (sœur)') .badge:has-text('Attend une place')").wait_for()
    screens("call-full-people", doctor)
    doctor.click("[data-panel-close]")
    assert knocks == [], "a page that knows that the call is full does not ask to enter"
    for page in four:
        before = frames(page)
        until(page, f"async (before) => (await ({FRAMES})()).every((n, i) => n > before[i])", before)

    nurse.click("[data-control=leave]")
    fifth.locator("[data-room][data-phase=inside]").wait_for()
    for page in (doctor, patient, interpreter):
        wait_for_frames(page, links=3, more_than=-1)


def test_a_second_professional_too_enters_a_full_call_once_a_place_is_free(scene: Scene, enter: Enter) -> None:
    actions.open_room(actor=SYSTEM_ACTOR, about=scene.room.about, max_people=2)
    colleague = make_practitioner(title="Dr", family_name="Petit", given_name="Jean")
    common: dict[str, Any] = {"actor": SYSTEM_ACTOR, "room": scene.room, "authenticated": True}
    actions.invite(holder_id=colleague.user_id, part=Part.HOST, name="Dr Jean Petit", **common)
    doctor = enter(scene.doctor, scene.path, "none")
    patient = enter(scene.grant, scene.patient_path, "none")
    doctor.wait_for_selector(".tile")
    second = enter(colleague, scene.path, "")
    second.expected.append("409")
    second.click("[data-choose=none]")
    second.get_by_role("heading", name="L’appel est complet").wait_for()
    second.locator("[data-problem]").wait_for(state="hidden")  # the sentence of the refusal gives way to it
    patient.click("[data-control=leave]")
    second.locator("[data-room][data-phase=inside]").wait_for()


@pytest.mark.req("TC-43")
def test_messages_go_both_ways_and_unread_ones_are_counted(
    scene: Scene, enter: Enter, screens: Callable[..., None]
) -> None:
    doctor = enter(scene.doctor, scene.path, "none")
    patient = enter(scene.grant, scene.patient_path, "none", width=390, height=760)
    doctor.wait_for_selector(".tile")
    doctor.click("[data-panel-open=lines]")
    doctor.fill("#room-text", "Pouvez-vous couper le son de la télévision ?")
    doctor.keyboard.press("Enter")
    patient.wait_for_selector("[data-unread]:has-text('1 nouveau')")
    patient.click("[data-panel-open=lines]")
    patient.wait_for_selector("[data-unread]", state="hidden")
    patient.fill("#room-text", "Oui, voilà.")
    doctor.fill("#room-text", "Merci bea")
    patient.click("[data-say] button")
    doctor.wait_for_selector("#room-lines:has-text('Oui, voilà.')")
    assert doctor.input_value("#room-text") == "Merci bea", "what is typed stays"
    assert patient.input_value("#room-text") == ""
    screens("call-messages", doctor)
    screens("call-messages-patient", patient, widths=(320,))


def with_capture(page: Any, scene: Scene, kept: list[bytes]) -> None:
    """Give the page of rooms what a workflow gives it: an address for pictures, and the buttons."""

    def page_of_a_workflow(route: Any) -> None:
        body = route.fetch().text().replace('"captureUrl": ""', '"captureUrl": "/prise"')
        buttons = render_to_string("rooms/capture_buttons.html")
        route.fulfill(
            body=body.replace(
                '<button type="button" class="call-button" data-panel-open="lines"',
                buttons + '<button type="button" class="call-button" data-panel-open="lines"',
            ),
            content_type="text/html",
        )

    def keep(route: Any) -> None:
        kept.append(route.request.post_data_buffer)
        route.fulfill(status=201, json={})

    page.route(re.compile(re.escape(scene.path) + "$"), page_of_a_workflow)
    page.route("**/prise", keep)


@pytest.fixture
def filmed(site: Any, scene: Scene, page_of: Callable[..., Any], enter: Enter) -> tuple[Any, Any, list[bytes]]:
    """A doctor who may take pictures, a patient, and what was kept."""
    kept: list[bytes] = []
    doctor = page_of(scene.doctor)
    with_capture(doctor, scene, kept)
    doctor.goto(site.base + scene.path)
    doctor.click("[data-choose=both]")
    patient = enter(scene.grant, scene.patient_path, width=390, height=760)
    doctor.wait_for_selector(".tile")
    doctor.wait_for_selector(".tile-cover", state="hidden")
    return doctor, patient, kept


@pytest.mark.req("TC-42")
def test_a_photograph_is_taken_once_the_patient_agrees(
    filmed: tuple[Any, Any, list[bytes]], screens: Callable[..., None]
) -> None:
    doctor, patient, kept = filmed
    doctor.click("[data-control=photo]")
    patient.wait_for_selector("h2:has-text('Dr Claire Martin demande à prendre une photo')")
    screens("call-consent", patient)
    doctor.wait_for_selector("text=La personne doit d’abord accepter")
    assert doctor.is_hidden("[data-taken]")
    patient.click("[data-consent-yes]")
    doctor.wait_for_selector("h2:has-text('Photo prise')")
    screens("call-photo", doctor)
    doctor.click("[data-taken-keep]")
    doctor.wait_for_selector("text=Ajouté au dossier.")
    assert b'name="kind"\r\n\r\nphoto' in kept[0]
    assert b'name="consent"' in kept[0]
    assert b"\xff\xd8\xff" in kept[0], "a JPEG"


def test_a_patient_who_refuses_is_not_photographed(filmed: tuple[Any, Any, list[bytes]]) -> None:
    doctor, patient, kept = filmed
    doctor.click("[data-control=photo]")
    patient.click("[data-consent-no]")
    doctor.wait_for_selector("text=La personne a refusé. Rien n’a été enregistré.")
    assert doctor.is_hidden("[data-taken]")
    assert kept == []


@pytest.mark.req("TC-42")
def test_a_clip_says_so_on_both_sides_and_the_patient_can_stop_it(
    filmed: tuple[Any, Any, list[bytes]], screens: Callable[..., None]
) -> None:
    doctor, patient, kept = filmed
    doctor.click("[data-control=clip]")
    patient.wait_for_selector("h2:has-text('demande à enregistrer un extrait vidéo')")
    patient.click("[data-consent-yes]")
    doctor.wait_for_selector("text=Enregistrement en cours")
    patient.wait_for_selector("text=Le professionnel enregistre votre image")
    doctor.wait_for_timeout(2500)
    screens("call-recorded-patient", patient, widths=(320,))
    patient.click("[data-recording-stop]")
    doctor.wait_for_selector("h2:has-text('Extrait enregistré')")
    patient.wait_for_selector("[data-recording]", state="hidden")
    doctor.click("[data-taken-keep]")
    doctor.wait_for_selector("text=Ajouté au dossier.")
    assert b'name="kind"\r\n\r\nclip' in kept[0]
    assert b"\x1a\x45\xdf\xa3" in kept[0], "a WebM"


# What browsers do to a page that nobody has touched yet; Chromium without a window lets it sound.
MUZZLED = """(() => {
  const play = HTMLMediaElement.prototype.play;
  let touched = false;
  window.addEventListener('pointerdown', () => { touched = true; }, true);
  HTMLMediaElement.prototype.play = function () {
    return touched || this.muted ? play.call(this) : Promise.reject(new DOMException('', 'NotAllowedError'));
  };
})()"""


def test_a_page_that_may_not_sound_yet_says_so(scene: Scene, enter: Enter, screens: Callable[..., None]) -> None:
    doctor = enter(scene.doctor, scene.path, "", scripts=(CHIMES, MUZZLED))
    enter(scene.guest_grant, scene.patient_path, "")
    doctor.wait_for_selector("[data-door]:has-text('Alex (interprète) attend à la porte')")
    doctor.wait_for_selector("[data-chime-blocked]:has-text('Le navigateur bloque le son de cette page.')")
    screens("call-chime-blocked", doctor, widths=(1280,))
    doctor.click("[data-chime-blocked] button")
    doctor.wait_for_selector("[data-chime-blocked]", state="detached")
    assert doctor.evaluate("window.chimes.slice(-1)[0]") is True
