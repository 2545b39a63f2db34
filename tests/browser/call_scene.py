"""What tests of calls share: a room with its doctor, patient and guest; pages that let their connections be counted."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from relais.accounts.models import Membership
from relais.accounts.testing import make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.patients.models import Grant
from relais.patients.testing import make_grant
from relais.rooms import actions
from relais.rooms.models import Invitation, Part, Room

FRAMES = """async () => {
  const counts = [];
  for (const link of window.relaisConnections()) {
    let frames = 0;
    (await link.getStats()).forEach((entry) => { frames += entry.framesDecoded || 0; });
    counts.push(frames);
  }
  return counts;
}"""
PROBE = """(() => {
  const Native = window.RTCPeerConnection, made = [];
  window.RTCPeerConnection = function (settings) { const one = new Native(settings); made.push(one); return one; };
  window.RTCPeerConnection.prototype = Native.prototype;
  window.relaisConnections = () => made.filter((one) => one.signalingState !== 'closed');
})()"""


@dataclass
class Scene:
    """A room with its doctor and its patient."""

    room: Room
    doctor: Membership
    grant: Grant
    guest_grant: Grant
    guest: Invitation

    @property
    def path(self) -> str:
        return f"/salles/{self.room.pk}/"

    @property
    def patient_path(self) -> str:
        return f"/p/salles/{self.room.pk}/"


@pytest.fixture
def scene(site: Any) -> Scene:
    doctor = make_practitioner(title="Dr", family_name="Martin", given_name="Claire")
    about = uuid.uuid4()
    grant, _secrets = make_grant(about=about)
    guest_grant, _secrets = make_grant(grant.patient, about=about)
    room = actions.open_room(actor=SYSTEM_ACTOR, about=about)
    common: dict[str, Any] = {"actor": SYSTEM_ACTOR, "room": room}
    actions.invite(holder_id=doctor.user_id, part=Part.HOST, name="Dr Claire Martin", authenticated=True, **common)
    actions.invite(
        holder_id=grant.pk, part=Part.PATIENT, name="Camille Durand", authenticated=True, admitted=True, **common
    )
    guest = actions.invite(
        holder_id=guest_grant.pk, part=Part.GUEST, name="Alex (interprète)", authenticated=False, **common
    )
    return Scene(room, doctor, grant, guest_grant, guest)


def frames(page: Any) -> list[int]:
    return page.evaluate(FRAMES)


def wait_for_frames(page: Any, links: int = 1, more_than: int = 0) -> None:
    """Until `links` connections decode frames."""
    for _ in range(120):
        found = frames(page)
        if len(found) == links and all(count > more_than for count in found):
            return
        page.wait_for_timeout(250)
    pytest.fail(f"No frames: {frames(page)}")


@pytest.fixture
def enter(page_of: Callable[..., Any]) -> Callable[..., Any]:
    """`enter(who, path, how)`: open the call and press the button of that choice."""

    def make(who: Any, path: str, how: str = "both", **options: Any) -> Any:
        page = page_of(who, path, scripts=(PROBE, *options.pop("scripts", ())), **options)
        if how:
            page.click(f"[data-choose={how}]")
        return page

    return make


def in_call(*pages: Any) -> None:
    """Until each page decodes frames of every other one."""
    for page in pages:
        wait_for_frames(page, links=len(pages) - 1)
