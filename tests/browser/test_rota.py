"""The pages of a rota, looked at: nothing is cut at either width, nothing breaks the rules of access."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import make_member, make_practitioner
from relais.core.paris import PARIS
from relais.oncall.models import Replacement
from relais.oncall.testing import join, make_pool, make_service, make_slot
from tests.browser.journey import House

pytestmark = pytest.mark.browser


def test_every_page_of_a_rota_at_both_widths(
    site: Any, house: House, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    """A week with a hole, a double hour, an absence and somebody who left; a doctor who is asked for a replacement."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7)
    service = make_service(establishment=house.place, name="Astreinte gériatrique 94, secteur 1", departments=["94"])
    albert, bernard, gone = make_pool(service, "Albert", "Bernard", "Partie")
    join(service, house.doctor)
    referent = make_member(house.place, Role.MANAGER, family_name="Legrand", given_name="Anne")

    def at(number: int, hour: int) -> datetime:
        return datetime.combine(monday + timedelta(days=number), time(hour), tzinfo=PARIS)

    make_slot(service, albert, at(0, 8), at(0, 19), bernard, state="confirmed")
    make_slot(service, house.doctor, at(1, 8), at(1, 19), albert)
    make_slot(service, albert, at(2, 8), at(2, 14))
    make_slot(service, bernard, at(2, 13), at(2, 17), albert)
    make_slot(service, albert, at(3, 8), at(3, 19), bernard, state="absent")
    make_slot(service, gone, at(4, 8), at(4, 19), bernard)
    asking = make_slot(service, bernard, at(5, 8), at(5, 19))
    Replacement.objects.create(slot=asking, asked=house.doctor.user, against=None)
    gone.ended_at = timezone.now()
    gone.save(update_fields=["ended_at"])
    make_practitioner(family_name="Zimmermann")
    page = page_of(referent, "/astreintes/", width=1280, height=900)

    def look(name: str, path: str) -> None:
        page.goto(site.base + path)
        screens(f"rota-{name}", page, full=True)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"

    look("list", "/astreintes/")
    look("week", f"/astreintes/{service.pk}/?semaine={monday}")
    look("add", f"/astreintes/{service.pk}/ajouter/?jour={monday}")
    look("covers", f"/astreintes/{service.pk}/ehpad/")
    look("pool", f"/astreintes/{service.pk}/equipe/?q=zimmer")
    page.goto(site.base + f"/astreintes/{service.pk}/importer/")
    wrong = f"debut;fin;medecin\n{at(6, 8):%d/%m/%Y %H:%M};19:00;Albert\ndemain;19:00;Albert\n"
    page.get_by_label("Calendrier ou fichier CSV").set_input_files(
        {"name": "planning.csv", "mimeType": "text/csv", "buffer": wrong.encode()}
    )
    page.get_by_role("button", name="Vérifier le fichier").click()
    page.get_by_role("heading", name="Ce que ferait ce fichier").wait_for()
    screens("rota-import", page, full=True)
    look("slot-of-referent", f"/astreintes/creneaux/{asking.pk}/")
    page = page_of(house.doctor, "/astreintes/", width=1280, height=900)
    look("mine", "/astreintes/")
    look("slot-mine", f"/astreintes/creneaux/{service.slots.get(user=house.doctor.user).pk}/")
    page.goto(site.base + "/astreintes/")
    page.get_by_role("button", name="Accepter").click()
    page.get_by_text("L’astreinte est à vous").first.wait_for()
    look("directory", f"/annuaire/{service.pk}/")
