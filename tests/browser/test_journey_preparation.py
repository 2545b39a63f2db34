"""Journey: questions before the appointment on a 320 px telephone, read live by the doctor, and the COVID form (TC-25, TE-09)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.accounts.testing import actor_for
from relais.patients.models import Holder
from relais.teleconsultation.actions import call, record
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.testing import photograph
from tests.browser.journey import TELEPHONE, House, book, see, window_of

pytestmark = pytest.mark.browser
PageOf = Callable[..., Any]
SPACE = "/p/rendez-vous/"
FORM = {
    "identite": ["true"],
    "consent": ["oui"],
    "accompagnant": ["seul"],
    "contage": ["non"],
    "voix": ["true"],
    "visuel": ["bon"],
    "gravite": ["aucun"],
    "diag": ["covid-suspect"],
    "cat": ["domicile-simple", "test"],
    "incident": ["aucun"],
}


def go_on(page: Any) -> None:
    page.get_by_role("button", name="Suivant").click()


@pytest.mark.req("TC-25", "TE-09")
def test_the_patient_prepares_the_doctor_reads_and_fills_in(house: House, page_of: PageOf, screens: Any) -> None:
    scene = book(house, starts_in=timedelta(minutes=10))
    Teleconsultation.objects.filter(pk=scene.tele.pk).update(reason="COVID_19")
    doctor = page_of(house.doctor, "/teleconsultation/")
    row = doctor.locator("tr[data-row-link]")
    expect(row.get_by_text("Questionnaire rempli")).to_have_count(0)
    patient = page_of(scene.grant, SPACE, **TELEPHONE)
    screens("preparation-home", patient, widths=(320,), full=True)
    patient.get_by_role("link", name="Préparer la consultation").click()
    answer(patient, screens)
    see(patient, "Vos réponses sont envoyées.")
    screens("preparation-sent", patient, full=True)

    row.get_by_text("Questionnaire rempli").first.wait_for()
    screens("preparation-dashboard", doctor)
    row.get_by_role("link", name="Questionnaire rempli").click()
    see(doctor, "Toux et fièvre depuis mardi")
    screens("preparation-dossier", doctor, full=True)

    doctor.get_by_role("button", name="Rejoindre").click()
    doctor.click("[data-choose=none]")
    see(patient, "Le professionnel vous attend")
    doctor.get_by_text("Questionnaire rempli").click()
    see(doctor, "Toux et fièvre depuis mardi")
    record.add_document(
        actor=actor_for(house.doctor), tele=scene.tele, upload=photograph(), title="Courrier", shared=False
    )
    see(doctor, "Courrier")
    see(doctor, "Toux et fièvre depuis mardi")  # what one reads stays open
    screens("preparation-beside", doctor)
    form = window_of(doctor, lambda: doctor.get_by_role("link", name="Formulaire COVID-19").click())
    see(form, "Repris de la préparation du patient")
    expect(form.locator('[name="q-tk.temp"]')).to_have_value("38,5")
    expect(form.locator('[name="q-tk.symptomes"]:checked')).to_have_count(1)
    screens("covid-form", form, full=True)
    for name, values in FORM.items():
        for value in values:
            form.locator(f'[name="q-tk.{name}"][value="{value}"]').check()
    form.get_by_role("button", name="Enregistrer le formulaire").click()
    see(form, "Formulaire enregistré.")
    screens("covid-filled", form, full=True)

    form.get_by_role("link", name="Saisir un compte-rendu").click()
    conclusion = form.get_by_label("Conclusion")
    form.get_by_label("Antécédents, traitements, allergies").fill("Asthme dans l’enfance.")
    form.get_by_role("button", name="Insérer dans les rubriques").click()
    expect(conclusion).to_have_value("Diagnostic retenu : COVID-19 suspecté")
    history = form.get_by_label("Antécédents, traitements, allergies").input_value()
    assert history.startswith("Asthme dans l’enfance.\nContact avec un cas")
    form.get_by_role("button", name="Insérer dans les rubriques").click()
    expect(form.get_by_label("Antécédents, traitements, allergies")).to_have_value(history)
    see(form, "Brouillon enregistré")
    screens("covid-report", form, full=True)


def answer(page: Any, screens: Any) -> None:
    """The questions one after the other; a wrong temperature is said in place, and the other voice keeps the answers."""
    see(page, "Personne ne les surveille")
    screens("preparation-1", page, widths=(320,))
    go_on(page)
    page.get_by_label("Le patient").check()
    go_on(page)
    page.get_by_label("Pour quelle raison").fill("Toux et fièvre depuis mardi")
    go_on(page)
    page.get_by_label("Toux").check()
    screens("preparation-symptoms", page, widths=(320,), full=True)
    go_on(page)
    page.get_by_label("Depuis 2 à 7 jours").check()
    go_on(page)
    page.get_by_label("quelle est votre température").fill("385")
    go_on(page)
    see(page, "42,5")
    screens("preparation-wrong", page, widths=(320,))
    page.get_by_label("quelle est votre température").fill("38,5")
    go_on(page)
    page.get_by_label("Non").check()
    while page.get_by_role("button", name="Suivant").is_visible():
        go_on(page)
    screens("preparation-last", page, widths=(320,))
    page.get_by_role("button", name="Envoyer mes réponses").dblclick()


@pytest.mark.req("TC-25")
def test_a_relative_is_one_tap_away_and_hears_that_the_doctor_came(house: House, page_of: PageOf, screens: Any) -> None:
    scene = book(house, starts_in=timedelta(minutes=5), holder=Holder.SELF)
    page = page_of(scene.grant, f"{SPACE}preparation/", **TELEPHONE)
    go_on(page)
    page.get_by_label("Le patient").check()
    go_on(page)
    page.get_by_label("Pour quelle raison souhaitez-vous consulter").fill("Vertiges")
    page.get_by_role("button", name="Répondre pour un proche").click()
    page.get_by_role("button", name="Répondre pour moi").wait_for()
    go_on(page)
    screens("preparation-proxy", page, widths=(320,))
    page.get_by_label("Un proche ou un aidant").check()
    go_on(page)
    expect(page.get_by_label("Pour quelle raison votre proche")).to_have_value("Vertiges")
    call.join(actor=actor_for(house.doctor), tele=scene.tele)
    see(page, "Le professionnel vous attend")
    expect(page.get_by_label("Pour quelle raison votre proche")).to_have_value("Vertiges")
    screens("preparation-called", page, widths=(320,))
