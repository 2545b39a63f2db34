"""The newcomer's first minute: from the demo page to a video consultation with oneself, in two windows."""

from typing import Any

import pytest
from django.core.management import call_command

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]

# Frames shown of somebody else: one's own picture is muted.
OTHERS = """() => Array.from(document.querySelectorAll('video')).filter((one) => !one.muted)
  .reduce((sum, one) => sum + one.getVideoPlaybackQuality().totalVideoFrames, 0)"""


def wait_for_the_other(page: Any) -> None:
    for _try in range(160):
        if page.evaluate(OTHERS) > 5:
            return
        page.wait_for_timeout(250)
    pytest.fail(f"Nobody else is seen at {page.url}")


@pytest.mark.req("TC-60")
def test_from_the_demo_page_to_a_consultation_with_oneself(site: Any, open_page: Any) -> None:
    call_command("demo_region", size="small", verbosity=0)
    page = open_page(site.base + "/demo/")
    page.set_default_timeout(15_000)
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Ouvrir comme patient").click()
    patient = opened.value
    patient.set_viewport_size({"width": 360, "height": 640})
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Ouvrir comme médecin").first.click()
    doctor = opened.value
    for window in (patient, doctor):
        with window.expect_navigation():  # the call's scripts have run when it ends
            window.get_by_role("button", name="Rejoindre").or_(
                window.get_by_role("link", name="Rejoindre")
            ).first.click()
    patient.get_by_role("button", name="Allumer ma caméra et mon micro").click()
    doctor.get_by_role("button", name="Rejoindre avec caméra et micro").click()
    wait_for_the_other(doctor)
    wait_for_the_other(patient)
