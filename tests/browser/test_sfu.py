"""A call of six through a real video relay (Janus): everybody sees everybody, the relay reads nothing, and its end is survived."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relais.accounts.testing import make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.rooms import actions
from relais.rooms.models import Part, Room
from relais.rooms.testing import NO_JANUS, Relay, installed
from tests.browser.call_scene import PROBE
from tests.browser.conftest import Server, Site, wait_until_idle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("calls"),
    pytest.mark.skipif(not installed(), reason=NO_JANUS),
]
NAMES = ("Claire Martin", "Jean Petit", "Sofia Roux", "Amine Haddad", "Louise Morel", "Marc Lefort")

# Frames decoded of each picture that comes in.
PICTURES = """async () => {
  const counts = [];
  for (const link of window.relaisConnections()) {
    (await link.getStats()).forEach((entry) => {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') { counts.push(entry.framesDecoded || 0); }
    });
  }
  return counts;
}"""
SMALL = """(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    ask({ ...wanted, video: wanted.video && { width: 320, height: 180, frameRate: 10 } });
})()"""


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


def wait_for_pictures(page: Any, others: int, more_than: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Until frames of so many others are decoded, each further than before."""
    found: list[int] = []
    for _ in range(160):
        found = page.evaluate(PICTURES)
        floor = more_than or (0,) * len(found)
        if len(found) == others and all(now > then for now, then in zip(found, floor, strict=True)):
            return tuple(found)
        page.wait_for_timeout(250)
    pytest.fail(f"{page.url}: {found} after {more_than}")


def with_another_key(page: Any) -> None:
    """This page is told another key than the others."""

    def wrong(route: Any) -> None:
        answer = route.fetch()
        state = answer.json()
        for part in (state, state.get("state", {})):
            if "relay" in part:
                part["relay"]["key"]["value"] = "A" * 43 + "="
        route.fulfill(response=answer, body=json.dumps(state))

    page.route("**/entrer", wrong)
    page.route("**/etat?*", wrong)


def test_six_people_through_the_relay_one_with_another_key_and_then_without_relay(
    people: list[Any], relay: Relay, page_of: Callable[..., Any], screens: Callable[..., None], site: Site
) -> None:
    path = f"/salles/{Room.objects.get().pk}/"
    pages = [page_of(one, path, scripts=(PROBE, SMALL), width=480, height=480) for one in people]
    for page in pages:
        page.click("[data-choose=both]")
    seen = [wait_for_pictures(page, 5) for page in pages]
    for page, before in zip(pages, seen, strict=True):
        wait_for_pictures(page, 5, before)
        assert page.locator(".tile").count() == 5
        assert len(page.evaluate("window.relaisConnections().length.toString()")) == 1
        assert page.evaluate("window.relaisConnections().length") == 2, "one connection to send, one to receive"
