"""`manage.py answers_key`: make the key that opens answers given without network, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from relais.core import sealing


class Command(BaseCommand):
    help = "Make the key that opens answers given without network (ANSWERS_KEY_FILE) when there is none."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = settings.ANSWERS_KEY_FILE.exists()
        if not found:
            sealing.make_key(settings.ANSWERS_KEY_FILE)
        self.stdout.write(f"{settings.ANSWERS_KEY_FILE}: {'kept as it is' if found else 'made'}.")
