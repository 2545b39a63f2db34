"""Two cells in a real browser: a file of inclusions, patients who pass from one to the other live, the hand-over list."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.accounts.testing import make_establishment, make_practitioner
from relais.core import live
from relais.patients.testing import make_patient
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.testing import make_cell, make_follow_up, reply
from relais.telemonitoring.tests.test_bulk import person, written
from relais.telemonitoring.topics import cell_topic
from tests.browser.journey import House

pytestmark = pytest.mark.browser


@pytest.mark.req("EC-14", "EC-15")
def test_a_file_is_included_and_patients_pass_to_the_regional_cell_live(
    site: Any, house: House, page_of: Callable[..., Any], screens: Callable[..., None], settings: Any
) -> None:
    """Nobody reloads: what one cell proposes is on the other's screen, and what it accepts leaves the first."""
    settings.DEMO = True
    cell, doctor = make_cell(house.doctor, name="Cellule des Tilleuls")
    regional, far = make_cell(make_practitioner(make_establishment("Centre régional")), name="Cellule régionale")
    known = make_patient("Lemaire", "Zoé", seen_by=house.place)
    wrong = person(3, sexe="?", telephone="12")
    page = page_of(house.doctor, "/suivi/inclure/fichier/")
    screens("bulk-choose", page)
    content = {"name": "a.csv", "mimeType": "text/csv", "buffer": written(person(1), person(2), wrong)}
    page.get_by_label("Fichier CSV").set_input_files(content)
    page.get_by_role("button", name="Vérifier le fichier").click()
    page.get_by_role("heading", name="3 lignes lues").wait_for()
    screens("bulk-preview", page, full=True)
    page.get_by_role("radio", name=known.full_name).check()
    page.get_by_role("button", name="Inclure les patients").click()
    page.get_by_text("2 patients inclus.").first.wait_for()
    assert FollowUp.objects.count() == 2
    for name in ("Zola", "Béranger", "Colette"):
        reply(make_follow_up(cell=cell, member=doctor, patient=make_patient(name), factors=["rf.diabete"]),
              dyspnee="4", dyspnee__evol="critique")  # fmt: skip
    page.goto(site.base + f"/suivi/?cellule={cell.pk}")
    page.get_by_role("button", name="Je suis là").click()
    page.get_by_text("Rupture").first.wait_for()
    screens("cells-short", page)
    page.evaluate("import('/static/core/live/banner.js').then((banner) => { banner.late(); banner.late(); })")
    page.get_by_text("Les rappels ont du retard").first.wait_for()
    expect(page.locator("[data-late-banner]")).to_have_count(1)
    screens("cells-late", page)
    page.get_by_role("link", name="Relève").click()
    page.get_by_role("heading", name="Alertes à prendre ou à appeler (3)").wait_for()
    screens("cells-handover", page, full=True)
    there = page_of(far, f"/suivi/cellules/{regional.pk}/transferts/")
    there.get_by_text("Aucun patient proposé").first.wait_for()
    page.goto(site.base + f"/suivi/cellules/{cell.pk}/transferts/proposer/?surplus=1")
    page.get_by_label("Motif").fill("Plus assez de personnel ce soir")
    screens("cells-propose", page, full=True)
    page.get_by_label("Cellule", exact=True).select_option(str(regional.pk))
    page.get_by_role("button", name="Proposer les patients cochés").click()
    page.get_by_text("1 patient proposé.").first.wait_for()
    there.get_by_role("button", name="Accepter les patients cochés").wait_for(timeout=20_000)
    screens("cells-transfers", there, full=True)
    there.locator("[name=transfer]").uncheck()
    live.ping(cell_topic(regional.pk), urgent=True)
    # What comes then waits: nobody is accepted whom one unticked.
    there.locator("[data-live-mark]").wait_for(timeout=20_000)
    expect(there.locator("[name=transfer]")).not_to_be_checked()
    there.locator("[name=transfer]").check()
    page.goto(site.base + f"/suivi/?cellule={cell.pk}")
    expect(page.locator(".row-link")).to_have_count(5)
    there.get_by_role("button", name="Accepter les patients cochés").click()
    there.get_by_text("1 patient accepté.").first.wait_for()
    expect(page.locator(".row-link")).to_have_count(4, timeout=20_000)
