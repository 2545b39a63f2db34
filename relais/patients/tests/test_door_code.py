"""A new device: the code by SMS when there is a mobile number, the single factor recorded when not."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from relais.audit.models import Entry
from relais.notifications.models import OneTimeCode
from relais.patients import entry
from relais.patients.models import GrantDevice, Holder
from relais.patients.testing import let_in, make_grant
from relais.patients.tests.door import HOME, MOBILE, codes, current, show, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("landing")]


def test_a_new_device_asks_for_a_code_when_there_is_a_mobile(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE)
    response = show(client, grant, secrets)
    assert response["Location"] == url(grant, "code")
    assert current(client) is None
    page = client.get(url(grant, "code")).content.decode()
    assert "•• •• •• •• 01" in page
    assert "63998" not in page.replace(" ", "")
    wrong = client.post(url(grant, "code"), {"code": "000000" if codes()[0] != "000000" else "111111"})
    assert wrong.status_code == 422
    assert "faux" in wrong.content.decode()
    assert client.post(url(grant, "code"), {"code": codes()[0]})["Location"] == HOME
    assert current(client).assurance == 2
    assert Entry.objects.filter(action="grant.enter", about=grant.about).count() == 1


@pytest.mark.parametrize("phone", ["", "+33199000001"])
def test_without_a_mobile_the_single_factor_is_recorded(client: Client, phone: str) -> None:
    grant, secrets = make_grant(phone=phone)
    show(client, grant, secrets)
    assert GrantDevice.objects.get().factors == 1


def test_a_known_device_goes_straight_in(client: Client) -> None:
    grant, _secrets = make_grant(phone=MOBILE)
    let_in(client, grant, factors=2)
    assert client.get(url(grant))["Location"] == HOME
    assert not OneTimeCode.objects.exists()


def test_the_code_page_is_closed_to_who_has_not_shown_the_password(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE)
    other, _others = make_grant(phone=MOBILE)
    assert client.get(url(grant, "code"))["Location"] == url(grant)
    show(client, grant, secrets)
    assert client.get(url(other, "code"))["Location"] == url(other)
    assert client.post(url(other, "code"), {"code": codes()[0]})["Location"] == url(other)
    client.cookies[entry.STEP_COOKIE] = "forged"
    assert client.post(url(grant, "code"), {"code": codes()[0]})["Location"] == url(grant)
    assert not GrantDevice.objects.exists()


def test_a_second_click_sends_no_second_code_and_makes_no_second_device(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE)
    show(client, grant, secrets)
    show(client, grant, secrets)
    assert len(codes()) == 1
    step = client.cookies[entry.STEP_COOKIE].value
    client.post(url(grant, "code"), {"code": codes()[0]})
    client.cookies[entry.STEP_COOKIE] = step
    assert client.post(url(grant, "code"), {"code": codes()[0]})["Location"] == HOME
    assert GrantDevice.objects.count() == 1


def test_another_code_can_be_asked_for(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE)
    show(client, grant, secrets)
    OneTimeCode.objects.update(created_at=timezone.now() - timedelta(seconds=30))
    assert "Un nouveau code est parti" in client.post(url(grant, "code"), {"again": "1"}).content.decode()
    assert client.post(url(grant, "code"), {"code": codes()[-1]})["Location"] == HOME


def test_the_tenth_wrong_code_gets_a_sentence(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE)
    show(client, grant, secrets)
    for _time in range(2):
        right = codes()[-1]
        wrong = "000000" if right != "000000" else "111111"
        pages = [client.post(url(grant, "code"), {"code": wrong}).content.decode() for _try in range(5)]
        OneTimeCode.objects.update(created_at=timezone.now() - timedelta(seconds=30))
        again = client.post(url(grant, "code"), {"again": "1"})
    assert "Attendez 15 minutes" in pages[-1]
    assert again.status_code == 422
    assert "Attendez 15 minutes" in again.content.decode()
    assert not GrantDevice.objects.exists()


def test_a_guest_needs_no_code(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE, holder=Holder.GUEST, holder_name="Mme Interprète")
    assert show(client, grant, secrets)["Location"] == HOME
    assert (current(client).kind, current(client).assurance) == ("guest", 1)
