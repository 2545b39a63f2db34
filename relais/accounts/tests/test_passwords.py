"""Links to choose a password: they open no session, skip no factor, work once and tell nobody who has an account."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from relais.accounts.actions.passwords import INVITATION, RESET, new_link
from relais.accounts.testing import PASSWORD, client_of, last_secret, make_member, make_user
from relais.audit.models import Entry
from relais.notifications.models import Message

pytestmark = pytest.mark.django_db
ASK, CHOOSE = "/connexion/mot-de-passe/oublie/", "/connexion/mot-de-passe/choisir/"
NEW = "une nouvelle phrase assez longue"


def token(link: str) -> str:
    return link.partition("#")[2]


def choose(client: Client, given: str, password: str = NEW, again: str | None = None):
    return client.post(CHOOSE, {"token": given, "password1": password, "password2": again or password})


@pytest.fixture
def user():
    return make_member(password=PASSWORD).user


@pytest.mark.parametrize("known", [True, False])
def test_the_answer_is_one_and_the_same(client: Client, user, known) -> None:
    answer = client.post(ASK, {"email": user.email if known else "personne@exemple.test"}, follow=True)
    assert "Si cette adresse a un compte" in answer.text
    assert Message.objects.filter(type="accounts.reset").count() == int(known)


def test_the_secret_rides_in_the_fragment_which_no_log_sees(client: Client, user) -> None:
    client.post(ASK, {"email": user.email})
    link = last_secret(user)["link"]
    assert link.partition("#")[0].endswith(CHOOSE)
    assert client.get(CHOOSE).status_code == 200


def test_a_new_password_opens_no_session_and_the_second_factor_is_still_asked(client: Client, user) -> None:
    inside = client_of(user)
    answer = choose(client, token(new_link(user, RESET)))
    assert (answer.url, "_auth_user_id" in client.session) == ("/connexion/", False)
    assert inside.get("/connexion/profil/").url.startswith("/connexion/?")  # every session ended
    assert client.post("/connexion/", {"login": user.email, "password": NEW}).url == "/connexion/code/"
    assert "_auth_user_id" not in client.session
    assert Entry.objects.filter(action="accounts.set_password", user_id=user.pk).count() == 1
    assert Message.objects.filter(type="accounts.changed", holder_id=user.pk).count() == 1


def test_after_a_link_by_email_the_code_goes_by_sms_when_a_mobile_is_known(client: Client) -> None:
    """A mailbox that was broken into must not be both factors."""
    user = make_member(password=PASSWORD, mobile="+33639980042").user
    choose(client, token(new_link(user, RESET)))
    client.post("/connexion/", {"login": user.email, "password": NEW})
    assert "e-mail" not in client.get("/connexion/code/").text
    client.post("/connexion/code/", {"channel": "email"})
    assert not Message.objects.filter(type__contains="code").exists()
    client.post("/connexion/code/", {"channel": "sms"})
    client.post("/connexion/code/", {"code": last_secret(user)["code"]})
    user.refresh_from_db()
    assert ("_auth_user_id" in client.session, user.password_by_link) == (True, False)


def test_a_link_works_once_and_only_the_last_one(client: Client, user) -> None:
    first, second = new_link(user, RESET), new_link(user, RESET)
    assert "n’est plus valable" in choose(client, token(first)).text
    assert choose(client, token(second)).status_code == 302
    assert "n’est plus valable" in choose(client, token(second)).text


@pytest.mark.parametrize(("purpose", "good", "late"), [(RESET, 3590, 3610), (INVITATION, 259190, 259210)])
def test_a_reset_lasts_an_hour_and_an_invitation_three_days(
    client: Client, user, monkeypatch: pytest.MonkeyPatch, purpose: str, good: int, late: int
) -> None:
    made, link = timezone.now().timestamp(), new_link(user, purpose)
    monkeypatch.setattr(signing.time, "time", lambda: made + late)
    assert "n’est plus valable" in choose(client, token(link)).text
    monkeypatch.setattr(signing.time, "time", lambda: made + good)
    assert choose(client, token(link)).status_code == 302


@pytest.mark.parametrize("given", ["x", "a:b:c", "#", "é"])
def test_a_false_link_gets_a_sentence(client: Client, given: str) -> None:
    assert "n’est plus valable" in choose(client, given).text


def test_a_link_of_a_closed_account_is_refused(client: Client) -> None:
    user = make_user(is_active=False)
    assert "n’est plus valable" in choose(client, token(new_link(user, RESET))).text


def test_a_weak_or_mistyped_password_is_refused_beside_its_field_and_the_link_stays_good(client: Client, user) -> None:
    link = token(new_link(user, RESET))
    assert "court" in choose(client, link, "court").text
    assert "différents" in choose(client, link, NEW, "autre chose").text
    assert choose(client, link).status_code == 302


def test_three_links_an_hour_then_silence(client: Client, user) -> None:
    for _ in range(4):
        assert client.post(ASK, {"email": user.email}).status_code == 302
    assert Message.objects.filter(type="accounts.reset").count() == 3
    Message.objects.update(created_at=timezone.now() - timedelta(hours=2))
    client.post(ASK, {"email": user.email})
    assert Message.objects.filter(type="accounts.reset").count() == 4


def test_a_new_password_ends_the_lock(client: Client, user) -> None:
    for _ in range(6):
        client.post("/connexion/", {"login": user.email, "password": "faux"})
    choose(client, token(new_link(user, RESET)))
    assert client.post("/connexion/", {"login": user.email, "password": NEW}).status_code == 302


def test_changing_ones_password_keeps_this_session_and_ends_the_others(user) -> None:
    here, there = client_of(user), client_of(user)
    answer = here.post(
        "/connexion/mot-de-passe/changer/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )
    assert answer.url == "/connexion/profil/"
    assert here.get("/connexion/profil/").status_code == 200
    assert there.get("/connexion/profil/").url.startswith("/connexion/?")
