"""The self-test of the device: all well, and each cause of failure."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.core.times import full
from relais.rooms.queries import last_test
from tests.browser.call_scene import Scene
from tests.browser.journey import House, book, see

pytestmark = pytest.mark.browser
ASKED = """(() => {
  window.asked = 0;
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => { window.asked += 1; return ask(wanted); };
})()"""
QUIET = """(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    if (!wanted.audio) { return ask(wanted); }
    return Promise.resolve(new AudioContext().createMediaStreamDestination().stream);
  };
})()"""


def failing(kind: str, name: str) -> str:
    return f"""(() => {{
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wanted) =>
        wanted.{kind} ? Promise.reject(new DOMException('no', '{name}')) : ask(wanted);
    }})()"""


THIN = {"latency": 0, "downloadThroughput": 34_000, "uploadThroughput": -1}  # bytes a second: 272 kbit/s
LATE = {"latency": 750, "downloadThroughput": -1, "uploadThroughput": -1}  # ms


def throttle(page: Any, conditions: dict[str, int]) -> None:
    """From now on the page's line is this one."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.send("Network.emulateNetworkConditions", {"offline": False, **conditions})


def run(page: Any, *, camera: str = "Oui, je me vois", speaker: str = "Oui") -> None:
    """Press the button, answer the questions that come, wait for the result."""
    page.click("[data-start]")
    for _ in range(240):
        for step, answer in (("camera", camera), ("speaker", speaker)):
            button = page.query_selector(f"[data-step={step}] button:text-is('{answer}')")
            if button and button.is_visible():
                button.click()
        if page.is_visible("[data-summary]"):
            return
        page.wait_for_timeout(100)
    pytest.fail("The self-test did not end.")


def note(page: Any, step: str) -> str:
    return page.inner_text(f"[data-step={step}] [data-note]")


@pytest.mark.req("TC-10", "TC-31", "TC-32")
def test_all_is_well(scene: Scene, page_of: Callable[..., Any], screens: Callable[..., None]) -> None:
    page = page_of(scene.grant, "/p/salles/test/", scripts=(ASKED,))
    page.wait_for_timeout(300)
    assert page.evaluate("window.asked") == 0, "nothing is asked before the button"
    screens("selftest-before", page)
    page.click("[data-start]")
    page.wait_for_selector("text=Oui, je me vois")
    page.wait_for_timeout(500)
    screens("selftest-camera", page)
    page.click("text=Oui, je me vois")
    page.click("[data-step=speaker] button:text-is('Oui')", timeout=20_000)
    page.wait_for_selector("text=Votre équipement est prêt.", timeout=20_000)
    assert "Relais vidéo : non configuré." in note(page, "network")
    screens("selftest-done", page, full=True)
    with page.expect_download() as download:
        page.click("[data-report]")
    text = download.value.path().read_text()
    assert "Réussi" in text
    assert "Chrome" in text
    test = last_test(scene.room.about)
    assert test is not None
    assert test.outcome == "ok"
    assert test.details["facts"]["down_kbps"] > 0


@pytest.mark.parametrize(
    ("step", "script", "sentence"),
    [
        ("camera", failing("video", "NotAllowedError"), "Cliquez sur le cadenas"),
        ("camera", failing("video", "NotFoundError"), "Branchez une webcam"),
        ("camera", failing("video", "NotReadableError"), "utilisée par une autre application"),
        ("microphone", failing("audio", "NotAllowedError"), "Cliquez sur le cadenas"),
        ("microphone", failing("audio", "NotFoundError"), "Aucun micro"),
        ("browser", "delete window.RTCPeerConnection", "version récente"),
    ],
)
def test_each_failure_says_what_to_do_on_this_device(
    scene: Scene, page_of: Callable[..., Any], step: str, script: str, sentence: str
) -> None:
    page = page_of(scene.grant, "/p/salles/test/", scripts=(script,))
    run(page)
    assert sentence in note(page, step)
    assert "Vous pouvez tout de même rejoindre" in page.inner_text("[data-summary]")
    test = last_test(scene.room.about)
    assert test is not None
    assert (test.outcome, test.details["parts"][step]["result"]) == ("ko", "ko")


def test_a_silent_microphone_and_an_unheard_sound_fail(
    scene: Scene, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    page = page_of(scene.grant, "/p/salles/test/", scripts=(QUIET,))
    page.expected.append("AudioContext was not allowed to start")
    run(page, speaker="Non")
    assert "Le micro n’a rien entendu." in note(page, "microphone")
    assert "Montez le volume" in note(page, "speaker")
    screens("selftest-failed", page, full=True)


def test_a_server_out_of_reach_fails_the_line_and_says_that_nothing_was_kept(
    scene: Scene, page_of: Callable[..., Any]
) -> None:
    page = page_of(scene.grant, "/p/salles/test/")
    page.expected += ["Failed to load resource", "net::ERR"]
    page.route("**/test/serveurs", lambda route: route.abort())
    page.route("**/test/resultat", lambda route: route.abort())
    run(page)
    assert "Le serveur ne répond pas." in note(page, "network")
    assert "Le résultat n’a pas pu être enregistré." in page.inner_text("[data-summary]")


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        pytest.param(THIN, "La connexion est trop lente pour une bonne vidéo", id="thin"),
        pytest.param(LATE, "La connexion répond lentement", id="late"),
    ],
)
def test_a_slow_line_fails_with_its_figures_and_says_what_to_do(
    scene: Scene, page_of: Callable[..., Any], conditions: dict[str, int], sentence: str
) -> None:
    page = page_of(scene.grant, "/p/salles/test/")
    throttle(page, conditions)
    run(page)
    assert sentence in note(page, "network")
    assert "Rapprochez-vous de la box" in note(page, "network")
    assert re.fullmatch(r"\d+ ms · ↓ \d+\.\d Mbit/s · ↑ \d+\.\d Mbit/s", page.inner_text("[data-figures]"))
    assert "Vous pouvez tout de même rejoindre" in page.inner_text("[data-summary]")
    test = last_test(scene.room.about)
    assert test is not None
    assert test.details["parts"]["network"]["result"] == "ko"
    facts = test.details["facts"]
    assert facts["down_kbps"] < 300 or facts["delay_ms"] > 600


@pytest.mark.req("TC-10", "TC-31", "TC-32")
def test_the_doctor_sees_a_failed_test_with_its_date_as_it_ends_on_dashboard_and_dossier(
    house: House, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    booked = book(house)
    dashboard, dossier = page_of(house.doctor, "/teleconsultation/"), page_of(house.doctor, booked.path)
    shown = [dashboard.locator("tr[data-row-link]"), dossier.locator("dl > div", has_text="Test du matériel")]
    for where in shown:
        where.get_by_text("Test non fait").first.wait_for()
    for page in (dashboard, dossier):
        page.evaluate("window.untouched = true")  # gone if the page were loaded again
    patient = page_of(
        booked.grant, "/p/rendez-vous/test/", scripts=(failing("audio", "NotFoundError"),), width=320, height=640
    )
    run(patient)
    for where in shown:
        where.get_by_text("Échec du test").first.wait_for()
        where.get_by_text("à l’instant").first.wait_for()
    test = last_test(booked.tele.pk)
    assert test is not None
    for where in shown:
        expect(where.get_by_title(full(test.created_at))).to_have_count(1)
    for page in (dashboard, dossier):
        assert page.evaluate("window.untouched")
    screens("selftest-failed-dashboard", dashboard)
    screens("selftest-failed-dossier", dossier)
    patient.get_by_role("link", name="Retour au rendez-vous").click()
    see(patient, "Le dernier test a trouvé un problème : voyez quoi faire.")
    patient.get_by_role("button", name="Rejoindre").wait_for()  # advised, never asked for


def test_advice_fits_a_telephone(scene: Scene, page_of: Callable[..., Any]) -> None:
    page = page_of(
        scene.grant,
        "/p/salles/test/",
        scripts=(failing("video", "NotAllowedError"),),
        user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 13_0 like Mac OS X) AppleWebKit/605.1.15 Version/13.0 Safari",
    )
    run(page)
    assert "Ouvrez Réglages, Safari, Caméra" in note(page, "camera")


def test_a_professional_tests_too(scene: Scene, page_of: Callable[..., Any], screens: Callable[..., None]) -> None:
    page = page_of(scene.doctor, "/salles/test/")
    screens("selftest-professional", page)
    run(page)
    assert last_test(scene.doctor.user_id) is not None
