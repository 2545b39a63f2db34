"""Journey: doctor and patient from booking to prescription.

The secretary books by keyboard alone; the access leaves by real servers; the patient comes in on a 320 px telephone,
sends a photograph, tests the device, waits; the doctor sees it live and joins; both decode each other's pictures; then
messages, a photograph with consent, the report that ends the room, the prescription after a code, closing. Buttons that
write are pressed twice, as hurried people do: each has one effect.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.core.testing.pdfs import letters_of, text_of
from relais.dossiers.models import Document
from relais.notifications.testing import MailServer, SmsGateway
from relais.teleconsultation.models import Teleconsultation
from tests.browser.call_scene import PROBE, frames, in_call
from tests.browser.journey import (
    CHIMES,
    MAIL,
    MOBILE,
    TELEPHONE,
    House,
    code_in,
    enter_space,
    open_hours_now,
    photograph,
    press,
    see,
    sign_in_with_code,
    tab_and_type,
    tab_to,
    window_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("calls")]
Page = Any
Run = Callable[[], int]
NUMBER = "+33639980042"


def book_by_keyboard(page: Page, screens: Any, picture: Any) -> None:
    """From the home page to a booked appointment, without a mouse (TC-02, TC-12 … TC-21)."""
    press(page, "link", "Téléconsultation")
    page.get_by_role("heading", name="Téléconsultations").wait_for()
    press(page, "link", "Réserver")
    page.get_by_role("heading", name="Réserver une téléconsultation").wait_for()
    tab_and_type(page, "Nom (obligatoire)", "Durand")
    tab_and_type(page, "Prénom (obligatoire)", "Camille")
    tab_and_type(page, "Adresse e-mail (facultatif)", MAIL)
    tab_and_type(page, "Téléphone mobile (facultatif)", MOBILE)
    tab_to(page, page.get_by_text("Compléter l’identité"))
    page.keyboard.press("Enter")
    tab_and_type(page, "Date de naissance (facultatif)", "12/03/1958")
    tab_and_type(page, "Sexe (facultatif)", "F")
    slots = page.locator("#slots input[type=radio]")
    tab_to(page, slots.first)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")  # there and back: the first is chosen
    expect(slots.first).to_be_checked()
    tab_to(page, page.get_by_role("radio", name="Suivi ordinaire."))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("checkbox", name="Le patient, ou sa famille, a donné son accord"))
    page.keyboard.press("Space")
    screens("journey-booking", page, full=True)
    picture("pro-reserver", page)
    press(page, "button", "Réserver et envoyer le lien")
    page.keyboard.press("Enter")
    see(page, "Rendez-vous réservé. Le patient reçoit son lien et ses codes.")


def test_self(page: Page, screens: Any, picture: Any) -> None:
    """*Tester*: camera, microphone, loudspeaker, line (TC-31)."""
    page.get_by_role("link", name="Tester").click()
    page.get_by_role("button", name="Commencer le test").click()
    page.get_by_role("button", name="Oui, je me vois").wait_for()
    picture("patient-test", page)
    picture("test-camera", page)
    page.get_by_role("button", name="Oui, je me vois").click()
    page.get_by_role("button", name="Oui", exact=True).click(
        timeout=40_000
    )  # a busy machine may hear nothing for a while
    assert page.locator("[data-step=microphone]").get_attribute("data-state") == "ok"
    see(page, "Votre équipement est prêt.")
    screens("journey-tested", page, widths=(320,), full=True)
    picture("test-resultat", page)


test_self.__test__ = False  # type: ignore[attr-defined]  # a step, not a test


@pytest.mark.req(
    "TC-01", "TC-02", "TC-09", "TC-10", "TC-12", "TC-13", "TC-17", "TC-20", "TC-21", "TC-24", "TC-27", "TC-29", "TC-30",
    "TC-31", "TC-33", "TC-34", "TC-35", "TC-36", "TC-38", "TC-42", "TC-43", "TC-44", "TC-45", "TC-46", "TC-47",
    "TC-48", "TC-49", "TC-50", "TC-52", "TC-53", "TC-54", "TC-55", "TC-60",
)  # fmt: skip
def test_from_booking_to_prescription(
    house: House, page_of: Callable[..., Page], site: Any, screens: Any, picture: Any,
    mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run,
) -> None:  # fmt: skip
    open_hours_now(house.doctor)
    secretary = page_of(None, "/connexion/")
    sign_in_with_code(secretary, house.secretary, run_jobs, sms_gateway)
    book_by_keyboard(secretary, screens, picture)
    secretary.context.close()

    doctor = page_of(house.doctor, "/teleconsultation/", scripts=(CHIMES, PROBE))
    row = doctor.locator("tr[data-row-link]")
    row.get_by_text("Non connecté").first.wait_for()
    doctor.evaluate("window.untouched = true")  # gone if the page were loaded again

    run_jobs()
    patient = page_of(None, scripts=(PROBE,), **TELEPHONE)
    enter_space(patient, mail_server, sms_gateway, run_jobs)
    row.get_by_text("Connecté", exact=True).first.wait_for()
    screens("journey-space", patient, widths=(320,), full=True)
    picture("patient-rejoindre", patient)

    patient.get_by_role("link", name="Ouvrir mes documents").click()
    patient.get_by_label("Photo ou document").set_input_files(photograph())
    patient.get_by_label("De quoi s’agit-il").fill("Ordonnance de mars")
    patient.get_by_role("button", name="Envoyer").dblclick()
    see(patient, "Document envoyé.")
    patient.get_by_role("link", name="Retour au rendez-vous").click()
    row.get_by_text("1 document").first.wait_for()
    test_self(patient, screens, picture)
    row.get_by_text("Test réussi").first.wait_for()
    patient.get_by_role("link", name="Retour au rendez-vous").click()

    patient.get_by_role("button", name="Rejoindre").click()
    see(patient, "Le professionnel est prévenu. Gardez cette page ouverte.")
    row.get_by_text("En salle d’attente").first.wait_for()
    doctor.wait_for_function("() => window.chimes.length === 1")
    assert doctor.title().startswith("(1) ")
    assert doctor.evaluate("window.untouched")
    screens("journey-dashboard", doctor)
    picture("pro-tableau", doctor)
    patient.get_by_role("button", name="Allumer ma caméra et mon micro").click()
    see(patient, "Vous êtes prêt")
    picture("patient-attente", patient)

    row.get_by_role("button", name="Rejoindre").dblclick()
    doctor.get_by_role("button", name="Rejoindre avec caméra et micro").click()
    in_call(doctor, patient)
    before = frames(doctor)[0], frames(patient)[0]
    talk(doctor, patient)
    take_a_photograph(doctor, patient)
    doctor.locator("#call-documents").get_by_role("link", name="Photo du ").wait_for(state="attached")
    assert frames(doctor)[0] > before[0]
    assert frames(patient)[0] > before[1]
    screens("journey-call-doctor", doctor, widths=(1280,))
    screens("journey-call-patient", patient, widths=(320,))
    picture("pro-appel", doctor)
    picture("patient-appel", patient)

    dossier = window_of(doctor, lambda: doctor.get_by_role("link", name="Ouvrir le télédossier").click())
    dossier.get_by_role("link", name="Ordonnance de mars").wait_for()
    dossier.get_by_role("link", name="Photo du ").wait_for()
    add_the_report(dossier, screens, picture)
    for page in (doctor, patient):
        page.get_by_role("heading", name="L’appel est terminé").wait_for()
    mails, texts = len(mail_server.to(MAIL)), len(sms_gateway.to(NUMBER))
    run_jobs()
    assert "Un document est disponible" in mail_server.to(MAIL)[-1]["Subject"]
    assert "un document est disponible" in sms_gateway.to(NUMBER)[-1]
    assert (len(mail_server.to(MAIL)), len(sms_gateway.to(NUMBER))) == (mails + 1, texts + 1)

    prescribe(dossier, house, mail_server, run_jobs, screens)
    run_jobs()
    assert (len(mail_server.to(MAIL)), len(sms_gateway.to(NUMBER))) == (mails + 1, texts + 2)
    read_the_documents(patient, screens, picture)
    close(dossier, screens)
    counts = Counter(Document.objects.values_list("kind", flat=True))
    assert counts == {"patient": 1, "photo": 1, "report": 1, "prescription": 1}
    assert Teleconsultation.objects.count() == 1


def talk(doctor: Page, patient: Page) -> None:
    """Messages beside the picture, both ways (TC-43)."""
    doctor.get_by_role("button", name="Messages").click()
    doctor.get_by_label("Votre message").fill("Montrez-moi la rougeur, s’il vous plaît.")
    doctor.get_by_role("button", name="Envoyer", exact=True).click()
    patient.get_by_role("button", name="Messages 1 nouveau").click()
    see(patient, "Montrez-moi la rougeur")
    patient.get_by_label("Votre message").fill("La voici.")
    patient.get_by_role("button", name="Envoyer", exact=True).click()
    see(doctor, "La voici.")
    patient.get_by_role("button", name="Fermer le volet").click()
    doctor.get_by_role("button", name="Dossier").click()


def take_a_photograph(doctor: Page, patient: Page) -> None:
    """Asked, agreed, taken, kept (TC-42)."""
    doctor.get_by_role("button", name="Photo", exact=True).click()
    patient.get_by_role("button", name="J’accepte").click()
    doctor.get_by_role("heading", name="Photo prise").wait_for()
    doctor.get_by_role("button", name="Ajouter au dossier").dblclick()
    see(doctor, "Ajouté au dossier.")


def add_the_report(page: Page, screens: Any, picture: Any) -> None:
    """*Ajouter une étape*, *Saisir un compte-rendu*: the warning names who is inside (TC-46, TC-47, TC-54)."""
    page.get_by_role("button", name="Ajouter une étape").or_(page.get_by_text("Ajouter une étape")).first.click()
    late: list[Any] = []
    page.route("**/report_section.js", lambda route: late.append(route))  # who writes at once is not waited for
    page.get_by_role("link", name="Saisir un compte-rendu").click()
    warning = page.get_by_text("Ajouter le compte-rendu ferme la salle pour tous.")
    warning.wait_for()
    assert "Camille" in warning.inner_text()
    page.get_by_label("Conclusion").fill("Érythème simple du poignet. Surveillance à domicile.")
    page.wait_for_timeout(100)  # lets the request come
    late[0].continue_()
    see(page, "Brouillon enregistré à")
    expect(page.get_by_label("Mettre à disposition dans l’espace patient")).to_be_checked()
    screens("journey-report", page, full=True)
    picture("pro-compte-rendu", page)
    page.get_by_role("button", name="Ajouter le compte-rendu").dblclick()
    see(page, "Compte-rendu ajouté. Le patient est prévenu.")


def prescribe(page: Page, house: House, mail_server: MailServer, run_jobs: Run, screens: Any) -> None:
    """The code by e-mail, one drug, *Envoyer* (TC-49, TC-50, TC-52, TC-53)."""
    page.get_by_text("Ajouter une étape").first.click()
    page.get_by_role("link", name="Ajouter l’ordonnance").click()
    page.get_by_label("E-mail, à").check()
    page.get_by_role("button", name="Recevoir le code").dblclick()
    page.get_by_label("Code à 6 chiffres").wait_for()
    run_jobs()
    page.get_by_label("Code à 6 chiffres").fill(code_in(mail_server.text()))
    page.get_by_role("button", name="Valider").dblclick()
    for label, value in {
        "Médicament (DCI)": "paracétamol", "Dosage": "500 mg", "Dose par prise": "1", "Prises par jour": "3",
        "Durée (jours)": "3",
    }.items():  # fmt: skip
        page.get_by_label(label).first.fill(value)
    screens("journey-prescription", page, full=True)
    page.get_by_role("button", name="Envoyer", exact=True).dblclick()
    page.wait_for_load_state()
    see(page, "Ordonnance envoyée. Le patient est prévenu.")


def read_the_documents(patient: Page, screens: Any, picture: Any) -> None:
    """The report and the prescription are in the space; the prescription opens (TC-30)."""
    patient.get_by_role("link", name="Revenir à mon espace").click()
    see(patient, "Votre consultation vidéo est terminée")
    patient.get_by_role("link", name="Ouvrir mes documents").click()
    patient.get_by_role("link", name="Compte-rendu").wait_for()
    found = patient.get_by_role("link", name="Ordonnance du ")
    answer = patient.request.get(patient.evaluate("(a) => a.href", found.element_handle()))
    assert answer.headers["content-type"] == "application/pdf"
    assert "paracétamol" in letters_of(text_of(answer.body()))
    screens("journey-documents", patient, widths=(320,), full=True)
    picture("patient-documents", patient)


def close(page: Page, screens: Any) -> None:
    """*Clôturer le dossier*: read-only; it stands in *Historique* (TC-44, TC-55)."""
    page.get_by_text("Ajouter une étape").first.click()
    page.get_by_role("button", name="Clôturer le dossier").click()
    page.get_by_role("dialog").get_by_role("button", name="Clôturer le dossier").dblclick()
    see(page, "la téléconsultation est « Clôturée »")
    expect(page.get_by_text("Ajouter une étape")).to_have_count(0)
    screens("journey-closed", page, full=True)
    page.get_by_role("link", name="Historique").first.click()
    page.get_by_role("link", name="DURAND").wait_for()
