"""The call between real browsers with fake cameras: frames are decoded on both sides, whatever happens to the line."""

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
from relais.rooms.models import Part, Room

pytestmark = pytest.mark.browser

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
    room = actions.open_room(actor=SYSTEM_ACTOR, about=about)
    common = {"actor": SYSTEM_ACTOR, "room": room, "authenticated": True}
    actions.invite(holder_id=doctor.user_id, part=Part.HOST, name="Dr Claire Martin", **common)
    actions.invite(holder_id=grant.pk, part=Part.PATIENT, name="Camille Durand", admitted=True, **common)
    return Scene(room, doctor, grant)


def frames(page: Any) -> list[int]:
    return page.evaluate(FRAMES)


def wait_for_frames(page: Any, links: int = 1, more_than: int = 0) -> None:
    """Until `links` connections decode frames."""
    for _ in range(60):
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


@pytest.mark.req("TC-33", "TC-35", "TC-36", "TC-38")
def test_doctor_and_patient_see_each_other(
    scene: Scene, enter: Callable[..., Any], screens: Callable[..., None]
) -> None:
    patient = enter(scene.grant, scene.patient_path, "", width=390, height=760)
    patient.wait_for_selector("text=Le professionnel est prévenu. Gardez cette page ouverte.")
    screens("call-waiting-patient", patient)
    patient.click("[data-choose=both]")
    patient.wait_for_selector("text=Vous êtes prêt")
    screens("call-ready-patient", patient)
    doctor = enter(scene.doctor, scene.path, "")
    screens("call-prepare-doctor", doctor)
    doctor.click("[data-choose=both]")
    wait_for_frames(doctor)
    wait_for_frames(patient)
    before = frames(doctor), frames(patient)
    doctor.wait_for_timeout(1500)
    assert frames(doctor)[0] > before[0][0]
    assert frames(patient)[0] > before[1][0]
    screens("call-doctor", doctor)
    screens("call-patient", patient)
