"""Teleconsultation, tele-expertise and liaison are one space about one person: same bar, one search, one identity (TC-03)."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.urls import reverse

from relais.accounts.testing import client_of
from relais.expertise.testing import make_asked
from relais.liaison.testing import make_home, make_request
from relais.patients.models import Patient
from relais.patients.testing import make_patient
from relais.questionnaires.testing import form
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db
INS = {"ins": "295109912611193", "ins_oid": "1.2.250.1.213.1.4.10"}


def around(browser: Any, path: str) -> tuple[list[str], str, str]:
    """The entries of the bar, the establishment, and where its search leads, on this page."""
    page = BeautifulSoup(browser.get(path).content, "html.parser")
    rail, search = page.select_one("nav.rail"), page.select_one("form.topsearch")
    place = page.select_one(".topbar")
    assert rail
    assert search
    assert place
    return [str(link["href"]) for link in rail.select("a")], place.get_text(" "), str(search["action"])


@pytest.mark.req("TC-03")
def test_one_bar_one_establishment_and_one_search_lead_to_every_activity() -> None:
    scene = make_home()
    patient, doctor = scene.resident, scene.doctor
    request = make_request(scene)
    tele = make_tele(practitioner=doctor, patient=patient)
    asked = make_asked(requester=doctor, patient=patient)
    browser = client_of(doctor)
    pages = [around(browser, path) for path in ("/teleconsultation/", "/expertise/", "/liaison/astreinte/")]
    for entries, place, search in pages:
        assert {"/teleconsultation/", "/expertise/", "/liaison/"} <= set(entries)
        assert (entries, search) == (pages[0][0], reverse("patients:search"))
        assert doctor.establishment.name in place
    found = browser.post(pages[0][2], {"q": "vasseur odette"}, follow=True).content.decode()
    person = reverse("patients:detail", args=[patient.pk])
    assert found.count(f'href="{person}"') == 1, "once, whatever they have"
    page = browser.get(person).content.decode()
    for reference in (request.dossier.reference, tele.tele.dossier.reference, asked.asked.dossier.reference):
        assert reference in page, reference


def test_a_resident_who_is_a_patient_of_the_teleconsultation_keeps_one_identity() -> None:
    """Found again by matricule when they enter the home; the request is about that row, and each side reads its own."""
    scene = make_home()
    patient = make_patient("Zola", "Jeanne", birth_date=date(1995, 10, 3), **INS)
    tele = make_tele(patient=patient)
    nurse, person = client_of(scene.nurse), reverse("patients:detail", args=[patient.pk])
    assert nurse.get(person).status_code == 404, "unknown to the home until then"
    typed = {"birth_family_name": "Zola", "birth_given_names": "Jeanne", "request_key": str(uuid4()), **INS}
    again = nurse.post("/patients/nouveau/", typed)
    assert "déjà celui d’un patient connu" in " ".join(again.content.decode().split())
    pick = reverse("liaison:pick")
    found = nurse.post("/patients/retrouver/", {**INS, "birth_date": "03/10/1995", "pick": pick})
    assert found["Location"] == f"{pick}?patient={patient.pk}"
    sheet = nurse.get(found["Location"], follow=True)
    assert (sheet.status_code, "ZOLA Jeanne" in sheet.content.decode()) == (200, True)
    request = make_request(scene, patient)
    assert request.patient == patient == tele.tele.dossier.patient
    assert Patient.objects.filter(birth_family_name="Zola").count() == 1
    ours, theirs = request.dossier.reference, tele.tele.dossier.reference
    for member, sees in ((scene.nurse, (True, False)), (tele.practitioner, (False, True))):
        page = client_of(member).get(person).content.decode()
        assert (ours in page, theirs in page) == sees


@pytest.mark.parametrize(
    ("module", "name", "question"),
    [
        ("liaison", "filgeria-demande", "fg.pieces"),
        ("liaison", "filgeria-dlu", "dlu.fichiers"),
        ("expertise", "tle-general", "tg.pieces"),
        ("expertise", "tle-covid", "tg.pieces"),
    ],
)
def test_a_file_that_one_form_takes_is_small_enough_for_the_others(module: str, name: str, question: str) -> None:
    """50 Mo, as wherever a file is sent; the form says so."""
    item = form(module, name).by_id[question]
    assert (item.max_size, item.megabytes) == (settings.UPLOAD_MAX_BYTES, 50)
