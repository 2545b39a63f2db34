"""The patient's door and the professional's search in a real browser: every screen at 1280 and 320 px."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from relais.accounts.models import Membership
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.patients.models import Grant
from relais.patients.testing import let_in, make_grant, make_patient
from relais.patients.tests.door import MOBILE, codes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("landing")]
DESK, TELEPHONE = 1280, 320
Open = Callable[..., Any]


@pytest.mark.req("TC-34")
def test_from_the_link_to_the_space_by_keyboard_alone(live_server: Any, open_page: Open, screens: Any) -> None:
    sender = make_establishment("EHPAD Les Lilas", phone="01 99 00 12 34")
    grant, secrets = make_grant(phone=MOBILE, establishment_id=sender.pk)
    page = open_page(width=TELEPHONE)
    page.expected.append("422")
    page.goto(f"{live_server.url}/p/{grant.pk}/#i={secrets['login']}")
    screens("patients-enter", page)
    assert page.url.endswith(f"/p/{grant.pk}/")  # what followed the # is gone
    expect(page.get_by_label("Identifiant")).to_have_value(secrets["login"])
    page.wait_for_function("() => document.activeElement.name === 'password'")
    page.keyboard.type("pas le bon")
    page.keyboard.press("Enter")
    page.get_by_role("alert").first.wait_for()
    screens("patients-enter-refused", page)
    expect(page.get_by_label("Identifiant")).to_have_value(secrets["login"])
    page.get_by_label("Mot de passe").fill(secrets["password"].upper().replace("-", " "))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Saisir le code").wait_for()
    screens("patients-code", page)
    page.reload()  # an old telephone drops the page while the SMS is read
    page.get_by_role("heading", name="Saisir le code").wait_for()
    page.wait_for_function("() => document.activeElement.name === 'code'")
    page.keyboard.type(codes()[0])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Vous avez quitté").wait_for()
    kept = {cookie["name"]: cookie["httpOnly"] for cookie in page.context.cookies()}
    assert kept[settings.PATIENT_COOKIE_NAME] is True
    screens("patients-left", page)


def test_lost_and_closed_links(live_server: Any, open_page: Open, screens: Any) -> None:
    sender = make_establishment("EHPAD Les Lilas", phone="01 99 00 12 34")
    grant, _secrets = make_grant(establishment_id=sender.pk)
    page = open_page(f"{live_server.url}/p/lien-perdu/", width=TELEPHONE)
    page.expected += ["422", "410", "404"]
    screens("patients-lost", page)
    page.get_by_label(re.compile("Votre adresse e-mail")).fill("06 39")
    page.keyboard.press("Enter")
    page.get_by_role("alert").first.wait_for()
    screens("patients-lost-refused", page)
    page.get_by_label(re.compile("Votre adresse e-mail")).fill("patient@exemple.test")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Regardez vos messages").wait_for()
    screens("patients-sent", page)
    changes = {
        "expired": {"valid_until": timezone.now() - timedelta(days=3)},
        "revoked": {"valid_until": grant.valid_until, "revoked_at": timezone.now()},
        "early": {"revoked_at": None, "valid_from": timezone.now() + timedelta(hours=1)},
    }
    for name, change in changes.items():
        Grant.objects.update(**change)
        page.goto(f"{live_server.url}/p/{grant.pk}/")
        screens(f"patients-closed-{name}", page)
    page.goto(f"{live_server.url}/p/00000000-0000-4000-8000-000000000000/")
    screens("patients-closed-unknown", page)


def sign_in(page: Any, member: Membership, address: str) -> None:
    value = client_of(member).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": address}])


def people(member: Membership) -> None:
    place = member.establishment
    for given in ("Camille", "Camille", "Élodie"):
        make_patient("Lefèvre", given, seen_by=place, birth_date=date(1958, 3, 12))
    make_patient(
        "Nguyễn-Delacroix-Montgolfier", "Marie-Thérèse Anne Élisabeth", seen_by=place, used_family_name="O'Neil",
        ins="258037512611119", ins_oid="1.2.250.1.213.1.4.10", identity_status="QUAL", identity_marks=["homonyme"],
        social_security_number="258037512611119", insurance_scheme="Régime général", birth_place="75056",
    )  # fmt: skip


@pytest.mark.req("TC-16")
def test_search_as_one_types_by_keyboard(live_server: Any, open_page: Open, screens: Any) -> None:
    member = make_member(role="secretary")
    people(member)
    page = open_page(width=TELEPHONE)
    sign_in(page, member, live_server.url)
    page.goto(f"{live_server.url}/patients/")
    screens("patients-search-empty", page)
    main = page.locator("main")
    main.get_by_role("searchbox").press_sequentially("lefvre", delay=20)
    main.get_by_text("3 patients trouvés").first.wait_for()
    screens("patients-search-found", page)
    page.wait_for_function("() => document.getElementById('relais-live').textContent.includes('3 patients')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "Lefèvre".upper() in page.evaluate("document.activeElement.textContent").upper()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.type") == "search"
    main.get_by_role("searchbox").fill("oneil")
    main.get_by_text("1 patient trouvé").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="O'NEIL").wait_for()
    screens("patients-detail", page)
    assert "oneil" not in page.url
    page.go_back()
    main.get_by_text("1 patient trouvé").first.wait_for()
    expect(main.get_by_role("searchbox")).to_have_value("oneil")


def test_search_from_the_top_bar(live_server: Any, open_page: Open, screens: Any) -> None:
    member = make_member(role="secretary")
    people(member)
    page = open_page()
    sign_in(page, member, live_server.url)
    page.goto(f"{live_server.url}/patients/retrouver/")
    page.keyboard.press("/")
    page.keyboard.type("lefevre")
    page.locator(".topsearch").get_by_text("3 patients trouvés").first.wait_for()
    screens("patients-topsearch", page, widths=(DESK,))
    page.keyboard.press("Escape")
    page.locator(".topsearch [data-find-results]").wait_for(state="hidden")
    page.keyboard.press("Control+a")
    page.keyboard.type("marie therese")
    page.locator(".topsearch").get_by_text("1 patient trouvé").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="O'NEIL").wait_for()


def test_a_new_patient_a_duplicate_and_a_correction(live_server: Any, open_page: Open, screens: Any) -> None:
    member = make_member(role="secretary")
    people(member)
    page = open_page(width=TELEPHONE)
    page.expected.append("422")
    sign_in(page, member, live_server.url)
    page.goto(f"{live_server.url}/patients/nouveau/")
    screens("patients-create", page)
    page.get_by_label("Nom de naissance").fill("Lefevre")
    page.get_by_label("Prénoms de naissance").fill("Camille")
    page.get_by_label("Date de naissance").fill("12/03/1958")
    page.get_by_label("Téléphone").fill("06 39")
    page.get_by_role("button", name="Créer le patient").click()
    page.get_by_role("alert").first.wait_for()
    screens("patients-create-refused", page)
    page.get_by_label("Téléphone").fill("06 39 98 55 55")
    page.get_by_role("button", name="Créer le patient").click()
    page.get_by_text("patients ressemblent").first.wait_for()
    screens("patients-create-duplicates", page)
    page.get_by_role("button", name="Aucun de ceux-là").click()
    page.get_by_role("heading", name="LEFEVRE Camille").wait_for()
    page.get_by_role("link", name="Corriger l’identité").click()
    screens("patients-correct", page)
    page.get_by_label("Identité douteuse").check()
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_text("L’identité est corrigée").first.wait_for()
    screens("patients-detail-doubtful", page)
    page.goto(f"{live_server.url}/patients/retrouver/")
    screens("patients-claim", page)


def test_what_a_patients_page_sends_says_whose_it_was(live_server: Any, open_page: Open) -> None:
    grant, _secrets = make_grant()
    value = let_in(Client(), grant).cookies[settings.PATIENT_COOKIE_NAME].value
    page = open_page()
    page.context.add_cookies([{"name": settings.PATIENT_COOKIE_NAME, "value": value, "url": live_server.url}])
    page.goto(f"{live_server.url}/p/lien-perdu/")
    page.get_by_label(re.compile("Votre adresse e-mail")).fill("personne@exemple.test")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.keyboard.press("Enter")
    assert f"relais_holder={grant.pk}" in sent.value.post_data
    page.get_by_role("heading", name="Regardez vos messages").wait_for()
