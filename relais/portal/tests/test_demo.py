"""The demo page: real sessions of invented people, for whoever sits here or has the key, and never in production."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.accounts.demo import PERSONAS, password
from relais.accounts.models import User
from relais.accounts.testing import make_member
from relais.audit.models import Entry
from relais.portal import checks
from relais.portal.models import Ticket
from relais.teleconsultation.models import Teleconsultation

pytestmark = pytest.mark.django_db
AWAY = {"REMOTE_ADDR": "192.0.2.44"}


@pytest.fixture
def region() -> None:
    call_command("demo_region", size="small", verbosity=0)


@pytest.fixture
def key(settings: Any) -> str:
    settings.DEMO_KEY = "0123456789"
    return settings.DEMO_KEY


def test_a_newcomer_on_the_embedded_database_is_led_to_the_demo_page(client: Client, settings: Any) -> None:
    settings.EMBEDDED = True
    assert client.get("/").url == reverse("portal:demo")
    settings.EMBEDDED = False
    assert client.get("/").status_code == 200


def test_the_page_names_every_persona_with_what_they_can_try(client: Client, region: None) -> None:
    page = client.get("/demo/").content.decode()
    for persona in PERSONAS:
        assert persona.family_name in page
        assert reverse("portal:demo_open", args=[persona.key]) in page
    assert "Ouvrir comme patient" in page


def test_without_a_region_the_page_says_what_to_do(client: Client) -> None:
    assert "make demo-region" in client.get("/demo/").content.decode()


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.key)
def test_one_click_opens_a_real_session_as_a_persona(client: Client, region: None, persona: Any) -> None:
    response = client.post(reverse("portal:demo_open", args=[persona.key]), follow=True)
    user = User.objects.get(email=persona.email)
    assert response.context["user"] == user
    several = len(persona.places) > 1
    assert response.redirect_chain[-1][0] == (reverse("accounts:choose") if several else "/")
    assert Entry.objects.filter(action="session.begin", user_id=user.pk).exists()


def test_opening_another_persona_ends_the_session_before(client: Client, region: None) -> None:
    client.post(reverse("portal:demo_open", args=["secretary"]))
    before = client.session.session_key
    client.post(reverse("portal:demo_open", args=["caregiver"]))
    assert client.session.session_key != before
    assert client.get("/").context["user"].email == "infirmiere@exemple.test"


@pytest.mark.parametrize("who", ["inconnue", "medecin", "system"])
def test_no_other_account_can_be_opened(client: Client, region: None, who: str) -> None:
    assert client.post(reverse("portal:demo_open", args=[who])).status_code == 404


def test_a_real_account_with_a_persona_s_address_cannot_be_opened(client: Client) -> None:
    make_member(email="medecin@exemple.test", synthetic=False)
    assert client.post(reverse("portal:demo_open", args=["doctor"])).status_code == 404
    assert "_auth_user_id" not in client.session


def test_a_get_opens_nothing(client: Client, region: None) -> None:
    assert client.get(reverse("portal:demo_open", args=["doctor"])).status_code == 405
    assert client.get(reverse("portal:demo_patient")).status_code == 405


@pytest.mark.parametrize("name", ["demo", "demo_messages"])
def test_from_another_machine_the_key_is_asked(client: Client, region: None, key: str, name: str) -> None:
    response = client.get(reverse(f"portal:{name}"), **AWAY)
    assert response.status_code == 403
    assert "Laurent" not in response.content.decode()


def test_from_another_machine_no_persona_opens_without_the_key(client: Client, region: None, key: str) -> None:
    assert client.post(reverse("portal:demo_open", args=["doctor"]), **AWAY).status_code == 403
    assert "_auth_user_id" not in client.session


def test_the_right_key_opens_and_stays_with_the_browser(client: Client, region: None, key: str) -> None:
    client.post(reverse("portal:demo_key"), {"key": " 0123456789 "}, **AWAY)
    assert client.get("/demo/", **AWAY).status_code == 200
    client.post(reverse("portal:demo_open", args=["secretary"]), **AWAY)
    assert client.get("/demo/", **AWAY).status_code == 200
    assert Client().get("/demo/", **AWAY).status_code == 403


def test_wrong_keys_are_capped_even_for_the_right_one_after_them(client: Client, region: None, key: str) -> None:
    for _try in range(5):
        client.post(reverse("portal:demo_key"), {"key": "faux"}, **AWAY)
    client.post(reverse("portal:demo_key"), {"key": key}, **AWAY)
    assert client.get("/demo/", **AWAY).status_code == 403


@pytest.mark.parametrize("address", ["192.0.2.44", "", "pas une adresse"])
def test_without_a_key_nobody_enters_from_elsewhere(client: Client, settings: Any, address: str) -> None:
    settings.DEMO_KEY = ""
    client.post(reverse("portal:demo_key"), {"key": ""}, REMOTE_ADDR=address)
    assert client.get("/demo/", REMOTE_ADDR=address).status_code == 403


ALL = ["demo", "demo_messages", "demo_key", "demo_patient"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("demo", "production"), [(False, False), (False, True), (True, True)])
def test_where_people_are_real_the_page_does_not_exist(
    client: Client, settings: Any, name: str, *, demo: bool, production: bool
) -> None:
    settings.DEMO, settings.PRODUCTION = demo, production
    method = client.get if name in ("demo", "demo_messages") else client.post
    assert method(reverse(f"portal:{name}")).status_code == 404
    assert client.post(reverse("portal:demo_open", args=["doctor"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_panel_shows_what_a_persona_would_receive(client: Client, run_jobs: Callable[[], int]) -> None:
    form = {
        "key": str(uuid.uuid4()),
        "service": "Téléconsultation",
        "subject": "Son",
        "text": "Rien.",
        "email": "a@exemple.test",
    }
    client.post(reverse("portal:help"), form)
    assert "Aucun message" in client.get(reverse("portal:demo_messages")).content.decode()
    run_jobs()
    page = client.get(reverse("portal:demo_messages")).content.decode()
    assert Ticket.objects.get().number in page
    assert "a@exemple.test" in page


def test_production_refuses_synthetic_accounts_that_can_sign_in(region: None, settings: Any) -> None:
    assert checks.synthetic_accounts(databases=["default"]) == []
    settings.PRODUCTION = True
    assert [error.id for error in checks.synthetic_accounts(databases=["default"])] == ["portal.E001"]
    with pytest.raises(SystemCheckError, match="synthetic accounts"):
        call_command("web")


def test_production_accepts_people_who_cannot_sign_in_or_are_real(settings: Any) -> None:
    settings.PRODUCTION = True
    make_member(synthetic=False)
    make_member()
    assert checks.synthetic_accounts(databases=["default"]) == []


def test_the_password_belongs_to_the_installation(settings: Any) -> None:
    first = password()
    settings.SECRET_KEY = "another key"
    assert password() != first


def test_one_click_lets_the_browser_into_the_patient_s_space_beside_a_professional_session(
    client: Client, region: None
) -> None:
    client.post(reverse("portal:demo_open", args=["doctor"]))
    response = client.post(reverse("portal:demo_patient"), follow=True)
    assert response.redirect_chain == [(reverse("space:home"), 302)]
    assert "Rejoindre" in response.content.decode()
    assert client.get("/").context["user"].email == "medecin@exemple.test"


def test_the_doctor_and_the_patient_are_led_to_the_same_appointment_that_starts_now(
    client: Client, region: None
) -> None:
    client.post(reverse("portal:demo_patient"))
    response = client.post(reverse("portal:demo_open", args=["doctor"]), {"appointment": "1"})
    tele = Teleconsultation.objects.awaited().get(dossier__patient__email="jeanne.moreau@exemple.test")
    assert response.url == reverse("teleconsultation:dossier", args=[tele.pk])
    assert abs(tele.starts_at - timezone.now()) < timedelta(minutes=2)
    assert "Rejoindre" in client.get(response.url).content.decode()


@pytest.mark.parametrize("view", ["demo_patient", "demo_open"])
def test_without_a_region_the_appointment_says_so(client: Client, view: str) -> None:
    make_member(email="medecin@exemple.test", synthetic=False)
    args = ["doctor"] if view == "demo_open" else []
    response = client.post(reverse(f"portal:{view}", args=args), {"appointment": "1"}, follow=True)
    assert response.status_code == 404 if view == "demo_open" else "pas encore chargée" in response.content.decode()
    assert not Teleconsultation.objects.exists()
