"""The second factor of those who have no passkey and no authenticator application: a 6-digit code by e-mail or SMS."""

from typing import Any

from allauth.account.internal.stagekit import stash_login
from allauth.account.stages import LoginStage
from allauth.core.internal.httpkit import headed_redirect_response
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.internal.flows import did_use_passwordless_login

from relais.notifications.models import Channel

STRONG = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class CodeStage(LoginStage):
    """Stands after allauth's own stage, which asks for the authenticator of those who have one."""

    key = "relais_code"
    urlname = "accounts:code"

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if is_mfa_enabled(user, STRONG) or did_use_passwordless_login(self.request, user):
            return None, True
        return headed_redirect_response(self.urlname), True

    @property
    def channels(self) -> list[str]:
        """Where a code may go, best first. After a password chosen by an e-mailed link, not by e-mail again if a
        mobile is known: that would be one factor twice."""
        user = self.login.user
        if not user.mobile:
            return [Channel.EMAIL]
        return [Channel.SMS] if user.password_by_link else [Channel.SMS, Channel.EMAIL]

    def address(self, channel: str) -> str:
        return self.login.user.mobile if channel == Channel.SMS else self.login.user.email

    @property
    def sent_by(self) -> str:
        """The channel of the last code sent; empty before the first."""
        return self.state.get("channel", "")

    def note_sent(self, channel: str) -> None:
        self.state["channel"] = channel
        stash_login(self.request, self.login)
