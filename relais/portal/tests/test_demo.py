"""The demo page where there is no region, or where people are real (test_demo_people.py: with a region)."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from relais.accounts.demo import password
from relais.accounts.testing import make_member
from relais.portal import checks
from relais.portal.models import Ticket
from relais.teleconsultation.models import Teleconsultation

pytestmark = pytest.mark.django_db
AWAY = {"REMOTE_ADDR": "192.0.2.44"}


def test_a_newcomer_on_the_embedded_database_is_led_to_the_demo_page(client: Client, settings: Any) -> None:
    settings.EMBEDDED = True
    assert client.get("/").url == reverse("portal:demo")
    settings.EMBEDDED = False
    assert client.get("/").status_code == 200


def test_without_a_region_the_page_says_what_to_do(client: Client) -> None:
    assert "make demo-region" in client.get("/demo/").content.decode()


def test_a_real_account_with_a_persona_s_address_cannot_be_opened(client: Client) -> None:
    make_member(email="medecin@exemple.test", synthetic=False)
    assert client.post(reverse("portal:demo_open", args=["doctor"])).status_code == 404
    assert "_auth_user_id" not in client.session


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


def test_production_accepts_people_who_cannot_sign_in_or_are_real(settings: Any) -> None:
    settings.PRODUCTION = True
    make_member(synthetic=False)
    make_member()
    assert checks.synthetic_accounts(databases=["default"]) == []


def test_the_password_belongs_to_the_installation(settings: Any) -> None:
    first = password()
    settings.SECRET_KEY = "another key"
    assert password() != first


@pytest.mark.parametrize("view", ["demo_patient", "demo_open"])
def test_without_a_region_the_appointment_says_so(client: Client, view: str) -> None:
    make_member(email="medecin@exemple.test", synthetic=False)
    args = ["doctor"] if view == "demo_open" else []
    response = client.post(reverse(f"portal:{view}", args=args), {"appointment": "1"}, follow=True)
    assert response.status_code == 404 if view == "demo_open" else "pas encore chargée" in response.content.decode()
    assert not Teleconsultation.objects.exists()
