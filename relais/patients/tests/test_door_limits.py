"""What the door refuses: brute force, links that are not open any more or not yet (TC-22, TC-28, C26)."""

import re
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.accounts.testing import make_establishment
from relais.audit.models import Entry
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import Refused
from relais.patients import entry
from relais.patients.actions import revoke
from relais.patients.models import Grant, Throttle
from relais.patients.testing import let_in, make_grant, make_patient
from relais.patients.tests.door import MOBILE, current, show, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("landing")]


def test_the_fifth_wrong_try_shuts_the_grant_for_a_growing_time(client: Client) -> None:
    grant, secrets = make_grant()
    for _time in range(5):
        show(client, grant, secrets, password="faux")
    assert "Réessayez dans 1 minute" in show(client, grant, secrets).content.decode()
    assert Entry.objects.filter(action="grant.lock").count() == 1
    now = timezone.now()
    with patch("django.utils.timezone.now", return_value=now + timedelta(seconds=61)):
        assert "Réessayez dans 2 minutes" in show(client, grant, secrets, password="faux").content.decode()
    with patch("django.utils.timezone.now", return_value=now + timedelta(seconds=200)):
        assert show(client, grant, secrets).status_code == 302
    grant.refresh_from_db()
    assert (grant.failed_tries, grant.locked_until) == (0, None)


def test_the_lock_grows_to_an_hour() -> None:
    minutes = [entry.lock_time(count).total_seconds() / 60 for count in range(14)]
    assert minutes == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_address_that_tries_many_grants_is_stopped(client: Client) -> None:
    with patch("relais.patients.actions.door.check_password", return_value=False):
        for _time in range(entry.ADDRESS_TRIES // 3):
            grant, secrets = make_grant()
            for _again in range(3):
                assert "ne correspond pas" in show(client, grant, secrets, password="faux").content.decode()
    grant, secrets = make_grant()
    assert "depuis cette connexion" in show(client, grant, secrets).content.decode()
    assert client.post(url(grant), secrets, REMOTE_ADDR="192.0.2.9").status_code == 302
    now = timezone.now()
    with patch("django.utils.timezone.now", return_value=now + entry.ADDRESS_WINDOW + timedelta(seconds=1)):
        assert show(client, grant, secrets).status_code == 302
    assert not any("127.0.0.1" in row.key for row in Throttle.objects.all())


def test_passwords_have_forty_bits_and_argon2_holds_them(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["relais.core.hashers.Argon2"]
    assert make_password("x").startswith("argon2")
    syllables = len(entry.FIRST) * len(entry.VOWELS) * len(entry.LAST) - len(entry.NOT_A_SYLLABLE)
    assert syllables**3 * len(entry.FIGURES) ** 4 >= 2**40
    assert re.fullmatch(r"([a-z]{3}-){3}[2-9]{4}", entry.new_password())
    assert len({entry.new_password() for _number in range(200)}) == 200
    assert len(entry.LOGIN_ALPHABET) ** entry.LOGIN_LENGTH > 2**39


@pytest.mark.req("TC-28")
@pytest.mark.parametrize(("after", "status"), [(timedelta(), 302), (timedelta(seconds=1), 410)])
def test_the_link_works_until_its_last_instant(client: Client, after: timedelta, status: int) -> None:
    grant, secrets = make_grant(valid_until=timezone.now() + timedelta(days=30))
    with patch("django.utils.timezone.now", return_value=grant.valid_until + after):
        assert show(client, grant, secrets).status_code == status


@pytest.mark.req("TC-28")
def test_an_expired_link_says_since_when_and_what_to_do(client: Client) -> None:
    establishment = make_establishment("EHPAD Les Lilas", phone="01 99 00 12 34")
    grant, _secrets = make_grant(
        valid_until=datetime.fromisoformat("2026-10-03T14:30:00+02:00"), establishment_id=establishment.pk
    )
    response = client.get(url(grant))
    page = response.content.decode()
    assert response.status_code == 410
    for words in (
        "3 octobre 2026 à 14:30",
        "EHPAD Les Lilas",
        "01 99 00 12 34",
        settings.ENV["SUPPORT_PHONE_DAY"],
        "Recevoir un nouvel accès",
    ):
        assert words in page
    assert str(grant.patient.family_name) not in page


def test_a_link_not_yet_open_and_an_unknown_one_help_too(client: Client) -> None:
    grant, _secrets = make_grant()
    Grant.objects.update(valid_from=timezone.now() + timedelta(days=1))
    assert client.get(url(grant)).status_code == 410
    response = client.get(reverse("patient:entry", args=[uuid4()]))
    assert response.status_code == 404
    assert "Recevoir un nouvel accès" in response.content.decode()


@pytest.mark.req("TC-22")
def test_a_further_appointment_never_opens_with_the_old_link(client: Client) -> None:
    patient, about = make_patient(), uuid4()
    old, secrets = make_grant(patient, about=about)
    inside = let_in(Client(), old)
    revoke(actor=SYSTEM_ACTOR, about=about)
    new, new_secrets = make_grant(patient, about=about)
    assert show(client, old, secrets).status_code == 410
    assert show(client, old, new_secrets).status_code == 410
    assert "message plus récent" in client.get(url(old)).content.decode()
    assert current(inside) is None
    assert show(client, new, secrets).status_code == 422
    assert show(client, new, new_secrets).status_code == 302


def test_a_landline_alone_reaches_nobody() -> None:
    with pytest.raises(Refused, match="fixe") as refused:
        make_grant(email="", phone="+33199000001")
    assert refused.value.field == "phone"
    assert make_grant(phone="+33199000001")[0].mobile == ""
    assert make_grant(phone=MOBILE)[0].mobile == MOBILE
