"""`manage.py import_finess <file>`: bring the national FINESS extraction in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from relais.core.actor import SYSTEM_ACTOR
from relais.core.database import Unreachable, available
from relais.directory import actions, finess

SHOWN = 20


class Command(BaseCommand):
    """Prints what it did, and each line that it could not read; exits with 1 when there is one."""

    help = "Import establishments from the FINESS extraction (structureet lines)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is not a file.")
        try:
            with available():
                told = actions.import_establishments(actor=SYSTEM_ACTOR, rows=finess.read(file))
        except Unreachable as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{told.created} créés, {told.changed} modifiés, {told.unchanged} inchangés, {told.skipped} hors périmètre."
        )
        for wrong in told.wrong[:SHOWN]:
            self.stderr.write(f"Ligne {wrong.line} : {wrong.message}")
        if told.wrong:
            raise CommandError(f"{len(told.wrong)} ligne(s) refusée(s) ; les autres sont importées.")
