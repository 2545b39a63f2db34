"""`manage.py backup <file>`: save database and files, encrypted; with `--keys <file>` the keys too, apart."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from relais.core import backup
from relais.core.database import Unreachable, available
from relais.core.passphrase import add_argument, ask


class Command(BaseCommand):
    help = "Save database and files into one encrypted archive; the keys into another (--keys)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--keys", type=Path, help="also save the keys here, under a passphrase")
        add_argument(parser)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            if options["keys"]:
                backup.write_keys(options["keys"], ask(options["passphrase_file"], twice=True))
            with available():
                backup.write(file, say=self.stdout.write)
        except (backup.Failed, Unreachable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{file}: {file.stat().st_size / 1e6:.1f} MB, encrypted.")
        if options["keys"]:
            self.stdout.write(f"{options['keys']}: the keys. Keep them, and their passphrase, away from {file.name}.")
        else:
            self.stdout.write("Without the keys (--keys, once) nobody can read it, you included.")
