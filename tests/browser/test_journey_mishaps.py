"""Journey: what goes wrong while people type, and what it costs them: nothing.

Two editors on one report; a tab left open overnight; the back button after closing; signed out elsewhere while typing;
the mail server down.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from relais.accounts.actions.sessions import end_all_sessions
from relais.accounts.models import Membership
from relais.accounts.testing import actor_for, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.dossiers.models import Document, Note, Step
from relais.notifications.models import Message
from relais.notifications.testing import MailServer, SmsGateway
from relais.teleconsultation.actions import call, record
from relais.teleconsultation.models import ReportDraft, Teleconsultation
from tests.browser.journey import MAIL, House, book, see, sign_in_with_code

pytestmark = pytest.mark.browser
PageOf = Callable[..., Any]
NOTE = "Note pour les professionnels"


@pytest.fixture
def colleague(house: House) -> Membership:
    return make_practitioner(house.place, family_name="Nguyen", given_name="Linh")


@pytest.mark.req("TC-46")
def test_two_editors_of_one_report_lose_nothing(
    house: House, colleague: Membership, page_of: PageOf, screens: Any
) -> None:
    scene = book(house)
    call.join(actor=actor_for(house.doctor), tele=scene.tele)
    path = scene.path + "compte-rendu/"
    first = page_of(house.doctor, path)
    first.get_by_role("button", name="Ajouter le compte-rendu").wait_for()
    expect(first.get_by_text("écrit aussi").filter(visible=True)).to_have_count(0)
    second = page_of(colleague, path)
    for page in (first, second):
        page.expected += ["409", "ERR_FAILED"]
    see(second, "Dr Claire Martin écrit aussi dans ce compte-rendu.")
    see(first, "Dr Linh Nguyen écrit aussi dans ce compte-rendu.")
    screens("mishap-two-editors-names", first, full=True)
    first.get_by_label("Conclusion").fill("Surveillance.")
    see(second, "Enregistré par Dr Claire Martin à")
    expect(second.get_by_label("Conclusion")).to_have_value("Surveillance.")
    screens("mishap-two-editors-taken-in", second, full=True)
    second.route("**/rubrique/", lambda route: route.abort())
    second.get_by_label("Conclusion").fill("Surveillance. Revoir dans huit jours.")
    see(second, "Pas de réseau : le texte reste dans cette page.")
    first.get_by_label("Conclusion").fill("Surveillance à domicile.")
    see(second, "Dr Claire Martin a modifié cette rubrique pendant que vous écriviez.")
    second.unroute("**/rubrique/")
    screens("mishap-two-editors", second, full=True)
    second.get_by_role("button", name="Garder les deux textes").click()
    see(second, "Brouillon enregistré à")
    kept = ReportDraft.objects.get().sections["conclusion"]["text"]
    assert kept == "Surveillance à domicile.\n\nSurveillance. Revoir dans huit jours."
    see(first, "Enregistré par Dr Linh Nguyen à")
    expect(first.get_by_label("Conclusion")).to_have_value(kept)
    second.get_by_role("button", name="Ajouter le compte-rendu").dblclick()
    see(second, "Compte-rendu ajouté.")
    assert Document.objects.count() == 1
    see(first, "Dr Linh Nguyen a ajouté le compte-rendu à")
    first.get_by_text("écrit aussi").wait_for(state="hidden")
    screens("mishap-two-editors-added", first)
    go_on_after_the_report_was_added(first, screens)
    assert ReportDraft.objects.get().sections["conclusion"]["text"] == "Encore un mot."
    first.get_by_role("button", name="Ajouter le compte-rendu").click()
    see(first, "Compte-rendu ajouté.")
    assert Document.objects.count() == 2


def go_on_after_the_report_was_added(page: Any, screens: Any) -> None:
    """Told by whom and when beside the text, with nothing empty; it can be copied, or go on as a new version."""
    box = page.locator("[data-section=conclusion] [data-added]")
    expect(page.locator("[data-added]"), "nothing of one's own is in the page yet").to_be_hidden()
    page.get_by_label("Conclusion").fill("Encore un mot.")
    box.get_by_text("Dr Linh Nguyen a ajouté le compte-rendu à").first.wait_for()
    expect(page.locator("[data-clash]").filter(visible=True)).to_have_count(0)
    screens("mishap-two-editors-after", page, full=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box.get_by_role("button", name="Copier mon texte").click()
    see(page, "Texte copié.")
    assert page.evaluate("navigator.clipboard.readText()") == "Conclusion\nEncore un mot."
    box.get_by_role("button", name="Continuer dans une nouvelle version").click()
    see(page, "Brouillon enregistré à")
    expect(box).to_be_hidden()


@pytest.mark.req("TC-46")
@pytest.mark.parametrize(("width", "bar"), [(320, 0), (1280, 56)])
def test_the_name_of_the_other_editor_stays_in_sight_and_covers_no_field(
    house: House, colleague: Membership, page_of: PageOf, screens: Any, width: int, bar: int
) -> None:
    path = book(house).path + "compte-rendu/"
    page = page_of(house.doctor, path, width=width, height=640)
    page_of(colleague, path)
    line = page.locator("[data-report-others]")
    line.get_by_text("Dr Linh Nguyen écrit aussi dans ce compte-rendu.").first.wait_for()
    fields = page.locator("[data-section] textarea")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    for number in [*reversed(range(fields.count())), *range(fields.count())]:  # up, then down
        fields.nth(number).focus()
        there, field = line.bounding_box(), fields.nth(number).bounding_box()
        assert there["y"] >= bar, "below the bar"
        assert there["y"] + there["height"] <= field["y"] < 640
    screens("mishap-two-editors-scrolled", page, widths=(width,))


@pytest.mark.req("TC-46", "TC-55")
def test_an_editor_who_heard_nothing_of_the_report_or_of_the_closing_keeps_the_text(
    house: House, colleague: Membership, page_of: PageOf, screens: Any
) -> None:
    scene = book(house)
    call.join(actor=actor_for(house.doctor), tele=scene.tele)
    page = page_of(house.doctor, scene.path + "compte-rendu/")
    page.expected += ["409", "ERR_FAILED"]
    page.route("**/maintenant/", lambda route: route.abort())
    page.get_by_label("Conclusion").fill("Surveillance.")
    see(page, "Brouillon enregistré à")
    other = actor_for(colleague)
    record.add_report(actor=other, tele=scene.tele, shared=False)
    page.get_by_label("Conclusion").fill("Surveillance. Et du repos.")
    page.locator("[data-added]").get_by_text("Dr Linh Nguyen a ajouté le compte-rendu à").first.wait_for()
    Teleconsultation.objects.update(state="closed")
    page.get_by_role("button", name="Continuer dans une nouvelle version").click()
    page.locator("[data-added]").get_by_text("il n’accepte plus qu’un complément daté").first.wait_for()
    expect(page.get_by_role("button", name="Copier mon texte")).to_be_visible()
    expect(page.get_by_role("button", name="Continuer dans une nouvelle version")).to_be_hidden()
    expect(page.get_by_label("Conclusion")).to_have_value("Surveillance. Et du repos.")
    screens("mishap-two-editors-closed", page, full=True)


@pytest.mark.req("TC-46")
def test_an_editor_who_heard_nothing_is_told_when_saving(house: House, colleague: Membership, page_of: PageOf) -> None:
    scene = book(house)
    path = scene.path + "compte-rendu/"
    first, second = page_of(house.doctor, path), page_of(colleague, path)
    second.expected += ["409", "ERR_FAILED"]
    second.route("**/maintenant/", lambda route: route.abort())
    first.get_by_label("Conclusion").fill("Surveillance.")
    see(first, "Brouillon enregistré à")
    second.get_by_label("Conclusion").fill("Revoir dans huit jours.")
    see(second, "Dr Claire Martin a modifié cette rubrique pendant que vous écriviez.")
    second.get_by_role("button", name="Prendre le sien").click()
    expect(second.get_by_label("Conclusion")).to_have_value("Surveillance.")
    see(second, "Brouillon enregistré à")
    assert ReportDraft.objects.get().sections["conclusion"]["text"] == "Surveillance."


def test_a_tab_left_open_overnight_keeps_the_note(house: House, page_of: PageOf, screens: Any) -> None:
    scene = book(house)
    page = page_of(house.doctor, scene.path)
    page.expected.append("403")
    page.get_by_label(NOTE).fill("Allergie à la pénicilline, dite par la fille.")
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Ajouter cette note").click()
    page.get_by_role("heading", name="Votre session a expiré").wait_for()
    screens("mishap-expired", page)
    page.get_by_role("button", name="Renvoyer").dblclick()
    see(page, "Allergie à la pénicilline, dite par la fille.")
    assert Note.objects.count() == 1


def test_a_booking_form_left_open_overnight_keeps_what_was_typed(house: House, page_of: PageOf) -> None:
    page = page_of(house.secretary, "/teleconsultation/reserver/")
    page.expected.append("403")
    page.get_by_label("Nom (obligatoire)", exact=True).fill("Durand")
    page.get_by_label("Prénom (obligatoire)").fill("Camille")
    page.get_by_label("Adresse e-mail").fill(MAIL)
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Réserver et envoyer le lien").click()
    page.get_by_role("heading", name="Votre session a expiré").wait_for()
    page.expected.append("422")
    page.get_by_role("button", name="Renvoyer").click()
    page.get_by_role("alert").first.wait_for()
    expect(page.get_by_label("Nom (obligatoire)", exact=True)).to_have_value("Durand")
    expect(page.get_by_label("Adresse e-mail")).to_have_value(MAIL)
    assert Teleconsultation.objects.count() == 0


def test_signed_out_elsewhere_while_typing_the_text_comes_back(
    house: House, page_of: PageOf, site: Any, sms_gateway: SmsGateway, run_jobs: Callable[[], int]
) -> None:
    scene = book(house)
    page = page_of(None, "/connexion/")
    sign_in_with_code(page, house.doctor, run_jobs, sms_gateway)
    page.goto(site.base + scene.path)
    page.get_by_label(NOTE).fill("Douleur depuis trois jours.")
    end_all_sessions(actor=SYSTEM_ACTOR, user_id=house.doctor.user_id)
    page.expected += ["401", "403"]
    page.get_by_role("button", name="Ajouter cette note").click()
    page.get_by_label("Mot de passe").wait_for()
    page.get_by_label("Adresse e-mail").focus()
    sign_in_with_code(page, house.doctor, run_jobs, sms_gateway, again=True)
    page.wait_for_url(f"**{scene.path}")
    expect(page.get_by_label(NOTE)).to_have_value("Douleur depuis trois jours.")
    assert Note.objects.count() == 0


@pytest.mark.req("TC-55")
def test_the_back_button_after_closing_changes_nothing(house: House, page_of: PageOf, screens: Any) -> None:
    scene = book(house)
    actor = actor_for(house.doctor)
    call.join(actor=actor, tele=scene.tele)
    call.finish(actor=actor, tele=scene.tele)
    page = page_of(house.doctor, scene.path)
    page.expected += ["409", "404", "422"]
    page.goto(page.url + "compte-rendu/")
    record.close(actor=actor, tele=scene.tele)
    page.get_by_label("Conclusion").fill("Trop tard.")
    page.get_by_role("button", name="Ajouter le compte-rendu").dblclick()
    see(page, "Ce dossier est clôturé")
    expect(page.get_by_label("Conclusion")).to_have_value("Trop tard.")
    screens("mishap-closed-meanwhile", page)
    page.go_back()
    page.go_back()
    see(page, "Clôturée")
    expect(page.get_by_text("Ajouter une étape")).to_have_count(0)
    page.get_by_label("Complément au dossier clôturé").fill("Trop tard.")
    page.get_by_role("button", name="Ajouter ce complément").dblclick()
    see(page, "Complément : Trop tard.")
    assert (Document.objects.count(), Step.objects.count()) == (0, 1)


def test_with_the_mail_server_down_the_booking_stands_and_the_row_says_that_the_message_waits(
    house: House, page_of: PageOf, screens: Any, mail_server: MailServer, run_jobs: Callable[[], int]
) -> None:
    mail_server.stop()
    scene = book(house)
    run_jobs()
    page = page_of(house.secretary, "/teleconsultation/")
    see(page, "E-mail en attente, 1 essai sans succès")
    screens("mishap-mail-down", page)
    page.get_by_role("link", name="E-mail en attente, 1 essai sans succès").click()
    page.get_by_role("heading", name="Corriger et renvoyer").wait_for()
    mail_server.start()
    Message.objects.update(send_after=timezone.now() - timedelta(seconds=1))
    run_jobs()
    assert len(mail_server.to(MAIL)) == 1
    page.go_back()
    page.reload()
    page.locator("tr[data-row-link]").wait_for()
    expect(page.get_by_text("en attente")).to_have_count(0)
    assert scene.tele.state == "planned"
