"""`manage.py files_key`: make the key of the encrypted files, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from relais.core import keys


class Command(BaseCommand):
    """Never replaces a key: what it encrypted could not be read any more."""

    help = "Make the key of the encrypted files (FILES_KEY_FILE) when there is none."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = settings.FILES_KEY_FILE.exists()
        if not found:
            keys.make(settings.FILES_KEY_FILE)
        public = keys.recipient(settings.FILES_KEY_FILE)
        self.stdout.write(
            f"{settings.FILES_KEY_FILE}: {'kept as it is' if found else 'made'} ({public}). "
            "Keep a copy away from the files: without it they cannot be read."
        )
