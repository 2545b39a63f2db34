"""`manage.py remove_factors ADDRESS --why "…"`: for somebody who lost telephone, key and recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from relais.accounts.actions import remove_factors
from relais.accounts.queries import find_professional
from relais.core.actor import SYSTEM_ACTOR


class Command(BaseCommand):
    help = "Take passkeys, application and recovery codes from a professional; a code is sent at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--why", required=True, help="why, and how the person's identity was checked")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_professional(email=options["email"])
        if user is None:
            raise CommandError("Nobody has this address.")
        removed = remove_factors(actor=SYSTEM_ACTOR, user_id=user.pk, why=options["why"])
        self.stdout.write(f"{removed} removed; every session ended.")
