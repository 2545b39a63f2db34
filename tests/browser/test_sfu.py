"""Calls through a real video relay (Janus): everybody sees everybody, the relay reads nothing, and its end is survived."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.accounts.testing import make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.testing.browser import until
from relais.rooms import actions
from relais.rooms.models import Part, Room
from relais.rooms.testing import NO_JANUS, Relay, installed
from tests.browser.call_scene import PROBE, wait_for_frames
from tests.browser.conftest import Server, Site, wait_until_idle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("calls"),
    pytest.mark.skipif(not installed(), reason=NO_JANUS),
]
WHOLE_RUN = "PYTEST_XDIST_WORKER" in os.environ
NAMES = ("Claire Martin", "Jean Petit", "Sofia Roux", "Amine Haddad", "Louise Morel", "Marc Lefort")

# Frames decoded of each picture that comes in.
PICTURES = """async () => {
  const counts = {};
  for (const link of window.relaisConnections()) {
    (await link.getStats()).forEach((entry) => {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') { counts[entry.id] = entry.framesDecoded || 0; }
    });
  }
  return counts;
}"""
# Thirty pictures are decoded at once on one machine: small ones, and only two people have a microphone.
SMALL = """(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    ask({ audio: wanted.audio && SOUND, video: wanted.video && { width: 160, height: 90, frameRate: 8 } });
})()"""
# A browser that has the older interface alone, and one that has none.
STREAMS = "delete window.RTCRtpScriptTransform"
OLD = f"{STREAMS}; delete window.RTCRtpSender.prototype.createEncodedStreams"
HEARD, SILENT = SMALL.replace("SOUND", "true"), SMALL.replace("SOUND", "false")


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path / "janus.log")
    relay.start()
    yield relay
    relay.stop()


@pytest.fixture
def site(transactional_db: None, relay: Relay, tmp_path: Path) -> Iterator[Site]:
    """A site of its own that knows the relay."""
    server = Server(tmp_path / "server.log", **relay.environment)
    server.start()
    yield Site(server)
    wait_until_idle()
    server.stop()


@pytest.fixture
def people(site: Site) -> list[Any]:
    """Six doctors who may enter the same room."""
    room = actions.open_room(actor=SYSTEM_ACTOR, about=uuid.uuid4(), max_people=25)
    found = []
    for name in NAMES:
        given, family = name.split()
        member = make_practitioner(title="Dr", family_name=family, given_name=given)
        actions.invite(
            actor=SYSTEM_ACTOR,
            room=room,
            holder_id=member.user_id,
            part=Part.HOST,
            name=f"Dr {name}",
            authenticated=True,
        )
        found.append(member)
    return found


def wait_for_pictures(page: Any, others: int) -> None:
    """Until new frames of so many others have been decoded."""
    before, now = page.evaluate(PICTURES), {}
    for _ in range(160):
        page.wait_for_timeout(250)
        now = page.evaluate(PICTURES)
        if sum(count > before.get(line, 0) for line, count in now.items()) >= others:
            return
    pytest.fail(f"{page.url}: {now} after {before}")


ANOTHER_KEY = "A" * 43 + "="


def give_another_key(page: Any) -> None:
    """This page is told another key than the others."""

    def wrong(route: Any) -> None:
        answer = route.fetch()
        found = answer.json()
        state = found.get("state", found)
        if "relay" in state:
            state["relay"]["key"]["value"] = ANOTHER_KEY
        route.fulfill(response=answer, body=json.dumps(found))

    page.route("**/entrer", wrong)
    page.route("**/etat?*", wrong)


ARRIVED = """async () => {
  let bytes = 0;
  for (const link of window.relaisConnections()) {
    (await link.getStats()).forEach((entry) => { if (entry.type === 'inbound-rtp') { bytes += entry.bytesReceived; } });
  }
  return bytes;
}"""


@pytest.mark.req("VR-07")
def test_two_see_each_other_through_the_relay_and_who_has_another_key_sees_nothing(
    people: list[Any], page_of: Callable[..., Any]
) -> None:
    path = f"/salles/{Room.objects.get().pk}/"
    media = [(HEARD,), (HEARD, STREAMS)]  # one browser seals by the newer interface, one by the older
    pages = [page_of(one, path, scripts=(PROBE, *more)) for one, more in zip(people[:2], media, strict=True)]
    other = pages[1]
    give_another_key(other)
    for page in pages:
        page.click("[data-choose=both]")
    until(other, f"async () => await ({ARRIVED})() > 50000")
    assert list(other.evaluate(PICTURES).values()) == [0], "what the relay passes on is nothing without the key"
    other.unroute_all()
    other.reload()
    for page in pages:
        wait_for_pictures(page, 1)
        expect(page.locator("[data-sealed]:not([hidden])")).to_have_count(1)


# Six windows take the whole machine for more than a minute: for who changes rooms of many.
@pytest.mark.skipif(WHOLE_RUN, reason="six windows film when asked for: see CONTRIBUTING.md")
def test_six_people_see_each_other_through_the_relay_which_cannot_read_them_and_go_on_without_it(
    people: list[Any], relay: Relay, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    path = f"/salles/{Room.objects.get().pk}/"
    media = [(HEARD,), (SILENT, STREAMS), (HEARD,), (SILENT,), (SILENT,), (HEARD,)]
    small: dict[str, Any] = {"width": 320, "height": 480}
    pages = [page_of(one, path, scripts=(PROBE, *more), **small) for one, more in zip(people, media, strict=True)]
    assert pages[0].evaluate("Boolean(window.RTCRtpScriptTransform)")
    *five, sixth = pages
    for page in pages:
        page.expected.append("htmx:")  # a side panel may wait too long on a machine that decodes thirty pictures
    give_another_key(sixth)
    for page in pages:
        page.click("[data-choose=both]")
    for page in five:
        wait_for_pictures(page, 4)
    until(sixth, f"async () => await ({ARRIVED})() > 50000")
    assert set(sixth.evaluate(PICTURES).values()) == {0}, "what the relay passes on is nothing without the key"
    for page in five:
        assert sum(count > 0 for count in page.evaluate(PICTURES).values()) == 4, (
            "nor can the others open what has another key"
        )

    sixth.unroute_all()
    sixth.reload()
    for page in pages:
        wait_for_pictures(page, 5)
        expect(page.locator(".tile")).to_have_count(5)
        assert page.evaluate("window.relaisConnections().length") == 2, "one connection to send, one to receive"
        expect(page.locator("[data-sealed]:not([hidden])")).to_have_count(1)
    screens("call-six", five[0])

    for page in (five[3], five[4], sixth):
        page.click("[data-control=leave]")
    three = five[:3]
    for page in three:
        page.locator(".tile").nth(2).wait_for(state="detached")
        wait_for_pictures(page, 2)  # under another key
    come_back_with_an_old_browser(three)
    relay.stop()
    go_on_without(three)
    screens("call-without-relay", five[0])


def come_back_with_an_old_browser(three: list[Any]) -> None:
    """One who cannot encrypt: the others see them all the same, and the room says so."""
    three[2].add_init_script(OLD)
    three[2].reload()
    for page in three:
        page.locator("[data-carried]:has-text('ne sait pas chiffrer de bout en bout')").wait_for()
        wait_for_pictures(page, 2)


def go_on_without(three: list[Any]) -> None:
    """Page to page, inside all the while, and the room says so."""
    for page in three:
        page.locator("[data-carried]:has-text('Le relais vidéo ne répond pas')").wait_for(timeout=60_000)
        expect(page.locator("[data-room][data-phase=inside]")).to_have_count(1)
    for page in three:
        wait_for_frames(page, links=2)
