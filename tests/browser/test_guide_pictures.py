"""The pictures of the guides, taken while walking through the site as its people do.

Run with GUIDE_PICTURES=1 they replace those of relais/portal/static/portal/guides; without, they go to test-results/
and the walk only shows that the guides still tell the truth about the buttons.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from PIL import Image

from relais.core.health import HEARTBEAT
from relais.patients.models import Grant
from relais.portal.models import Ticket
from tests.browser.test_demo import wait_for_the_other

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "relais" / "portal" / "templates" / "portal" / "guides"
KEPT = ROOT / "relais" / "portal" / "static" / "portal" / "guides"
PHONE = {"width": 360, "height": 640, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


class Album:
    """Pictures by name, small enough for an old telephone."""

    def __init__(self) -> None:
        self.folder = KEPT if os.environ.get("GUIDE_PICTURES") == "1" else ROOT / "test-results" / "guides"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.taken: set[str] = set()

    def take(self, name: str, page: Any) -> None:
        page.wait_for_timeout(500)
        path = self.folder / f"{name}.png"
        page.screenshot(path=path)
        Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)
        self.taken.add(name)


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first


def test_every_picture_of_the_guides_can_be_taken(site: Any, open_page: Any, run_jobs: Callable[[], int]) -> None:
    call_command("demo_region", size="small", verbosity=0)
    _pretend_that_the_scheduler_runs()
    album = Album()
    demo = open_page(site.base + "/demo/")
    with demo.context.expect_page() as opened:
        button(demo, "Ouvrir comme patient").click()
    opened.value.close()
    run_jobs()
    _at_the_door(album, site, open_page, demo)
    patient = _in_the_space(album, site, open_page)
    doctor = _at_work(album, site, open_page)
    _together(album, site, patient, doctor)
    _around(album, site, open_page)
    assert album.taken == set(re.findall(r'guide_figure "([a-z-]+)"', "".join(p.read_text() for p in GUIDES.iterdir())))


def _pretend_that_the_scheduler_runs() -> None:
    """No worker runs beside the tests; without this the pictures would show that reminders are late."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp, periodic_id)"
            " VALUES (%s, EXTRACT(EPOCH FROM now())::bigint + 900, '')",
            [HEARTBEAT],
        )


def _as(site: Any, open_page: Any, who: str, **options: Any) -> Any:
    page = open_page(site.base + "/demo/", **options)
    page.set_default_timeout(15_000)
    page.locator(f"form[action$='/ouvrir/{who}/']").last.evaluate("one => one.removeAttribute('target')")
    page.locator(f"form[action$='/ouvrir/{who}/'] button").last.click()
    page.wait_for_load_state()
    return page


def _at_the_door(album: Album, site: Any, open_page: Any, demo: Any) -> None:
    demo.set_viewport_size({"width": 360, "height": 640})
    demo.reload()
    demo.get_by_text("Votre rendez-vous vidéo du").first.scroll_into_view_if_needed()
    album.take("patient-message", demo)
    grant = Grant.objects.filter(patient__email="jeanne.moreau@exemple.test").latest("created_at")
    album.take("patient-entree", open_page(f"{site.base}/p/{grant.pk}/", **PHONE))


def _in_the_space(album: Album, site: Any, open_page: Any) -> Any:
    page = _as(site, open_page, "patient", **PHONE)
    album.take("patient-rejoindre", page)
    button(page, "Tester").click()
    album.take("patient-test", page)
    button(page, "Commencer le test").click()
    page.get_by_role("button", name="Oui, je me vois").wait_for()
    album.take("test-camera", page)
    page.get_by_role("button", name="Oui, je me vois").click()
    page.get_by_role("button", name="Oui", exact=True).click()
    page.get_by_text("Votre équipement est prêt").locator("visible=true").last.scroll_into_view_if_needed()
    album.take("test-resultat", page)
    page.goto(site.base + "/p/rendez-vous/")
    button(page, "Ouvrir mes documents").click()
    album.take("patient-documents", page)
    page.goto(site.base + "/p/rendez-vous/")
    _enter(page)
    button(page, "Allumer ma caméra et mon micro").click()
    album.take("patient-attente", page)
    return page


def _at_work(album: Album, site: Any, open_page: Any) -> Any:
    page = _as(site, open_page, "doctor")
    for name, path in [
        ("pro-tableau", "/teleconsultation/"),
        ("pro-reserver", "/teleconsultation/reserver/"),
        ("secretariat-agenda", "/teleconsultation/agenda/"),
    ]:
        page.goto(site.base + path)
        album.take(name, page)
    page.goto(site.base + "/teleconsultation/")
    page.get_by_role("link", name="MOREAU Jeanne").first.click()
    page.wait_for_load_state()
    dossier = page.url
    page.goto(dossier + "compte-rendu/")
    album.take("pro-compte-rendu", page)
    page.goto(dossier)
    return page


def _together(album: Album, site: Any, patient: Any, doctor: Any) -> None:
    _enter(doctor)
    button(doctor, "Rejoindre avec caméra et micro").click()
    for page in (doctor, patient):
        wait_for_the_other(page)
    album.take("pro-appel", doctor)
    album.take("patient-appel", patient)
    doctor.context.close()
    patient.context.close()


def _enter(page: Any) -> None:
    with page.expect_navigation():  # the call's scripts have run when it ends
        button(page, "Rejoindre").click()


def _around(album: Album, site: Any, open_page: Any) -> None:
    album.take("connexion", open_page(site.base + "/connexion/"))
    manager = _as(site, open_page, "manager")
    button(manager, "Hôpital des Deux Rives").click()
    manager.wait_for_load_state()
    manager.goto(site.base + "/connexion/membres/")
    album.take("responsable-membres", manager)
    agent = _as(site, open_page, "help_desk")
    agent.goto(site.base + "/support/")
    album.take("support-liste", agent)
    answered = Ticket.objects.filter(state="answered", user_id__isnull=False).first()
    assert answered
    agent.goto(f"{site.base}/aide/demandes/{answered.pk}/")
    album.take("support-demande", agent)
