"""The pictures of the guides, taken while walking through the site as its people do.

Run with GUIDE_PICTURES=1 they replace those of relais/portal/static/portal/guides; without, they go to test-results/
and the walk only shows that the guides still tell the truth about the buttons. A whole run leaves it out.
"""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from relais.patients.models import Grant
from relais.portal.demo import copies
from relais.portal.models import Ticket
from tests.browser.journey import code_in, photograph
from tests.browser.test_demo import wait_for_the_other

# The buttons of this walk are those of the journeys, which the whole run makes: it is for who changes a guide.
WHOLE_RUN = "PYTEST_XDIST_WORKER" in os.environ
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("calls"),
    pytest.mark.skipif(WHOLE_RUN, reason="pictures are taken when asked for: see CONTRIBUTING.md"),
]

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "relais" / "portal" / "templates" / "portal" / "guides"
KEPT = ROOT / "relais" / "portal" / "static" / "portal" / "guides"
PHONE = {"width": 360, "height": 640, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

LEVEL = "document.querySelector('[data-step=microphone] meter').value"
# The first sound stays in sight until the picture is taken: four of them in a row, and the step would be over.
HELD = """() => {
  const every = window.setInterval, level = () => LEVEL;
  window.setInterval = (work, wait) => every(() => {
    if (wait !== 100 || window.heard || level() < 0.2) work();
  }, wait);
}""".replace("LEVEL", LEVEL)


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
    _after_the_call(album, doctor, run_jobs)
    _beside_a_resident(album, site, open_page)
    _at_reception(album, site, open_page)
    _around(album, site, open_page)
    assert album.taken == set(re.findall(r'guide_figure "([a-z-]+)"', "".join(p.read_text() for p in GUIDES.iterdir())))


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
    page.evaluate(HELD)
    page.get_by_role("button", name="Oui, je me vois").click()
    page.wait_for_function(f"() => {LEVEL} >= 0.2")
    album.take("test-micro", page)
    page.evaluate("window.heard = true")
    page.get_by_role("button", name="Oui", exact=True).wait_for()
    album.take("test-son", page)
    page.get_by_role("button", name="Oui", exact=True).click()
    page.get_by_text("Votre équipement est prêt").locator("visible=true").last.scroll_into_view_if_needed()
    album.take("test-resultat", page)
    page.goto(site.base + "/p/rendez-vous/")
    button(page, "Ouvrir mes documents").click()
    album.take("patient-documents", page)
    page.get_by_label("Photo ou document").set_input_files(photograph())
    page.get_by_label("De quoi s’agit-il ?").fill("Mon ordonnance d’octobre")
    page.get_by_role("heading", name="Envoyer un document").scroll_into_view_if_needed()
    button(page, "Envoyer").scroll_into_view_if_needed()
    album.take("patient-deposer", page)
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
    page.goto(site.base + "/teleconsultation/reserver/")
    page.locator(".slot").nth(2).click()
    page.locator("#slots").evaluate("one => window.scrollBy(0, one.getBoundingClientRect().top - 240)")
    album.take("pro-creneau", page)
    page.goto(site.base + "/teleconsultation/")
    page.get_by_role("link", name="MOREAU Jeanne").first.click()
    page.wait_for_load_state()
    return page


def _together(album: Album, site: Any, patient: Any, doctor: Any) -> None:
    _enter(doctor)
    button(doctor, "Rejoindre avec caméra et micro").click()
    for page in (doctor, patient):
        wait_for_the_other(page)
    album.take("pro-appel", doctor)
    album.take("patient-appel", patient)
    button(doctor, "Personnes").click()
    album.take("pro-participants", doctor)
    patient.context.close()


def _after_the_call(album: Album, page: Any, run_jobs: Callable[[], int]) -> None:
    """Report, prescription after a code, closing."""
    page.goto(re.sub(r"appel/?$", "", page.url))
    page.get_by_text("Ajouter une étape").first.click()
    button(page, "Saisir un compte-rendu").click()
    page.get_by_label("Conclusion").fill("Œdèmes stables. Même traitement. Contrôle du poids chaque matin.")
    page.get_by_text("Brouillon enregistré à").first.wait_for()
    album.take("pro-compte-rendu", page)
    button(page, "Ajouter le compte-rendu").click()
    page.get_by_text("Ajouter une étape").first.click()
    button(page, "Ajouter l’ordonnance").click()
    page.get_by_label("E-mail, à").check()
    button(page, "Recevoir le code").click()
    field = page.get_by_label("Code à 6 chiffres")
    field.wait_for()
    run_jobs()
    field.fill(code_in(copies()[0]["text"]))
    album.take("pro-code", page)
    button(page, "Valider").click()
    for label, value in {
        "Médicament (DCI)": "furosémide", "Dosage": "40 mg", "Dose par prise": "1", "Prises par jour": "1",
        "Durée (jours)": "30",
    }.items():  # fmt: skip
        page.get_by_label(label).first.fill(value)
    page.get_by_role("heading", name="Médicament 1").scroll_into_view_if_needed()
    album.take("pro-ordonnance", page)
    page.goto(re.sub(r"ordonnance/.*$", "", page.url))
    page.get_by_text("Ajouter une étape").first.click()
    button(page, "Clôturer le dossier").click()
    page.get_by_role("dialog").wait_for()
    album.take("pro-cloturer", page)
    page.context.close()


def _beside_a_resident(album: Album, site: Any, open_page: Any) -> None:
    """The nurse of a nursing home books, joins and adds a document; the resident holds the tablet."""
    page = _as(site, open_page, "caregiver")
    page.goto(site.base + "/teleconsultation/reserver/")
    page.get_by_label("Nom (obligatoire)", exact=True).fill("Lemaire")
    page.get_by_label("Prénom (obligatoire)", exact=True).fill("Odette")
    page.get_by_label("Adresse e-mail").fill("service.mesanges@exemple.test")
    page.get_by_label("Qui recevra le lien ?").select_option("Soignant de l’établissement")
    page.get_by_label("Nom de cette personne").fill("Inès Roy, aide-soignante")
    page.get_by_text("Compléter l’identité").click()
    page.locator("#id_birth_date").fill("03/05/1936")
    page.locator("#id_sex").select_option("F")
    page.get_by_label("Nom (obligatoire)", exact=True).scroll_into_view_if_needed()
    album.take("soignant-reserver", page)
    soon = timezone.localtime() + timedelta(minutes=5)
    page.get_by_text("Une autre heure").click()
    page.locator("#id_date").fill(f"{soon:%Y-%m-%d}")
    page.locator("#id_time").fill(f"{soon:%H:%M}")
    page.get_by_role("radio", name="Suivi ordinaire.").check()
    page.get_by_role("checkbox", name="Le patient, ou sa famille, a donné son accord").check()
    page.locator("#id_consent_by").fill("Paul Lemaire, fils")
    page.get_by_role("heading", name="Motif").scroll_into_view_if_needed()
    album.take("soignant-accord", page)
    button(page, "Réserver et envoyer le lien").click()
    page.get_by_text("Rendez-vous réservé.").filter(visible=True).first.wait_for()

    grant = Grant.objects.get(email="service.mesanges@exemple.test")
    dossier = f"{site.base}/teleconsultation/{grant.about}/"
    resident = open_page(**PHONE)
    resident.context.add_cookies(site.cookies_of(grant))
    resident.goto(site.base + "/p/rendez-vous/")
    _enter(resident)
    button(resident, "Allumer ma caméra et mon micro").click()
    page.goto(dossier)
    _enter(page)
    button(page, "Rejoindre avec caméra et micro").click()
    wait_for_the_other(page)
    album.take("soignant-appel", page)
    resident.context.close()
    page.goto(dossier)
    page.get_by_text("Ajouter une étape").first.click()
    page.get_by_label("Un autre document").set_input_files(photograph())
    page.get_by_label("Titre").fill("Courbe de poids de novembre")
    button(page, "Ajouter ce document").scroll_into_view_if_needed()
    album.take("soignant-document", page)
    page.context.close()


def _at_reception(album: Album, site: Any, open_page: Any) -> None:
    """The secretary finds a patient, sees a message refused, moves the appointment, sends the access again."""
    page = _as(site, open_page, "secretary")
    page.goto(site.base + "/teleconsultation/reserver/")
    page.locator("#patient-search").press_sequentially("moreau je")
    page.locator("[data-find-results]").get_by_text("MOREAU Jeanne").first.wait_for()
    album.take("secretariat-reserver", page)
    page.goto(site.base + "/teleconsultation/")
    page.locator("tr", has_text=re.compile("refusé")).locator(".row-link").first.click()
    page.get_by_role("heading", name="Messages au patient").wait_for()
    album.take("secretariat-messages", page)
    button(page, "Corriger et renvoyer").click()
    page.get_by_role("heading", name="Corriger et renvoyer").wait_for()
    album.take("secretariat-renvoyer", page)
    page.go_back()
    page.locator("summary", has_text="Déplacer").click()
    page.get_by_role("button", name="Déplacer le rendez-vous").scroll_into_view_if_needed()
    album.take("secretariat-deplacer", page)
    page.context.close()


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
