"""`manage.py secrets_key`: make the key of the secrets in waiting messages, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from relais.notifications import vault


class Command(BaseCommand):
    help = "Make the key of the secrets in waiting messages (SECRETS_KEY_FILE) when there is none."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        made = vault.make_key()
        self.stdout.write(f"{settings.SECRETS_KEY_FILE}: {'made' if made else 'kept as it is'}.")
