"""What Relais changes in allauth: nobody signs up alone, two factors always, our lock-out, our trace, our words."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _

from relais.accounts import messages
from relais.accounts.actions import attempts
from relais.accounts.actions.sessions import actor_of_user, begin_session, trace_failure
from relais.accounts.models import User
from relais.accounts.queries import ESTABLISHMENT_KEY, session_actor, short_address
from relais.accounts.stages import STRONG
from relais.audit.actions import record
from relais.core.errors import Refused
from relais.notifications import vault


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("L’adresse e-mail ou le mot de passe ne convient pas. Vérifiez les deux."),
        "incorrect_password": _("Ce mot de passe ne convient pas."),
        "incorrect_code": _("Ce code ne convient pas. Vérifiez-le, ou attendez le suivant."),
        "too_many_login_attempts": _("Trop d’essais. Réessayez dans quelques minutes."),
        "rate_limited": _("Trop de demandes. Réessayez dans quelques minutes."),
    }

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage", "relais.accounts.stages.CodeStage"]

    def is_safe_url(self, url: str) -> bool:
        """Only pages of this very site are returned to after sign-in."""
        request = self.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    # The lock-out, instead of allauth's rate limit (which keeps its counts in each process's memory).

    def pre_authenticate(self, request: Any, **credentials: Any) -> None:
        try:
            attempts.begin(*_counted(request, credentials))
        except Refused as refused:
            _trace_failure(credentials, request, "locked")
            raise ValidationError(refused.message, code="too_many_login_attempts") from None

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user:
            attempts.succeeded(*_counted(request, credentials))
        return user

    def authentication_failed(self, request: Any, **credentials: Any) -> None:
        _trace_failure(credentials, request, "password")

    def reauthenticate(self, user: Any, password: str) -> bool:
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Before a change of factors or mobile: the password, which everybody has."""
        url = reverse("account_reauthenticate")
        return [{"id": "reauthenticate", "description": _("Mot de passe"), "url": url}] if user.is_authenticated else []

    # After both factors.

    def post_login(self, request: Any, user: Any, **kwargs: Any) -> HttpResponse:
        first = user.last_login_before is None
        with transaction.atomic():
            request.actor = begin_session(user=user, session=request.session)
        response = super().post_login(request, user, **kwargs)
        wanted = response["Location"]
        if request.session.get(ESTABLISHMENT_KEY) is None and not user.help_desk:
            wanted = f"{reverse('accounts:choose')}?{urlencode({'next': wanted})}"
        if first and not DefaultMFAAdapter().is_mfa_enabled(user, STRONG):
            wanted = f"{reverse('accounts:welcome')}?{urlencode({'next': wanted})}"
        return HttpResponseRedirect(wanted)

    def login(self, request: Any, user: Any) -> None:
        user.last_login_before = user.last_login
        super().login(request, user)

    def logout(self, request: Any) -> None:
        actor = session_actor(request.user, request.session)
        if actor:
            record(actor=actor, action="session.leave", about=actor.user_id)
        super().logout(request)

    def get_password_change_redirect_url(self, request: Any) -> str:
        return reverse("accounts:profile")

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        """allauth calls this after each change of a factor or password: the trace, and an e-mail to the owner."""
        what = template_prefix.rsplit("/", 1)[-1]
        if what == "password_changed":
            what = "password"
        with transaction.atomic():
            actor = session_actor(self.request.user, self.request.session) or actor_of_user(user)
            record(actor=actor, action=f"factor.{what}", about=user.pk)
            messages.send(messages.CHANGED, user, context={"what": what})

    def add_message(
        self, request: Any, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Our sentences for what changed; allauth's others (signed in as …) say nothing that the page does not show."""
        if kwargs.get("message"):
            super().add_message(request, level, message=kwargs["message"])
            return
        what = (message_template or "").rsplit("/", 1)[-1].removesuffix(".txt").replace("password_changed", "password")
        if what in messages.CHANGES:
            super().add_message(request, level, message=messages.describe(what))


class MFAAdapter(DefaultMFAAdapter):
    """Secrets of authenticators are encrypted in the database, with the key of the outbox's secrets."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("Ce code ne convient pas. Vérifiez-le, ou attendez le suivant."),
    }

    def encrypt(self, text: str) -> str:
        return vault.seal({"text": text}).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return str(vault.unseal(encrypted_text.encode())["text"])

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Relais"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  allauth's name
        return str(_("Clé d’accès"))


def _counted(request: Any, credentials: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (attempts.ACCOUNT, str(credentials.get("email", "")).strip().lower()),
        (attempts.ADDRESS, get_client_ip(request) or ""),
    ]


def _trace_failure(credentials: dict[str, Any], request: Any, what: str) -> None:
    user = User.objects.filter(email=str(credentials.get("email", "")).strip().lower()).first()
    trace_failure(user, what, short_address(get_client_ip(request) or ""))
