"""Besoin d'aide ? A number to keep, for professionals, patients and those who are not signed in."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from relais.accounts.testing import client_of, make_member
from relais.notifications.models import Message
from relais.patients.testing import let_in, make_grant
from relais.portal.models import ALPHABET, Ticket
from relais.rooms.models import DeviceTest

pytestmark = pytest.mark.django_db


def filled(**fields: Any) -> dict[str, Any]:
    values = {
        "key": str(uuid.uuid4()),
        "service": "Téléconsultation",
        "subject": "La caméra reste noire",
        "text": "Elle marche ailleurs.",
        "email": "claire@exemple.test",
        "phone": "",
    }
    return {**values, **fields}


@pytest.mark.req("TC-64", "SU-01", "SU-05", "SU-06")
@pytest.mark.parametrize("name", ["portal:help", "portal:patient_help"])
def test_the_help_page_shows_every_number_to_those_who_are_not_signed_in(client: Client, name: str) -> None:
    page = client.get(reverse(name)).content.decode()
    assert "09 70 09 52 80" in page
    assert "0805 690 711" in page
    assert 'href="tel:+33970095280"' in page
    assert "de 8 h à 19 h" in page


@pytest.mark.req("SU-06")
def test_professionals_see_a_mailbox_for_each_service() -> None:
    page = client_of(make_member()).get(reverse("portal:help")).content.decode()
    assert "support-teleconsultation@exemple.test" in page
    assert "support@exemple.test" in page
    assert "01 83 76 30 31" in page


@pytest.mark.req("TC-64", "SU-03")
def test_a_professional_gets_a_number_to_keep_and_a_confirmation() -> None:
    member = make_member(email="claire@exemple.test")
    response = client_of(member).post(reverse("portal:help"), filled())
    ticket = Ticket.objects.get()
    assert response.url == reverse("portal:ticket", args=[ticket.pk])
    assert re.fullmatch(rf"AIDE-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", ticket.number)
    assert (ticket.user_id, ticket.establishment_id, ticket.roles) == (
        member.user_id,
        member.establishment_id,
        "practitioner",
    )
    assert [m.address for m in Message.objects.filter(type="portal.ticket")] == ["claire@exemple.test"]
    assert [m.address for m in Message.objects.filter(type="portal.to_desk")] == [
        "support-teleconsultation@exemple.test"
    ]


def test_the_page_shows_the_number_large_with_a_button_that_copies_it() -> None:
    browser = client_of(make_member())
    page = browser.post(reverse("portal:help"), filled(), follow=True).content.decode()
    assert f'id="ticket-number">{Ticket.objects.get().number}<' in page
    assert 'data-copy="#ticket-number"' in page


@pytest.mark.req("TC-64")
def test_a_ticket_carries_page_without_ids_browser_and_the_figures_of_the_last_self_test() -> None:
    member = make_member()
    DeviceTest.objects.create(
        about=uuid.uuid4(),
        holder_id=member.user_id,
        outcome="ko",
        details={
            "camera": {"outcome": "ko", "label": "HD Webcam de Claire"},
            "network": {"rtt_ms": 42},
            "note": "texte",
        },
    )
    secret = uuid.uuid4()
    browser = client_of(member)
    before = f"http://testserver/aide/demandes/{secret}/?q=durand"
    page = browser.get(reverse("portal:help"), HTTP_REFERER=before).content.decode()
    assert f'value="/aide/demandes/{secret}/"' in page
    browser.post(
        reverse("portal:help"), filled(page=f"/aide/demandes/{secret}/?q=durand"), HTTP_USER_AGENT="Firefox 128"
    )
    ticket = Ticket.objects.get()
    assert (ticket.page, ticket.browser) == ("/aide/demandes/…/", "Firefox 128")
    assert set(ticket.device_test) == {"outcome", "at", "camera.outcome", "network.rtt_ms"}
    assert str(secret) not in str(ticket.__dict__)


def test_the_exact_page_is_joined_only_when_the_person_says_so() -> None:
    path = f"/aide/demandes/{uuid.uuid4()}/"
    client_of(make_member()).post(reverse("portal:help"), filled(page=path, attach="on"))
    assert Ticket.objects.get().page == path


@pytest.mark.parametrize("page", ["https://ailleurs.test/x", "/nulle/part/", "javascript:alert(1)"])
def test_a_page_that_is_not_ours_is_not_kept(page: str) -> None:
    client_of(make_member()).post(reverse("portal:help"), filled(page=page))
    assert Ticket.objects.get().page == ""


def test_a_double_click_is_one_request() -> None:
    browser, form = client_of(make_member()), filled()
    first, second = (browser.post(reverse("portal:help"), form) for _click in range(2))
    assert first.url == second.url
    assert Ticket.objects.count() == 1
    assert Message.objects.filter(type="portal.ticket").count() == 1


def test_without_any_contact_the_form_says_so_and_keeps_what_was_typed(client: Client) -> None:
    response = client.post(reverse("portal:help"), filled(email=""))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Indiquez une adresse e-mail ou un numéro de téléphone" in page
    assert "Elle marche ailleurs." in page
    assert Ticket.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value"), [("email", "claire@"), ("email", f"a@{'exemple.' * 32}test"), ("phone", "12")]
)
def test_an_impossible_contact_is_refused_beside_its_field(client: Client, field: str, value: str) -> None:
    response = client.post(reverse("portal:help"), filled(**{field: value}))
    assert response.context["form"].errors.keys() == {field}
    assert Ticket.objects.count() == 0


def test_somebody_not_signed_in_sees_the_number_at_once(client: Client) -> None:
    response = client.post(reverse("portal:help"), filled(name="Alix Petit"))
    assert Ticket.objects.get().number in response.content.decode()
    assert (Ticket.objects.get().actor_kind, Ticket.objects.get().user_id) == ("visitor", None)


def test_a_stranger_s_form_sends_no_sms(client: Client) -> None:
    client.post(reverse("portal:help"), filled(email="", phone="06 39 98 12 34"))
    assert Ticket.objects.get().phone == "+33639981234"
    assert not Message.objects.filter(channel="sms").exists()


def test_a_stranger_s_sixth_request_in_an_hour_is_refused_and_another_address_is_not(client: Client) -> None:
    for _request in range(5):
        client.post(reverse("portal:help"), filled())
    refused = client.post(reverse("portal:help"), filled())
    assert "plusieurs demandes dans l’heure" in refused.content.decode()
    client.post(reverse("portal:help"), filled(), REMOTE_ADDR="192.0.2.7")
    assert Ticket.objects.count() == 6


@pytest.mark.req("SU-04", "SU-01")
def test_a_patient_asks_from_their_space_and_reads_the_request_there(client: Client) -> None:
    grant, _secrets = make_grant(phone="+33639980012")
    browser = let_in(client, grant)
    page = browser.get(reverse("portal:patient_help")).content.decode()
    assert grant.email in page
    form = filled(email="", phone="+33639980012", subject="Autre chose")
    response = browser.post(reverse("portal:patient_help"), form)
    ticket = Ticket.objects.get()
    assert response.url == reverse("portal:patient_ticket", args=[ticket.pk])
    assert (ticket.grant_id, ticket.service) == (grant.pk, "Téléconsultation")
    assert ticket.number in browser.get(response.url).content.decode()
    assert [m.address for m in Message.objects.filter(channel="sms")] == ["+33639980012"]


def test_another_patient_does_not_open_a_patient_s_request(client: Client) -> None:
    grant, _secrets = make_grant()
    let_in(client, grant).post(reverse("portal:patient_help"), filled(subject="Autre chose"))
    address = reverse("portal:patient_ticket", args=[Ticket.objects.get().pk])
    other, _other_secrets = make_grant()
    assert let_in(Client(), other).get(address).status_code == 404
    assert client_of(make_member()).get(address).url == reverse("patient:lost")


def test_a_patient_s_page_asks_neither_service_nor_exact_page(client: Client) -> None:
    response = client.get(reverse("portal:patient_help"), HTTP_REFERER=f"http://testserver/p/aide/{uuid.uuid4()}/")
    assert {"service", "attach"}.isdisjoint(response.context["form"].fields)
    assert "15" in response.content.decode()
    assert "n’écrivez rien sur votre santé" in response.content.decode().lower()


def test_own_requests_are_listed_and_those_of_others_are_not() -> None:
    mine, other = client_of(make_member()), client_of(make_member())
    other.post(reverse("portal:help"), filled(subject="Celle d’une autre personne"))
    mine.post(reverse("portal:help"), filled(subject="La mienne"))
    page = mine.get(reverse("portal:tickets")).content.decode()
    assert "La mienne" in page
    assert "Celle d’une autre" not in page


def test_the_list_of_own_requests_takes_the_same_queries_for_one_and_three() -> None:
    browser = client_of(make_member())
    counts = []
    for _round in range(3):
        browser.post(reverse("portal:help"), filled())
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("portal:tickets"))
        counts.append(len(captured))
    assert len(set(counts)) == 1
