"""The way in: password, then a code; nothing opens before both, and nothing tells who has an account."""

import pytest
from django.test import Client
from django.urls import reverse

from relais.accounts.models import User
from relais.accounts.testing import PASSWORD, last_secret, make_establishment, make_member, make_user
from relais.audit.models import Entry
from relais.notifications.models import Channel, Message, OneTimeCode

pytestmark = pytest.mark.django_db
SIGN_IN, CODE = "/connexion/", "/connexion/code/"
WRONG = "L’adresse e-mail ou le mot de passe ne convient pas."


@pytest.fixture
def member(client: Client):
    return make_member(make_establishment(), password=PASSWORD)


def give_password(client: Client, user: User, password: str = PASSWORD, **more: str):
    return client.post(SIGN_IN, {"login": user.email, "password": password, **more})


def give_code(client: Client, user: User, code: str | None = None):
    return client.post(CODE, {"code": code or last_secret(user)["code"]})


def wrong_code(user: User) -> str:
    return f"{(int(last_secret(user)['code']) + 1) % 1_000_000:06d}"


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.req("TC-01", "TC-04")
def test_password_then_code_open_a_session_in_the_only_establishment(client: Client, member) -> None:
    assert "Se connecter" in client.get(SIGN_IN).text
    assert give_password(client, member.user).url == CODE
    client.post(CODE, {"channel": "email"})
    assert "c•••@exemple.test" not in client.get(CODE).text  # the address of this one starts with p
    assert "p•••@exemple.test" in client.get(CODE).text
    assert give_code(client, member.user).status_code == 302
    assert (signed_in(client), client.session["establishment"]) == (True, str(member.establishment_id))
    entry = Entry.objects.get(action="session.begin")
    assert (entry.user_id, entry.establishment_id, entry.why) == (member.user_id, member.establishment_id, "password")


def test_nothing_opens_between_the_two_factors(client: Client, member) -> None:
    give_password(client, member.user)
    for name in ("accounts:profile", "accounts:choose", "accounts:devices", "mfa_index", "account_change_password"):
        assert client.get(reverse(name)).url.startswith(SIGN_IN), name
    assert client.get(SIGN_IN).url == CODE
    assert not signed_in(client)


def test_the_code_page_is_closed_to_who_gave_no_password(client: Client) -> None:
    assert client.get(CODE).url == SIGN_IN
    assert client.post(CODE, {"code": "123456"}).url == SIGN_IN


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client, member, known) -> None:
    email = member.user.email if known else "personne@exemple.test"
    answer = client.post(SIGN_IN, {"login": email, "password": "pas le bon mot"})
    assert (answer.status_code, WRONG in answer.text, signed_in(client)) == (200, True, False)
    assert Entry.objects.get(action="session.failure.password").user_id == (member.user_id if known else None)


def test_an_unknown_address_costs_a_hash_too(client: Client, member, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    plain = User.set_password
    monkeypatch.setattr(User, "set_password", lambda self, raw: made.append(raw) or plain(self, raw))
    client.post(SIGN_IN, {"login": "personne@exemple.test", "password": "pas le bon mot"})
    assert made == ["pas le bon mot"]


def test_who_has_chosen_no_password_yet_or_whose_account_is_closed_does_not_get_in(client: Client) -> None:
    invited = make_user()
    assert WRONG in give_password(client, invited).text
    closed = make_user(password=PASSWORD, is_active=False)
    give_password(client, closed)
    assert client.get(CODE).url == SIGN_IN
    assert not signed_in(client)


def test_a_wrong_code_says_how_many_tries_are_left_and_the_sixth_is_refused_even_when_right(
    client: Client, member
) -> None:
    give_password(client, member.user)
    client.post(CODE, {"channel": "email"})
    wrong = wrong_code(member.user)
    assert "Il reste 4 essais" in give_code(client, member.user, wrong).text
    for _ in range(4):
        give_code(client, member.user, wrong)
    assert "Trop d’essais" in give_code(client, member.user).text
    assert not signed_in(client)
    client.post(CODE, {"channel": "email"})
    assert give_code(client, member.user).status_code == 302
    assert Entry.objects.filter(action="session.failure.factor", user_id=member.user_id).count() == 6


def test_a_code_older_than_five_minutes_is_refused(client: Client, member) -> None:
    give_password(client, member.user)
    client.post(CODE, {"channel": "email"})
    OneTimeCode.objects.update(expires_at="2026-01-01T00:00Z")
    assert "n’est plus valable" in give_code(client, member.user).text
    assert not signed_in(client)


def test_codes_are_capped_with_a_sentence(client: Client, member) -> None:
    give_password(client, member.user)
    for _ in range(5):
        client.post(CODE, {"channel": "email"})
    assert "Trop de codes demandés" in client.post(CODE, {"channel": "email"}, follow=True).text
    assert OneTimeCode.objects.count() == 5


def test_a_known_mobile_offers_sms_first_and_email(client: Client) -> None:
    user = make_member(password=PASSWORD, mobile="+33639980042").user
    give_password(client, user)
    page = client.get(CODE).text
    assert page.index("SMS au •• •• •• •• 42") < page.index("e-mail à p•••@exemple.test")
    client.post(CODE, {"channel": "sms"})
    assert Message.objects.get().channel == Channel.SMS
    give_code(client, user)
    assert signed_in(client)


def test_a_channel_that_one_has_not_sends_nothing(client: Client, member) -> None:
    give_password(client, member.user)
    client.post(CODE, {"channel": "sms"})
    client.post(CODE, {"channel": "pigeon"})
    assert not Message.objects.exists()


def test_a_code_of_another_purpose_or_person_opens_nothing(client: Client, member) -> None:
    other = make_member(password=PASSWORD).user
    there = Client()
    give_password(there, other)
    there.post(CODE, {"channel": "email"})
    give_password(client, member.user)
    give_code(client, member.user, last_secret(other)["code"])
    assert not signed_in(client)


def test_the_code_sent_twice_signs_in_once_and_harms_nothing(client: Client, member) -> None:
    give_password(client, member.user)
    client.post(CODE, {"channel": "email"})
    code = last_secret(member.user)["code"]
    give_code(client, member.user, code)
    assert give_code(client, member.user, code).status_code == 302
    assert signed_in(client)
    assert Entry.objects.filter(action="session.begin").count() == 1


def test_another_account_can_be_used_instead(client: Client, member) -> None:
    give_password(client, member.user)
    assert client.post(reverse("accounts:cancel")).url == SIGN_IN
    assert client.get(SIGN_IN).status_code == 200
    assert client.get(CODE).url == SIGN_IN


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/patients/?q=a", "/patients/?q=a"),
        ("https://ailleurs.test/", "/"),
        ("//ailleurs.test/", "/"),
        ("https:ailleurs.test", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_sign_in_leads_back_to_a_page_of_this_site_only(client: Client, member, wanted: str, reached: str) -> None:
    User.objects.filter(pk=member.user_id).update(last_login="2026-01-01T00:00Z")
    give_password(client, member.user, next=wanted)
    client.post(CODE, {"channel": "email"})
    assert give_code(client, member.user).url == reached


def test_the_first_sign_in_offers_a_stronger_factor_and_leads_on(client: Client, member) -> None:
    give_password(client, member.user, next="/patients/")
    client.post(CODE, {"channel": "email"})
    answer = give_code(client, member.user)
    assert answer.url == "/connexion/bienvenue/?next=%2Fpatients%2F"
    page = client.get(answer.url).text
    assert 'href="/patients/"' in page
    assert "clé d’accès" in page


def test_signing_out_is_a_post_that_leaves_a_trace(client: Client, member) -> None:
    give_password(client, member.user)
    client.post(CODE, {"channel": "email"})
    give_code(client, member.user)
    assert client.get("/connexion/quitter/").status_code == 405
    assert signed_in(client)
    assert client.post("/connexion/quitter/").url == SIGN_IN
    assert not signed_in(client)
    assert Entry.objects.filter(action="session.leave", user_id=member.user_id).count() == 1


def test_a_new_session_key_is_made_at_sign_in(client: Client, member) -> None:
    give_password(client, member.user)
    client.post(CODE, {"channel": "email"})
    before = client.session.session_key
    give_code(client, member.user)
    assert client.session.session_key != before


def test_an_agent_of_the_support_needs_no_establishment(client: Client) -> None:
    agent = make_user(password=PASSWORD, help_desk=True, last_login="2026-01-01T00:00Z")
    give_password(client, agent)
    client.post(CODE, {"channel": "email"})
    assert give_code(client, agent).url == "/"
    assert client.get("/connexion/etablissement/").url == "/"


def test_the_page_of_several_places_comes_after_both_factors(client: Client, member) -> None:
    make_member(user=member.user)
    User.objects.update(last_login="2026-01-01T00:00Z")
    give_password(client, member.user, next="/patients/")
    client.post(CODE, {"channel": "email"})
    assert give_code(client, member.user).url == "/connexion/etablissement/?next=%2Fpatients%2F"
