"""`manage.py files_check`: read every file again and compare it with its row."""

import hashlib
from typing import Any

import pyrage
from django.core.management.base import BaseCommand, CommandError

from relais.core.database import Unreachable, available
from relais.files import vault
from relais.files.models import StoredFile

SHOWN = 20


class Command(BaseCommand):
    """Prints the id of files that are missing, damaged or others (20 at most) and how many; exits with 1 when there is any."""

    help = "Read every file again and compare it with its row."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with available():
                self._check()
        except Unreachable as error:
            raise CommandError(str(error)) from None

    def _check(self) -> None:
        read = wrong = 0
        for file in StoredFile.objects.order_by("pk").iterator(chunk_size=500):
            read += 1
            if reason := _fault(file):
                wrong += 1
                if wrong <= SHOWN:
                    self.stderr.write(f"{file.pk}: {reason}")
        self.stdout.write(f"{read} files read, {wrong} wrong.")
        if wrong:
            raise CommandError("Restore these files from a backup.")


def _fault(file: StoredFile) -> str:
    digest = hashlib.sha256()
    try:
        for block in vault.stream(vault.path_of(file.pk)):
            digest.update(block)
    except FileNotFoundError:
        return "missing"
    except (OSError, pyrage.DecryptError):
        return "damaged, or of another key"
    return "" if digest.hexdigest() == file.sha256 else "not the one that was stored"
