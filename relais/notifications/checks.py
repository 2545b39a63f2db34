"""What an installation is told before it starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Advice
from django.db import DatabaseError, transaction


@register(Tags.database)
def no_demo_copies(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Production refuses a database in which messages of a demonstration can be read."""
    from relais.notifications.models import DemoCopy  # noqa: PLC0415 (checks load with the application)

    if not settings.PRODUCTION or not databases:
        return []
    try:
        with transaction.atomic():
            found = DemoCopy.objects.exists()
    except DatabaseError:
        return []  # no table before the first `migrate`, which runs this check too
    if not found:
        return []
    return [
        Error(
            "This database holds texts of demonstration messages: it cannot serve production.", id="notifications.E001"
        )
    ]


@register()
def secrets_key(**kwargs: Any) -> list[CheckMessage]:
    """A confined service could not make the key when the first message with a secret leaves."""
    if not settings.PRODUCTION or settings.SECRETS_KEY_FILE.exists():
        return []
    said = f"SECRETS_KEY_FILE: {settings.SECRETS_KEY_FILE} is missing. Make it with `manage.py secrets_key`."
    return [Error(said, id="notifications.E003")]


@register()
def smtp_url(**kwargs: Any) -> list[CheckMessage]:
    """A mail server that cannot be named would only show when the first message waits."""
    from relais.notifications.channels.smtp import Server  # noqa: PLC0415 (checks load with the application)

    try:
        if settings.ENV["SMTP_URL"]:
            Server.parse(settings.ENV["SMTP_URL"])
    except ValueError:
        return [Error("SMTP_URL must look like smtp://user:password@host:587?tls=1.", id="notifications.E002")]
    return []


@register(deploy=True)
def channels_configured(**kwargs: Any) -> list[CheckMessage]:
    """Without a channel, messages wait a day and are then flagged as refused."""
    found: list[CheckMessage] = []
    if not settings.ENV["SMTP_URL"]:
        found.append(Advice("SMTP_URL is empty: no e-mail will leave.", id="notifications.W001"))
    if not settings.ENV["SMS_URL"]:
        found.append(Advice("SMS_URL is empty: no SMS will leave.", id="notifications.W002"))
    if settings.ENV["SMS_URL"] and not settings.ENV["SMS_RECEIPT_SECRET"]:
        found.append(Advice("SMS_RECEIPT_SECRET is empty: no receipt will be believed.", id="notifications.W003"))
    return found
