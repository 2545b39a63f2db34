"""One's own mobile number: the password first, then a code sent to the new number."""

import pytest
from django.test import Client

from relais.accounts.forms import mobile_number
from relais.accounts.testing import PASSWORD, client_of, last_secret, make_member, sign_in
from relais.audit.models import Entry
from relais.notifications.models import Message

pytestmark = pytest.mark.django_db
MOBILE = "/connexion/profil/mobile/"


@pytest.fixture
def user():
    return make_member(password=PASSWORD).user


@pytest.fixture
def client(user) -> Client:
    return sign_in(Client(), user, confirmed=True)


def test_the_password_is_asked_first(user) -> None:
    answer = client_of(user).get(MOBILE)
    assert answer.url == "/connexion/confirmer/?next=%2Fconnexion%2Fprofil%2Fmobile%2F"


def test_a_new_number_counts_once_the_code_sent_to_it_is_given_back(client: Client, user) -> None:
    client.post(MOBILE, {"mobile": "06 39 98 12 34"})
    user.refresh_from_db()
    assert (user.mobile, Message.objects.get().address) == ("", "+33639981234")
    assert (
        "Ce code est faux" in client.post(MOBILE, {"code": f"{(int(last_secret(user)['code']) + 1) % 10**6:06d}"}).text
    )
    assert client.post(MOBILE, {"code": last_secret(user)["code"]}).url == "/connexion/profil/"
    user.refresh_from_db()
    assert user.mobile == "+33639981234"
    assert Entry.objects.filter(action="accounts.mobile", user_id=user.pk).count() == 1
    assert Message.objects.filter(type="accounts.changed").count() == 1


def test_no_code_confirms_a_number_that_none_was_sent_to(client: Client, user) -> None:
    assert client.post(MOBILE, {"code": "123456"}).status_code == 200
    user.refresh_from_db()
    assert user.mobile == ""


def test_the_number_can_be_taken_away(client: Client, user) -> None:
    type(user).objects.update(mobile="+33639981234")
    client.post(MOBILE, {"remove": "1"})
    user.refresh_from_db()
    assert user.mobile == ""


@pytest.mark.parametrize("typed", ["", "06 39", "01 99 00 12 34", "zéro six", "+33 1 99 00 12 34"])
def test_what_is_no_mobile_number_is_refused_beside_the_field(client: Client, typed) -> None:
    answer = client.post(MOBILE, {"mobile": typed})
    assert (answer.status_code, bool(answer.context["form"].errors["mobile"])) == (200, True)
    assert not Message.objects.exists()


def test_mobile_numbers_are_kept_in_one_form() -> None:
    assert {mobile_number(text) for text in ("0639981234", "06.39.98.12.34", "+33 6 39 98 12 34")} == {"+33639981234"}


def test_the_profile_shows_identity_places_and_factors(client: Client, user) -> None:
    page = client.get("/connexion/profil/").text
    assert user.email in page
    assert "Code envoyé" in page
    assert "Praticien" in page
