"""The patient’s door through HTTP: link, login and password, several people and sessions (TC-34)."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from relais.accounts.testing import make_establishment, make_member, sign_in
from relais.notifications.models import Message
from relais.patients import entry
from relais.patients.models import Grant, GrantDevice, Holder, Throttle
from relais.patients.testing import let_in, make_grant, make_patient
from relais.patients.tests.door import HOME, MOBILE, current, let_in_too, show, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("landing")]


@pytest.mark.req("TC-34")
def test_the_link_then_login_and_password_let_in(client: Client) -> None:
    grant, secrets = make_grant()
    assert client.get(url(grant)).status_code == 200
    response = show(client, grant, secrets)
    assert (response.status_code, response["Location"]) == (302, HOME)
    actor = current(client)
    assert (actor.grant_id, actor.patient_id, actor.about, actor.assurance) == (
        grant.pk,
        grant.patient_id,
        grant.about,
        1,
    )
    assert client.get("/p/").headers["Location"] == HOME


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Client, settings: Any) -> None:
    grant, secrets = make_grant()
    settings.SECURE_TLS = True
    cookie = show(client, grant, secrets).cookies[settings.PATIENT_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"], cookie["path"]) == (True, "Lax", True, "/")
    assert cookie["max-age"] == entry.KEEP_SECONDS
    assert entry.hash_token(cookie.value) == GrantDevice.objects.get().token_hash
    assert len(cookie.value) >= 43


def test_a_shared_device_remembers_for_this_session_only(client: Client) -> None:
    grant, secrets = make_grant()
    cookie = show(client, grant, secrets, remember="").cookies[settings.PATIENT_COOKIE_NAME]
    assert cookie["max-age"] == ""
    other, _secrets = make_grant()
    let_in_too(client, other)
    cookie = client.get(url(grant)).cookies[settings.PATIENT_COOKIE_NAME]
    assert cookie["max-age"] == ""


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", " "),
        lambda text: f" {text} ",
        lambda text: text.replace("o", "0").replace("i", "1"),
    ],
)
def test_case_spaces_and_lookalikes_do_not_count(client: Client, change: Any) -> None:
    grant, secrets = make_grant()
    response = show(client, grant, {"login": secrets["login"].upper(), "password": change(secrets["password"])})
    assert response.status_code == 302


@pytest.mark.parametrize(
    "wrong", [{"password": "bak-min-vos-4738"}, {"login": "aaaaaaaa"}, {"login": "aaaaaaaa", "password": "x"}]
)
def test_what_is_wrong_gets_one_neutral_sentence_and_keeps_what_was_typed(
    client: Client, wrong: dict[str, str]
) -> None:
    grant, secrets = make_grant()
    response = show(client, grant, secrets, **wrong)
    assert response.status_code == 422
    assert "ne correspond pas à ce lien" in response.content.decode()
    assert (wrong.get("login") or secrets["login"]) in response.content.decode()
    assert current(client) is None


def test_another_grants_secrets_do_not_open(client: Client) -> None:
    (grant, _secrets), (_other, others) = make_grant(), make_grant()
    assert show(client, grant, others).status_code == 422


def test_a_get_consumes_nothing(client: Client) -> None:
    grant, secrets = make_grant(phone=MOBILE)
    before = list(Grant.objects.values())
    for _time in range(3):
        client.get(url(grant))
        client.head(url(grant))
        client.get(url(grant, "code"))
        client.get(reverse("patient:lost"))
    assert list(Grant.objects.values()) == before
    assert not GrantDevice.objects.exists()
    assert not Throttle.objects.exists()
    assert not Message.objects.exists()
    assert show(client, grant, secrets).status_code == 302


def test_the_page_names_the_sender_but_never_the_patient(client: Client) -> None:
    patient = make_patient("Secretnom", "Secretprénom")
    grant, _secrets = make_grant(patient, establishment_id=make_establishment("EHPAD Les Lilas").pk)
    page = client.get(url(grant)).content.decode()
    assert "EHPAD Les Lilas" in page
    assert "Secret" not in page
    hospital = make_establishment("Hôpital psychiatrique", kind="psychiatry")
    grant, _secrets = make_grant(patient, establishment_id=hospital.pk)
    assert "psychiatrique" not in client.get(url(grant)).content.decode()


def test_a_family_shares_a_telephone_and_switches_by_link(client: Client) -> None:
    (one, secrets), (two, others) = make_grant(), make_grant(holder=Holder.PARENT, holder_name="Anne Durand")
    show(client, one, secrets)
    show(client, two, others)
    assert current(client).grant_id == two.pk
    assert client.get(url(one))["Location"] == HOME
    assert current(client).grant_id == one.pk
    assert client.get(url(two))["Location"] == HOME
    assert current(client).grant_id == two.pk


def test_a_patients_link_on_a_nurses_tablet_neither_ends_nor_borrows_her_session(client: Client) -> None:
    nurse = make_member(role="caregiver")
    sign_in(client, nurse)
    session = dict(client.session)
    grant, secrets = make_grant()
    page = client.get(url(grant))
    assert page.status_code == 200
    show(client, grant, secrets)
    assert dict(client.session) == session
    assert current(client).user_id is None
    response = client.get("/p/quitter/")
    assert response.wsgi_request.actor.kind == "patient"
    outside = client.get(reverse("patients:search"))
    assert outside.status_code == 200
    assert (outside.wsgi_request.actor.kind, outside.wsgi_request.actor.user_id) == ("professional", nurse.user_id)


def test_the_cookie_opens_nothing_outside_patients_pages(client: Client) -> None:
    grant, _secrets = make_grant()
    let_in(client, grant)
    response = client.get(reverse("patients:search"))
    assert response.status_code == 302
    assert "/connexion/" in response["Location"]


@pytest.mark.parametrize(("holder", "name"), [("parent", ""), ("guardian", "  ")])
def test_a_proxy_is_always_named(holder: str, name: str) -> None:
    with pytest.raises(Exception, match="nom de la personne"):
        make_grant(holder=holder, holder_name=name)


def test_a_child_has_a_parent_who_is_named() -> None:
    grant, _secrets = make_grant(make_patient("Durand", "Léo"), holder=Holder.PARENT, holder_name="Anne Durand")
    assert (grant.holder_name, grant.get_holder_display()) == ("Anne Durand", "Parent")


def test_leaving_forgets_every_way_in_of_this_browser(client: Client) -> None:
    (one, _secrets), (two, _others) = make_grant(), make_grant()
    let_in(client, one)
    let_in_too(client, two)
    elsewhere = let_in(Client(), one)
    for _twice in range(2):
        assert client.post(reverse("patient:leave"))["Location"] == "/p/quitter/"
    assert client.cookies[settings.PATIENT_COOKIE_NAME].value == ""
    assert GrantDevice.objects.filter(revoked_at=None).count() == 1
    assert current(elsewhere) is not None
    assert client.get(url(one)).status_code == 200
