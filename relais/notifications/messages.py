"""The one message that the outbox itself sends: a one-time code."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.notifications.models import Channel, Message, OneTimeCode
from relais.notifications.registry import Rendered

CODE = "notifications.code"


@dataclass(frozen=True)
class Code:
    """It says neither what it opens nor for whom: it may be read over a shoulder, on a locked screen."""

    key: str = CODE
    label: str = "Code à usage unique"
    fallback: bool = False  # the person chose the channel and looks there

    def still_wanted(self, message: Message) -> bool:
        code = OneTimeCode.objects.filter(pk=message.context["code_id"], superseded=False, used_at=None).first()
        return code is not None and timezone.now() <= code.expires_at

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        if message.channel == Channel.SMS:
            return Rendered(
                "", _("Relais : votre code est %s. Il est valable 5 minutes. Ne le donnez à personne.") % secret["code"]
            )
        return Rendered(
            _("Votre code Relais"),
            _(
                "Bonjour,\n\nVotre code est : %s\n\nIl est valable 5 minutes et sert une seule fois. "
                "Ne le donnez à personne, même à quelqu’un qui dit appeler de Relais.\n\n"
                "Si vous n’avez rien demandé, ignorez ce message."
            )
            % secret["code"],
        )

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"code_id": "00000000-0000-4000-8000-000000000000"}, {"code": "493817"}
