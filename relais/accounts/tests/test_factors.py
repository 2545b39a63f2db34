"""Authenticator application, recovery codes and passkeys as second factor."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from relais.accounts.actions import remove_factors
from relais.accounts.models import Role
from relais.accounts.testing import PASSWORD, actor_for, client_of, make_member, sign_in
from relais.audit.models import Entry
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.notifications.models import Message

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SECOND = "/connexion/second-facteur/"


def totp(offset: int = 0, secret: str = SECRET) -> str:
    _before, now, _after = yield_hotp_counters_from_time()
    return format_hotp_value(hotp_value(secret, now + offset))


@pytest.fixture
def member():
    found = make_member(password=PASSWORD)
    TOTP.activate(found.user, SECRET)
    return found


def give_password(client: Client, user) -> str:
    return client.post("/connexion/", {"login": user.email, "password": PASSWORD}).url


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_who_has_an_application_is_asked_for_its_code_and_for_no_other(client: Client, member) -> None:
    assert give_password(client, member.user) == SECOND
    assert client.get("/connexion/code/").url == "/connexion/"
    assert "Confirmer que c’est vous" in client.get(SECOND).text
    assert not Message.objects.exists()
    answer = client.post(SECOND, {"code": totp()})
    assert (answer.status_code, signed_in(client)) == (302, True)
    assert Entry.objects.get(action="session.begin").why == "password, totp"


def test_a_code_of_the_application_serves_once(client: Client, member) -> None:
    code = totp()
    give_password(client, member.user)
    client.post(SECOND, {"code": code})
    there = Client()
    give_password(there, member.user)
    assert "convient pas" in there.post(SECOND, {"code": code}).text or not signed_in(there)
    assert not signed_in(there)


def test_another_process_does_not_take_the_code_again(client: Client, member, monkeypatch: pytest.MonkeyPatch) -> None:
    """allauth remembers used codes in the memory of one process; ours are in the database."""
    monkeypatch.setattr(TOTP, "_mark_code_used", lambda self, code: True)
    code, before = totp(), totp(-1)
    give_password(client, member.user)
    client.post(SECOND, {"code": code})
    there = Client()
    give_password(there, member.user)
    assert "Ce code a déjà servi" in there.post(SECOND, {"code": code}).text
    assert "Ce code a déjà servi" in there.post(SECOND, {"code": before}).text
    assert not signed_in(there)


def test_wrong_codes_of_the_application_lock_the_factor(client: Client, member) -> None:
    give_password(client, member.user)
    for _ in range(5):
        assert "convient pas" in client.post(SECOND, {"code": "000000"}).text
    assert "Trop d’essais" in client.post(SECOND, {"code": totp()}).text
    assert not signed_in(client)
    assert Entry.objects.filter(action="session.failure.factor", user_id=member.user_id).count() == 5


def test_a_recovery_code_opens_once(client: Client, member) -> None:
    codes = RecoveryCodes.activate(member.user).get_unused_codes()
    give_password(client, member.user)
    client.post(SECOND, {"code": codes[0]})
    assert signed_in(client)
    there = Client()
    give_password(there, member.user)
    there.post(SECOND, {"code": codes[0]})
    assert not signed_in(there)


def test_secrets_of_authenticators_are_encrypted_at_rest(member) -> None:
    RecoveryCodes.activate(member.user)
    assert all(SECRET not in str(row.data) for row in Authenticator.objects.all())
    assert all(len(str(row.data)) > 100 for row in Authenticator.objects.all())


def test_adding_an_application_asks_the_password_then_gives_recovery_codes_once() -> None:
    member = make_member(password=PASSWORD)
    client = client_of(member)
    activate = reverse("mfa_activate_totp")
    assert client.get(activate).url.startswith("/connexion/confirmer/")
    answer = client.post(f"/connexion/confirmer/?next={activate}", {"password": PASSWORD, "next": activate})
    assert answer.url == activate
    page = client.get(activate)
    answer = client.post(activate, {"code": totp(secret=page.context["form"].secret)})
    assert answer.url == reverse("mfa_view_recovery_codes")
    kinds = Authenticator.objects.filter(user=member.user).order_by("type").values_list("type", flat=True)
    assert list(kinds) == ["recovery_codes", "totp"]
    codes_page = client.get(answer.url)
    assert codes_page.context["codes"] == []
    shown = client.post(answer.url).context["codes"]
    assert len(shown) == 10
    again = client.post(answer.url)
    assert again.context["codes"] == []
    assert all(code not in again.text for code in shown)


@pytest.mark.django_db(transaction=True)
def test_a_change_of_factor_is_traced_and_told() -> None:
    member = make_member(password=PASSWORD)
    client = sign_in(Client(), member, confirmed=True)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": totp(secret=secret)})
    client.post(reverse("mfa_deactivate_totp"))
    actions = ["factor.totp_activated", "factor.totp_deactivated"]
    assert list(Entry.objects.filter(user_id=member.user_id).order_by("id").values_list("action", flat=True)) == actions
    assert Message.objects.filter(type="accounts.changed", holder_id=member.user_id).count() == 2
    assert not Authenticator.objects.exists()


def test_factors_cannot_be_changed_without_the_password() -> None:
    member = make_member(password=PASSWORD)
    TOTP.activate(member.user, SECRET)
    client = client_of(member)
    for name in ("mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        assert client.post(reverse(name)).url.startswith("/connexion/confirmer/"), name
    assert Authenticator.objects.count() == 1


def test_passkey_options_always_ask_for_the_person(client: Client) -> None:
    """Finger, face or PIN: otherwise the key alone would be one factor."""
    options = client.get("/connexion/cle/", headers={"accept": "application/json"}).json()["request_options"]
    assert options["publicKey"]["userVerification"] == "required"
    member = make_member(password=PASSWORD)
    inside = sign_in(Client(), member, confirmed=True)
    page = inside.get(reverse("mfa_add_webauthn"))
    assert (
        page.context["js_data"]["creation_options"]["publicKey"]["authenticatorSelection"]["userVerification"]
        == "required"
    )


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"response": {"userHandle": "eA"}}', "pas du json"])
def test_a_false_passkey_opens_nothing(client: Client, credential: str) -> None:
    client.get("/connexion/cle/", headers={"accept": "application/json"})
    assert client.post("/connexion/cle/", {"credential": credential}).url == "/connexion/"
    assert not signed_in(client)


def test_the_support_takes_lost_factors_away_with_a_reason(client: Client, member) -> None:
    inside, system = client_of(member), SYSTEM_ACTOR
    call_command("remove_factors", member.user.email, "--why", "Téléphone perdu, rappelé au numéro du service")
    assert not Authenticator.objects.exists()
    assert inside.get("/connexion/profil/").url.startswith("/connexion/?")
    assert give_password(client, member.user) == "/connexion/code/"
    assert Entry.objects.get(action="factor.removed_all").why.startswith("Téléphone perdu")
    with pytest.raises(Refused):
        remove_factors(actor=system, user_id=member.user_id, why=" ")
    with pytest.raises(NotFound):
        remove_factors(actor=actor_for(make_member(role=Role.MANAGER)), user_id=member.user_id, why="x")


def test_the_pages_of_factors_are_closed_to_strangers(client: Client) -> None:
    for name in ("mfa_index", "mfa_activate_totp", "mfa_view_recovery_codes", "mfa_add_webauthn"):
        assert client.get(reverse(name)).url.startswith("/connexion/?next="), name
    assert AnonymousUser().is_authenticated is False
