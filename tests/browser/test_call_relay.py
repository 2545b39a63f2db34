"""Calls through a real relay (coturn on the loopback, with the file of deploy/): forced, cut and back, wrong secret."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relais.rooms.models import Room
from tests.browser.call_scene import Scene, frames, in_call, wait_for_frames
from tests.browser.conftest import ROOT, Server, Site, wait_until_idle

SECRET = "a secret of these tests"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("calls"),
    pytest.mark.skipif(not shutil.which("turnserver"), reason="coturn is not installed (package coturn)"),
]


def quiet_port() -> int:
    """Free for UDP and TCP, and below those that the system gives to lines that go out: it stays so while the relay is down."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return pytest.fail("No port is free.")


class Relay:
    """coturn with our configuration, but for what the loopback needs and must never ship."""

    def __init__(self, folder: Path) -> None:
        self.port = quiet_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, secret: str = SECRET) -> None:
        shipped = (ROOT / "deploy" / "turnserver.conf").read_text()
        file = self._folder / "turnserver.conf"
        file.write_text(shipped.replace("REPLACE-THIS-SECRET", secret).replace("\nsyslog\n", "\n"))
        options = [
            f"--listening-port={self.port}",
            "--listening-ip=127.0.0.1",
            "--relay-ip=127.0.0.1",
            "--allow-loopback-peers",
            "--allowed-peer-ip=127.0.0.1",
            "--no-tls",
            "--no-dtls",
            f"--pidfile={self._folder}/pid",
            f"--userdb={self._folder}/turndb",
            "--log-file=stdout",
        ]
        log = (self._folder / "turn.log").open("ab")
        with log:
            self._process = subprocess.Popen(["turnserver", "-c", str(file), *options], stdout=log, stderr=log)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail((self._folder / "turn.log").read_text()[-2000:])

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Relay:
    """Where the relay of a module's tests will be."""
    return Relay(tmp_path_factory.mktemp("relay"))


@pytest.fixture
def relay(place: Relay) -> Iterator[Relay]:
    """Not started: each test says with which secret."""
    yield place
    place.stop()


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, django_db_blocker: Any, place: Relay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A site of its own that knows the relay."""
    urls = f"turn:127.0.0.1:{place.port}?transport=udp,turn:127.0.0.1:{place.port}?transport=tcp"
    made = Server(tmp_path_factory.mktemp("site") / "server.log", TURN_URLS=urls, TURN_SECRET=SECRET)
    with django_db_blocker.unblock():
        made.start()
    yield made
    made.stop()


@pytest.fixture
def site(transactional_db: None, relay: Relay, server: Server) -> Iterator[Site]:
    yield Site(server)
    wait_until_idle()


@pytest.fixture
def relayed(scene: Scene) -> Scene:
    """The establishment wants every call to go through its relay."""
    Room.objects.update(relay_only=True)
    return scene


def types_of_candidates(page: Any) -> set[str]:
    return set(
        page.evaluate("""async () => {
          const types = [];
          for (const link of window.relaisConnections()) {
            const stats = await link.getStats();
            stats.forEach((entry) => {
              if (entry.type === 'candidate-pair' && entry.nominated) {
                types.push(stats.get(entry.localCandidateId).candidateType);
              }
            });
          }
          return types;
        }""")
    )


def test_a_call_forced_through_the_relay_and_back_after_the_relay_was_down(
    relayed: Scene, relay: Relay, enter: Callable[..., Any], screens: Callable[..., None]
) -> None:
    relay.start()
    doctor, patient = enter(relayed.doctor, relayed.path), enter(relayed.grant, relayed.patient_path)
    in_call(doctor, patient)
    assert types_of_candidates(doctor) == {"relay"}
    relay.stop()
    returning = ".tile-reason:has-text('Connexion interrompue. Reprise automatique…')"
    doctor.wait_for_selector(returning, timeout=40_000)
    screens("call-interrupted", doctor, widths=(1280,))
    relay.start()
    doctor.wait_for_selector(returning, state="hidden", timeout=60_000)
    for page in (doctor, patient):
        wait_for_frames(page, more_than=max(frames(page)))


def test_a_relay_with_another_secret_lets_nobody_through(
    relayed: Scene, relay: Relay, enter: Callable[..., Any]
) -> None:
    relay.start("another secret")
    doctor, patient = enter(relayed.doctor, relayed.path), enter(relayed.grant, relayed.patient_path)
    doctor.wait_for_selector(".tile-reason:has-text('Connexion en cours…')")
    doctor.wait_for_timeout(4000)
    assert frames(doctor) == [0]
    assert frames(patient) == [0]


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [(SECRET, "Le relais vidéo répond."), ("another secret", "Le relais vidéo ne répond pas")],
)
def test_the_self_test_tells_whether_the_relay_answers(
    scene: Scene, relay: Relay, page_of: Callable[..., Any], secret: str, sentence: str
) -> None:
    relay.start(secret)
    page = page_of(scene.grant, "/p/salles/test/")
    page.click("[data-start]")
    page.click("text=Oui, je me vois")
    page.click("[data-step=speaker] button:has-text('Oui')", timeout=20_000)
    page.wait_for_selector(f"[data-step=network] [data-note]:has-text('{sentence}')", timeout=20_000)
