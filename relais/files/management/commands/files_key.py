"""`manage.py files_key`: make the key of the encrypted files, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from relais.files import vault


class Command(BaseCommand):
    """Never replaces a key: what it encrypted could not be read any more."""

    help = "Make the key of the encrypted files (FILES_KEY_FILE) when there is none."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = settings.FILES_KEY_FILE.exists()
        if not found:
            vault.make_key(settings.FILES_KEY_FILE)
        public = vault.check_key()
        self.stdout.write(
            f"{settings.FILES_KEY_FILE}: {'kept as it is' if found else 'made'} ({public}). "
            "Keep a copy away from the files: without it they cannot be read."
        )
