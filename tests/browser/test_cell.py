"""A cell at work in a real browser: a red answer on two screens at once, two who take it, every page at both widths."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from relais.accounts.testing import actor_for, make_practitioner
from relais.patients.testing import make_patient
from relais.telemonitoring.actions import laboratory
from relais.telemonitoring.models import Alert, RuleDraft
from relais.telemonitoring.testing import Scene, join, make_cell, make_follow_up, reply
from tests.browser.journey import House

pytestmark = pytest.mark.browser


@pytest.fixture
def followed(house: House) -> Scene:
    """A patient at home, followed by a cell of two doctors."""
    cell, member = make_cell(house.doctor, name="Cellule des Tilleuls")
    return make_follow_up(cell=cell, member=member, patient=make_patient(seen_by=house.place), day=7)


def red(scene: Scene) -> None:
    reply(scene, temp=36.9, at=timezone.now() - timedelta(hours=12))
    reply(scene, dyspnee="4", dyspnee__evol="critique", temp=38.7)


@pytest.mark.req("EC-05", "EC-06")
def test_a_red_answer_is_on_two_screens_at_once_and_one_of_two_takes_it(
    site: Any, house: House, followed: Scene, page_of: Callable[..., Any]
) -> None:
    """Nobody reloads; who comes second reads who has the alert, and calls nobody."""
    colleague = make_practitioner(house.place, family_name="Bernard", given_name="Luc")
    join(followed.cell, colleague)
    first, second = page_of(house.doctor, "/suivi/"), page_of(colleague, "/suivi/")
    for page in (first, second):
        page.get_by_text("Pas encore de réponse").first.wait_for()
    first.wait_for_timeout(1500)  # both streams are open
    red(followed)
    for page in (first, second):
        page.get_by_role("button", name="Prendre en charge").wait_for(timeout=20_000)
        page.get_by_text("Essoufflement en parlant ou au repos").first.wait_for()
    page_that_was_left = second.context.new_page()
    page_that_was_left.goto(site.base + reverse("telemonitoring:follow_up", args=[followed.follow_up.pk]))
    page_that_was_left.wait_for_load_state()
    page_that_was_left.evaluate("document.querySelector('[data-live]').remove()")  # a screen whose line is lost
    first.get_by_role("button", name="Prendre en charge").click()
    first.get_by_text("Vous avez pris cette alerte en charge.").first.wait_for()
    second.get_by_text("Prise en charge, Dr Claire Martin").wait_for(timeout=20_000)
    expect(second.get_by_role("button", name="Prendre en charge")).to_have_count(0)
    page_that_was_left.get_by_role("button", name="Prendre en charge").click()
    page_that_was_left.get_by_text("Dr Claire Martin s’occupe déjà de ce patient.").first.wait_for()
    assert Alert.objects.get().taken_by == house.doctor.user


def a_draft(followed: Scene) -> RuleDraft:
    """Rules with two changes, replayed."""
    doctor = actor_for(followed.member)
    draft = laboratory.copy(actor=doctor, rule_set=followed.cell.rules)
    for rule, expression in (("AR01", "ad.dyspnee >= 5"), ("AO08", "ad.frissons = 'oui'")):
        raw = next(one for one in draft.source["rules"] if one["id"] == rule)
        changes = {**raw, "active": True, "delay": 0, "expression": expression}
        draft = laboratory.change_rule(
            actor=doctor, draft=draft, rule_id=rule, sha256=draft.sha256,
            **{name: changes[name] for name in laboratory.EDITED},
        )  # fmt: skip
    laboratory.run_replay(laboratory.ask_replay(actor=doctor, draft=draft).pk)
    return draft


def test_every_page_of_the_cell_at_both_widths(
    site: Any, house: House, followed: Scene, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    """Nothing is cut, nothing breaks the rules of access; the work itself is done on a telephone."""
    red(followed)
    for name, changes in (("Zola", {}), ("Béranger", {"frissons": "intenses"})):
        reply(make_follow_up(cell=followed.cell, member=followed.member, patient=make_patient(name), day=2,
                             factors=["rf.diabete", "rf.age65"]), **changes)  # fmt: skip
    other = make_patient("Nouvelle", seen_by=house.place)
    page = page_of(house.doctor, "/suivi/", width=320, height=800)
    pk = followed.follow_up.pk

    def look(name: str, path: str) -> None:
        page.goto(site.base + path)
        screens(f"cell-{name}", page)

    look("list", "/suivi/")
    # Slowly: the first touch lets the page sound, and the notice that it could not must not go from above the finger.
    page.get_by_role("button", name="Prendre en charge").first.click(delay=400)
    page.get_by_role("button", name="Appeler").wait_for()
    look("follow-up", f"/suivi/{pk}/")
    page.get_by_text("Toutes les réponses").first.click()
    page.get_by_text("Frissons").first.wait_for()
    page.get_by_role("button", name="Appeler").click()
    page.get_by_role("heading", name="Qui appeler, dans l’ordre").wait_for()
    look("call", f"/suivi/{pk}/appel/")
    look("answer", f"/suivi/{pk}/repondre/")
    look("adjust", f"/suivi/{pk}/modifier/")
    look("circle", f"/suivi/{pk}/cercle/?q=martin")
    look("response", reverse("telemonitoring:response", args=[pk, followed.follow_up.judgements.first().response_id]))
    look("enrol-search", "/suivi/inclure/")
    look("enrol", f"/suivi/inclure/?patient={other.pk}")
    look("already", f"/suivi/inclure/?patient={followed.patient.pk}")
    look("members", f"/suivi/cellules/{followed.cell.pk}/")
    look("new-cell", "/suivi/cellules/nouvelle/")
    draft = a_draft(followed)
    look("rules", "/suivi/regles/")
    look("rule-set", f"/suivi/regles/{followed.cell.rules_id}/?niveau=rouge")
    look("draft", f"/suivi/regles/brouillons/{draft.pk}/#replay-title")
    look("rule", f"/suivi/regles/brouillons/{draft.pk}/regles/AR03/")
    look("publish", f"/suivi/regles/brouillons/{draft.pk}/publier/#sign-title")
