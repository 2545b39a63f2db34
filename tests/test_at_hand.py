"""Reached from liaison and tele-expertise at any hour, on any device: the help desk (FG-13), and the site as an application
(TE-07)."""

import html
import json
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils import timezone

from relais.accounts.testing import client_of, make_user
from relais.liaison.testing import make_home, make_request
from relais.notifications.models import Message
from relais.portal.models import Ticket
from relais.portal.queries import support

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)  # a Sunday, 03:30 in Paris


@pytest.mark.req("FG-13")
@pytest.mark.parametrize("at", [NIGHT, datetime(2026, 11, 24, 10, tzinfo=UTC)])
def test_from_a_liaison_page_the_nurse_reaches_the_help_desk_at_any_hour_and_reads_its_answer(at, monkeypatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: at)
    scene = make_home(now=at)
    nurse, agent = client_of(scene.nurse), client_of(make_user("Morel", "Hugo", help_desk=True))
    here = f"/liaison/{make_request(scene).pk}/"
    for path in (here, "/liaison/residents/", f"/liaison/residents/{scene.resident.pk}/"):
        assert 'href="/aide/"' in nurse.get(path).content.decode(), path
    page = nurse.get("/aide/", HTTP_REFERER=f"http://testserver{here}").content.decode()
    for line in (support().day, support().night):
        assert f'href="tel:{line.dialled}"' in page
    assert "La nuit et le week-end" in page
    assert re.search(r"support-liaison@exemple\.test</a><br><span[^>]*>jour et nuit, 7 jours sur 7<", page)
    assert page.count("jour et nuit") == 1
    service = html.unescape(re.findall(r'<option value="([^"]+)" selected', page)[0])
    said = {
        "key": str(uuid.uuid4()), "page": here, "service": service, "subject": "La page reste blanche",
        "text": "Depuis une heure, sur la tablette.", "email": "nuit@exemple.test",
    }  # fmt: skip
    assert nurse.post("/aide/", said).status_code == 302
    ticket = Ticket.objects.get()
    assert [one.address for one in Message.objects.filter(type="portal.to_desk")] == ["support-liaison@exemple.test"]
    assert "La page reste blanche" in agent.get("/support/").content.decode()
    assert "VASSEUR" not in agent.get(f"/aide/demandes/{ticket.pk}/").content.decode()
    agent.post(f"/aide/demandes/{ticket.pk}/", {"key": str(uuid.uuid4()), "text": "Rechargez, nous restons en ligne."})
    answer = nurse.get(f"/aide/demandes/{ticket.pk}/").content.decode()
    assert "Rechargez, nous restons en ligne." in answer


def test_help_asked_from_another_page_goes_to_no_mailbox_of_liaison_unless_it_is_chosen() -> None:
    scene = make_home()
    nurse = client_of(scene.nurse)
    for before in ("/annuaire/", "/aide/", "https://ailleurs.test/liaison/", ""):
        page = nurse.get("/aide/", HTTP_REFERER=f"http://testserver{before}" if before.startswith("/") else before)
        assert "selected>" not in page.content.decode(), before
        assert '<option value="Liaison EHPAD">' in page.content.decode()


@pytest.mark.req("TE-07")
def test_the_site_of_professionals_can_be_installed_on_a_telephone_and_a_tablet() -> None:
    """A name, a start, icons in the sizes that telephones ask for; the pages of tele-expertise bear it."""
    manifest = json.loads(Path(str(finders.find("core/relais.webmanifest"))).read_text())
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    assert {"192x192", "512x512"} <= {one["sizes"] for one in manifest["icons"]}
    assert all(finders.find(one["src"].removeprefix(settings.STATIC_URL)) for one in manifest["icons"])
    doctor = client_of(make_home().doctor)
    for path in ("/expertise/", "/liaison/astreinte/"):
        page = doctor.get(path).content.decode()
        assert 'rel="manifest"' in page
        assert "core/relais.webmanifest" in page
        assert 'name="viewport" content="width=device-width, initial-scale=1"' in page
    assert all(doctor.get(one["url"]).status_code in (200, 302) for one in manifest["shortcuts"])
