"""`manage.py with_database COMMAND …`: another command, on a database that runs and has its tables."""

import argparse
import sys
from typing import Any

from django.core.management import ManagementUtility, call_command
from django.core.management.base import BaseCommand, CommandParser

from relais.core import database


class Command(BaseCommand):
    help = "Run a command whether the site runs or not: starts the embedded database for it if need be."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the command and its arguments")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with database.available():
                call_command("migrate", verbosity=0, interactive=False)
                ManagementUtility([sys.argv[0], *options["arguments"]]).execute()
        except database.Unreachable as error:
            sys.exit(f"Relais: {error}")
