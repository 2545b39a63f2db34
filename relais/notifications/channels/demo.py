"""Without a server, in a demonstration: the message is shown on the demo page, and there alone."""

from django.conf import settings

from relais.notifications import vault
from relais.notifications.channels import HANDED, Outcome
from relais.notifications.models import DemoCopy, Message
from relais.notifications.registry import Rendered


def send(message: Message, rendered: Rendered) -> Outcome:
    """Keep what the message says, encrypted, for the demo page."""
    if not settings.DEMO:
        raise RuntimeError("The demo channel does not exist outside demonstrations.")
    sealed = vault.seal({"subject": rendered.subject, "text": rendered.text})
    DemoCopy.objects.update_or_create(message=message, defaults={"sealed": sealed})
    return Outcome(HANDED)
