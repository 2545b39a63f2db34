"""Who a browser is on patients' pages: the holder of the grant its cookie names, and nobody else."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.core.actor import Actor
from relais.patients.actions import extend, revoke
from relais.patients.middleware import actor_of
from relais.patients.models import GrantDevice, Holder
from relais.patients.testing import let_in, make_grant

pytestmark = pytest.mark.django_db


def cookie(client: Client) -> str:
    return client.cookies[settings.PATIENT_COOKIE_NAME].value


def test_the_cookie_names_the_holder() -> None:
    grant, _secrets = make_grant()
    client = let_in(Client(), grant, factors=2)
    device = GrantDevice.objects.get()
    assert actor_of(cookie(client)) == Actor(
        kind="patient",
        grant_id=grant.pk,
        patient_id=grant.patient_id,
        about=grant.about,
        device_id=device.pk,
        assurance=2,
    )


@pytest.mark.parametrize("value", [None, "", ".", "x", "x.y", "é" * 50])
def test_another_cookie_names_nobody(value: str | None) -> None:
    make_grant()
    assert actor_of(value) is None


def test_a_guest_has_no_patient() -> None:
    grant, _secrets = make_grant(holder=Holder.GUEST, holder_name="Mme Interprète")
    actor = actor_of(cookie(let_in(Client(), grant)))
    assert actor is not None
    assert (actor.kind, actor.patient_id, actor.about) == ("guest", None, grant.about)


@pytest.mark.req("TC-22")
def test_revoking_ends_it_at_once() -> None:
    grant, _secrets = make_grant()
    client = let_in(Client(), grant)
    revoke(actor=actor_of(cookie(client)), about=grant.about)
    assert actor_of(cookie(client)) is None


@pytest.mark.req("TC-28")
def test_the_last_instant_is_included_and_the_next_second_is_not() -> None:
    grant, _secrets = make_grant()
    end = grant.valid_until
    assert grant.is_live(end)
    assert not grant.is_live(end + timedelta(microseconds=1))
    client = let_in(Client(), grant)
    extend(grant=grant, valid_until=timezone.now() - timedelta(seconds=1))
    assert actor_of(cookie(client)) is None


def test_last_seen_is_noted_once_a_minute(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    grant, _secrets = make_grant()
    client = let_in(Client(), grant)
    with django_assert_num_queries(1):
        actor_of(cookie(client))
    GrantDevice.objects.update(last_seen_at=timezone.now() - timedelta(seconds=61))
    with django_assert_num_queries(2):
        actor_of(cookie(client))
    assert timezone.now() - GrantDevice.objects.get().last_seen_at < timedelta(seconds=30)


@pytest.mark.parametrize("how", ["field", "header"])
def test_a_page_of_another_holder_of_this_telephone_sends_nothing(how: str) -> None:
    """Two tabs, two children, one cookie: what the older page sends would land in the other's space."""
    (mine, _secrets), (theirs, _others) = make_grant(), make_grant()
    client = let_in(Client(), mine)

    def send(holder: str) -> int:
        if how == "field":
            return client.post("/p/rendez-vous/", {"relais_holder": holder}).status_code
        return client.post("/p/rendez-vous/", headers={"X-Relais-Holder": holder}).status_code

    assert send(str(theirs.pk)) == 409
    assert send(str(mine.pk)) != 409
    assert send("") != 409
    assert client.post("/p/quitter/", {"relais_holder": str(theirs.pk)}).status_code == 302


def token_of(client: Client, url: str) -> str:
    """What the forms of this page carry."""
    found = re.search(r'name="csrf-token" content="(\w+)"', client.get(url).text)
    assert found
    return found.group(1)


def sent(client: Client, url: str, token: str) -> int:
    return client.post(url, {"csrfmiddlewaretoken": token}).status_code


def test_a_professional_who_signs_in_leaves_the_forms_of_the_patients_page_as_they_are() -> None:
    """Each side of the browser has its own CSRF cookie, and takes no token of the other."""
    lost, login = reverse("patient:lost"), reverse("account_login")
    client = Client(enforce_csrf_checks=True)
    patients, before = token_of(client, lost), token_of(client, login)
    assert client.cookies[settings.PATIENT_CSRF_COOKIE_NAME]["samesite"] == "Lax"
    client.cookies[settings.CSRF_COOKIE_NAME] = "n" * 32  # as signing in does: another secret on that side
    assert sent(client, lost, patients) != 403
    assert sent(client, login, token_of(client, login)) != 403
    for other in (before, patients):
        assert sent(client, login, other) == 403
    assert sent(client, lost, token_of(client, login)) == 403
    del client.cookies[settings.PATIENT_CSRF_COOKIE_NAME]
    assert sent(client, lost, patients) == 403
