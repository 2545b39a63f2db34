"""Channels: how a rendered message leaves. Each answers with an Outcome, never with an exception."""

from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered

HANDED, REFUSED, TEMPORARY, UNCERTAIN = "handed", "refused", "temporary", "uncertain"


@dataclass(frozen=True)
class Outcome:
    """What is known after the call. TEMPORARY: surely not sent, try again; UNCERTAIN: nobody can tell."""

    result: str
    reason: str = ""
    provider_id: str = ""


class Sender(Protocol):
    def __call__(self, message: Message, rendered: Rendered) -> Outcome: ...


def sender(channel: str) -> Sender:
    """The function that sends by `channel`: the configured server, else the demo page (only where settings.DEMO)."""
    from relais.notifications.channels import demo, sms, smtp  # noqa: PLC0415 (they import this module)

    if channel == Channel.EMAIL and settings.ENV["SMTP_URL"]:
        return smtp.send
    if channel == Channel.SMS and settings.ENV["SMS_URL"]:
        return sms.send
    return demo.send if settings.DEMO else _not_configured


def _not_configured(message: Message, rendered: Rendered) -> Outcome:
    return Outcome(TEMPORARY, "Aucun serveur n’est configuré pour ce canal.")
