"""`manage.py invite_member FINESS ADDRESS …`: the first manager of an establishment, before anybody can sign in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from relais.accounts.actions import add_member, invite_member, serve_help_desk
from relais.accounts.models import Role
from relais.accounts.queries import find_professional
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import Refused
from relais.directory.models import Establishment


class Command(BaseCommand):
    help = "Add a professional to an establishment, by default as its manager; they choose a password by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("finess", help="number of the establishment")
        parser.add_argument("email")
        parser.add_argument("--family-name", default="")
        parser.add_argument("--given-name", default="")
        parser.add_argument("--role", choices=Role.values, default=Role.MANAGER)
        parser.add_argument("--help-desk", action="store_true", help="also an agent of the help desk")

    def handle(self, *args: Any, **options: Any) -> None:
        place = Establishment.objects.filter(finess=options["finess"], active=True).first()
        if place is None:
            raise CommandError("No establishment has this FINESS number (manage.py import_finess brings them in).")
        common = {"actor": SYSTEM_ACTOR, "establishment_id": place.pk, "role": options["role"]}
        try:
            with transaction.atomic():
                if known := find_professional(email=options["email"]):
                    member = add_member(user=known, **common)
                elif options["family_name"] and options["given_name"]:
                    member = invite_member(
                        email=options["email"],
                        family_name=options["family_name"],
                        given_name=options["given_name"],
                        **common,
                    )
                else:
                    raise CommandError("Nobody has this address yet: give --family-name and --given-name.")
                if options["help_desk"]:
                    serve_help_desk(actor=SYSTEM_ACTOR, user_id=member.user_id)
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(
            f"{member.user.full_name}: {member.get_role_display()}, {place.name}. An e-mail is on its way."
        )
