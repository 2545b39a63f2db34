"""A call on a really bad line: the picture stops, the sound goes on, the picture returns when the line is good again.

Both pages reach each other through coturn alone, and coturn through a forwarder that loses packets when told to.
"""

import contextlib
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relais.core.testing.browser import until
from tests.browser.call_scene import FRAMES, Scene, in_call, wait_for_frames
from tests.browser.conftest import Server, Site, wait_until_idle
from tests.browser.test_call_relay import SECRET, Relay, place, relay, relayed  # noqa: F401 (fixtures)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("calls"),
    pytest.mark.skipif(not shutil.which("turnserver"), reason="coturn is not installed (package coturn)"),
]
# Small pictures, and a look at the line each second instead of every two: half as long to wait.
QUICK = """(() => {
  const every = window.setInterval.bind(window);
  window.setInterval = (work, pause, ...more) => every(work, pause === 2000 ? 1000 : pause, ...more);
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    ask({ ...wanted, video: wanted.video && { width: 320, height: 180, frameRate: 10 } });
})()"""
SOUND = """async () => {
  let packets = 0;
  for (const link of window.relaisConnections()) {
    (await link.getStats()).forEach((entry) => {
      if (entry.type === 'inbound-rtp' && entry.kind === 'audio') { packets += entry.packetsReceived; }
    });
  }
  return packets;
}"""


class Line(threading.Thread):
    """Datagrams between browsers and a relay; while `bad`, two of five packets of sound and picture are lost.

    What keeps a connection (TURN, connection checks, keys) always passes: a bad line is shown, not a broken one.
    """

    def __init__(self, relay_port: int) -> None:
        super().__init__()
        self.bad = False
        self._relay = ("127.0.0.1", relay_port)
        self._front = self._open()
        self.port = self._front.getsockname()[1]
        self._stopping = False

    def run(self) -> None:
        """This thread brings packets to the relay; one more for each browser's socket brings them back."""
        backs: dict[Any, socket.socket] = {}
        carriers: list[threading.Thread] = []
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                packet, sender = self._front.recvfrom(65536)
                if sender not in backs:
                    backs[sender] = self._open()
                    carriers.append(threading.Thread(target=self._bring_back, args=(backs[sender], sender)))
                    carriers[-1].start()
                backs[sender].sendto(packet, self._relay)
        for carrier in carriers:
            carrier.join()
        self._front.close()

    def stop(self) -> None:
        self._stopping = True
        self.join()

    def _bring_back(self, back: socket.socket, browser: Any) -> None:
        count = 0
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                packet = back.recv(65536)
                count += _is_media(packet)
                if not (self.bad and _is_media(packet) and count % 5 in (1, 3)):
                    self._front.sendto(packet, browser)
        back.close()

    @staticmethod
    def _open() -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.settimeout(0.3)
        return one


def _is_media(packet: bytes) -> bool:
    """RTP or RTCP (RFC 7983) inside a TURN channel message (RFC 8656, 12.4)."""
    return len(packet) > 4 and 0x40 <= packet[0] <= 0x4F and 128 <= packet[4] <= 191


@pytest.fixture
def line(relay: Relay) -> Iterator[Line]:  # noqa: F811
    line = Line(relay.port)
    line.start()
    yield line
    line.stop()


@pytest.fixture
def site(transactional_db: None, relay: Relay, line: Line, tmp_path: Path) -> Iterator[Site]:  # noqa: F811
    """A site of its own that knows the relay by the bad line alone."""
    relay.start()
    server = Server(tmp_path / "server.log", TURN_URLS=f"turn:127.0.0.1:{line.port}?transport=udp", TURN_SECRET=SECRET)
    server.start()
    yield Site(server)
    wait_until_idle()
    server.stop()


def test_a_bad_line_carries_the_sound_alone_until_it_is_good_again(
    relayed: Scene,  # noqa: F811
    line: Line,
    enter: Callable[..., Any],
    screens: Callable[..., None],
) -> None:
    doctor = enter(relayed.doctor, relayed.path, scripts=(QUICK,))
    patient = enter(relayed.grant, relayed.patient_path, scripts=(QUICK,), width=390, height=760)
    in_call(doctor, patient)

    line.bad = True
    for page in (doctor, patient):
        page.wait_for_selector("[data-quality-text]:has-text('Ligne très faible : son seulement')", timeout=60_000)
        page.wait_for_selector(".tile-reason:has-text('Son seulement : ligne très faible')", timeout=60_000)
    screens("call-sound-only", doctor, widths=(1280,))
    for page in (doctor, patient):
        seen, heard = page.evaluate(FRAMES), page.evaluate(SOUND)
        until(page, f"async (heard) => (await ({SOUND})()) > heard + 50", heard)
        assert page.evaluate(FRAMES) == seen, "no picture comes while sound does"

    line.bad = False
    before = [max(page.evaluate(FRAMES)) for page in (doctor, patient)]
    for page, counted in zip((doctor, patient), before, strict=True):
        page.wait_for_selector(".tile-cover", state="hidden", timeout=60_000)
        wait_for_frames(page, more_than=counted)
