"""`manage.py restore <file>`: bring a backup back into an empty place; with `--keys <file>` its keys first."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from relais.core import backup, restore
from relais.core.database import Unreachable, available
from relais.core.passphrase import add_argument, ask


class Command(BaseCommand):
    help = "Restore a backup into an empty database and an empty folder of files."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--keys", type=Path, help="archive of the keys, made by `backup --keys`")
        add_argument(parser)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is not a file.")
        try:
            told = None
            if options["keys"]:
                told = backup.read_keys(options["keys"], ask(options["passphrase_file"]))
            with available():
                restore.read(file, say=self.stdout.write, told=told)
        except (backup.Failed, Unreachable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Restored. Start the site again; everybody signs in again.")
