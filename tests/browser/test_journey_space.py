"""Journey: the patient space on a 320 px telephone.

Every page; before −20:00; at −20:00, when *Rejoindre* comes by itself; after; the space that has ended; the lost link;
and the parent who holds the key of a child.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from relais.accounts.testing import actor_for
from relais.notifications.testing import MailServer, SmsGateway
from relais.patients.models import Grant, Holder
from relais.patients.testing import make_patient
from relais.teleconsultation.actions import call
from tests.browser.journey import MAIL, TELEPHONE, House, book, link_in, plain, said, see

pytestmark = pytest.mark.browser
PageOf = Callable[..., Any]
SPACE = "/p/rendez-vous/"


@pytest.mark.req("TC-27", "TC-29", "TC-30", "TC-31", "TC-33", "TC-60")
def test_from_before_to_after(house: House, page_of: PageOf, screens: Any) -> None:
    early = timezone.now() + timedelta(minutes=20, seconds=12)
    scene = book(house, starts_in=early - timezone.now())
    page = page_of(scene.grant, SPACE, **TELEPHONE)
    see(page, "C’est encore un peu tôt")
    expect(page.get_by_role("button", name="Rejoindre")).to_have_count(0)
    page.evaluate("window.untouched = true")
    screens("space-early", page, widths=(320,), full=True)
    page.get_by_role("button", name="Rejoindre").wait_for(timeout=30_000)
    assert timezone.now() >= early - timedelta(minutes=20)
    assert page.evaluate("window.untouched")

    for link, name in (("Ouvrir mes documents", "documents"), ("Tester", "test"), ("Qui a vu mon dossier", "readers")):
        page.get_by_role("link", name=link).click()
        page.get_by_role("link", name="Retour au rendez-vous").wait_for()
        screens(f"space-{name}", page, widths=(320,), full=True)
        page.get_by_role("link", name="Retour au rendez-vous").click()
    page.get_by_role("link", name="Besoin d’aide ?").click()
    page.get_by_role("heading", level=1).wait_for()
    screens("space-help", page, widths=(320,), full=True)
    page.goto(page.url.split("/p/")[0] + SPACE)
    page.get_by_role("button", name="Rejoindre").click()
    see(page, "Le professionnel est prévenu.")
    page.go_back()

    actor = actor_for(house.doctor)
    call.join(actor=actor, tele=scene.tele)
    see(page, "Le professionnel vous attend")
    call.finish(actor=actor, tele=scene.tele)
    see(page, "Votre consultation vidéo est terminée")
    expect(page.get_by_role("button", name="Rejoindre")).to_have_count(0)
    screens("space-after", page, widths=(320,), full=True)


@pytest.mark.req("TC-28")
def test_a_space_that_has_ended_helps_and_a_lost_link_comes_again(
    house: House, page_of: PageOf, site: Any, screens: Any, mail_server: MailServer, sms_gateway: SmsGateway,
    run_jobs: Callable[[], int],
) -> None:  # fmt: skip
    scene = book(house)
    page = page_of(scene.grant, SPACE, **TELEPHONE)
    page.get_by_role("heading", name="Votre rendez-vous vidéo").wait_for()
    page.expected += ["410"]
    Grant.objects.update(valid_until=timezone.now() - timedelta(minutes=1))
    page.reload()
    see(page, "Votre accès a pris fin")
    screens("space-ended", page, widths=(320,), full=True)
    page.goto(f"{site.base}/p/{scene.grant.pk}/")
    page.get_by_role("heading", name="Ce lien n’est plus valable").wait_for()
    assert page.get_by_role("link", name="01 99 00 12 34").get_attribute("href") == "tel:0199001234"

    Grant.objects.update(valid_until=timezone.now() + timedelta(days=1))
    lost = page_of(None, "/p/lien-perdu/", **TELEPHONE)
    lost.get_by_label("Votre adresse e-mail ou votre téléphone").fill(MAIL.upper())
    lost.get_by_role("button", name="Recevoir un nouvel accès").click()
    lost.get_by_role("heading", name="Regardez vos messages").wait_for()
    run_jobs()
    text = plain(mail_server.to(MAIL)[-1])
    lost.goto(link_in(text))
    lost.get_by_label("Identifiant").fill(said(text, "Identifiant"))
    lost.get_by_label("Mot de passe").fill(said(text, "Mot de passe"))
    lost.get_by_role("button", name="Entrer").click()
    lost.get_by_role("heading", name="Votre rendez-vous vidéo").wait_for()


def test_the_parent_who_holds_the_key_is_named_and_may_leave(house: House, page_of: PageOf, screens: Any) -> None:
    born = timezone.localdate() - timedelta(days=6 * 365)
    child = make_patient("Durand", "Léo", birth_date=born, sex="M", seen_by=house.place)
    scene = book(house, patient=child, holder=Holder.PARENT, holder_name="Julie Durand")
    parent = page_of(scene.grant, SPACE, **TELEPHONE)
    see(parent, "Pour Léo. Cet espace est ouvert par Julie Durand.")
    screens("space-parent", parent, widths=(320,), full=True)
    doctor = page_of(house.doctor, scene.path)
    see(doctor, "Parent : Julie Durand")
    see(doctor, "Un seul facteur : pas de mobile")
    parent.get_by_role("button", name="Quitter mon espace").click()
    parent.get_by_role("heading", name="Vous avez quitté votre espace").wait_for()


def test_past_the_hour_the_page_is_asked_for_once_and_holds_still(house: House, page_of: PageOf) -> None:
    """Who waits for a late doctor has a button that a finger can press."""
    scene = book(house, starts_in=timedelta(seconds=8))
    patient = page_of(scene.grant, SPACE, **TELEPHONE)
    asked: list[str] = []
    patient.on("request", lambda request: asked.append(request.url) if request.url.endswith(SPACE) else None)
    see(patient, "maintenant")
    patient.wait_for_timeout(10_000)
    assert len(asked) <= 2
    patient.get_by_role("button", name="Rejoindre").click()
