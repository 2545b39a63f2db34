"""The lost link: new secrets for who holds a way in, one answer for everybody (B1.2, C27)."""

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.core.actor import SYSTEM_ACTOR
from relais.notifications import vault
from relais.notifications.models import Message
from relais.notifications.registry import TYPES
from relais.patients import entry
from relais.patients.actions import revoke
from relais.patients.models import Grant, Holder
from relais.patients.testing import let_in, make_grant, make_patient
from relais.patients.tests.door import MOBILE, show, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("landing")]


def ask(client: Client, contact: str) -> Any:
    return client.post(reverse("patient:lost"), {"contact": contact})


@pytest.mark.parametrize(
    "typed",
    [
        "patient@exemple.test",
        " Patient@EXEMPLE.test",
        "06 39 98 00 01",
        "+33639980001",
        "personne@exemple.test",
        "06 39 98 99 99",
    ],
)
def test_the_answer_is_the_same_for_everybody(client: Client, typed: str) -> None:
    make_grant(phone=MOBILE)
    response = ask(client, typed)
    assert (response.status_code, response["Location"]) == (302, "/p/lien-perdu/envoye/")
    assert Message.objects.count() == (0 if "personne" in typed or "99 99" in typed else 2)


def test_new_secrets_go_link_by_email_and_password_by_sms(client: Client) -> None:
    grant, old = make_grant(phone=MOBILE)
    ask(client, "06 39 98 00 01")
    secrets = {message.channel: vault.unseal(message.secret) for message in Message.objects.all()}
    assert secrets == {"email": {"login": old["login"]}, "sms": {"password": secrets["sms"]["password"]}}
    assert show(client, grant, old).status_code == 422
    assert show(client, grant, {"login": old["login"], **secrets["sms"]})["Location"] == url(grant, "code")


@pytest.mark.parametrize("contact", [{"phone": ""}, {"phone": "+33199000001"}, {"email": "", "phone": MOBILE}])
def test_one_channel_alone_carries_all(client: Client, contact: dict[str, str]) -> None:
    grant, _old = make_grant(**contact)
    ask(client, grant.phone or grant.email)
    message = Message.objects.get()
    assert message.channel == ("email" if grant.email else "sms")
    assert set(vault.unseal(message.secret)) == {"login", "password"}


def test_the_message_names_the_first_name_and_the_end_and_nothing_else(client: Client) -> None:

    patient = make_patient("Secretnom", "Camille")
    grant, _old = make_grant(patient, phone=MOBILE, valid_until=datetime.fromisoformat("2027-01-05T12:00:00+01:00"))
    ask(client, "06 39 98 00 01")
    for message in Message.objects.all():
        assert TYPES[message.type].still_wanted(message)
        rendered = TYPES[message.type].render(message, vault.unseal(message.secret))
        for words in ("Camille", "5 janvier 2027", f"{settings.PUBLIC_URL}/p/{grant.pk}/"):
            assert words in rendered.text
        assert "Secretnom" not in rendered.text
    first = list(Message.objects.all())
    ask(client, "06 39 98 00 01")
    assert not any(TYPES[message.type].still_wanted(message) for message in first)


def test_guests_closed_and_expired_ways_in_get_nothing(client: Client) -> None:
    make_grant(holder=Holder.GUEST, holder_name="X")
    make_grant(valid_until=timezone.now() - timedelta(seconds=1))
    revoked, _secrets = make_grant()
    revoke(actor=SYSTEM_ACTOR, about=revoked.about)
    ask(client, "patient@exemple.test")
    assert not Message.objects.exists()


def test_sends_are_capped_by_contact_and_by_address(client: Client) -> None:
    make_grant()
    for number in range(5):
        assert (
            client.post(
                reverse("patient:lost"), {"contact": "patient@exemple.test"}, REMOTE_ADDR=f"192.0.2.{number}"
            ).status_code
            == 302
        )
    assert Message.objects.count() == entry.LOST_CONTACT
    for number in range(entry.LOST_ADDRESS):
        ask(client, f"personne{number}@exemple.test")
    assert "Réessayez dans une heure" in ask(client, "patient@exemple.test").content.decode()


def test_the_same_work_is_done_for_nobody(client: Client) -> None:
    make_grant()
    counts = []
    for typed in ("patient@exemple.test", "personne@exemple.test"):
        with (
            patch("relais.patients.actions.door.make_password", return_value="x") as spare,
            patch("relais.patients.actions.grants.make_password", return_value="x") as used,
        ):
            ask(client, typed)
        counts.append(spare.call_count + used.call_count)
    assert counts == [3, 3]


@pytest.mark.parametrize("typed", ["", "nom@", "06 12", "bonjour"])
def test_what_is_no_contact_gets_a_sentence(client: Client, typed: str) -> None:
    response = ask(client, typed)
    assert response.status_code == 422
    assert "id_contact" in response.content.decode()


def test_who_was_inside_learns_that_it_ended(client: Client) -> None:
    grant, _secrets = make_grant()
    let_in(client, grant)
    Grant.objects.update(valid_until=datetime.fromisoformat("2026-10-03T14:30:00+02:00"))
    assert "jusqu’au 3 octobre 2026" in client.get(reverse("patient:lost")).content.decode()


def test_no_page_of_the_door_carries_the_patient(client: Client) -> None:
    grant, _secrets = make_grant(make_patient("Secretnom", "Secretprénom"), phone=MOBILE)
    for name in ("lost", "sent", "leave"):
        page = client.get(reverse(f"patient:{name}"))
        assert page.status_code == 200
        assert "Secret" not in page.content.decode()
    assert "Secret" not in client.get(url(grant)).content.decode()
