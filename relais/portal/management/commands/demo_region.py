"""Fills an empty database with a region that does not exist."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from relais.accounts.models import User
from relais.core.demo import SIZES, Region
from relais.directory.models import Establishment
from relais.patients.models import Patient

# From the lowest layer up: each part uses what the parts before have built.
PARTS = [
    "directory", "accounts", "patients", "dossiers", "teleconsultation", "telemonitoring", "oncall", "expertise", "liaison",
    "portal",
]  # fmt: skip


def _random(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (a region to be built again, not a secret)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment with its offset, such as 2026-11-21T09:00:00+00:00")
    return moment


def real() -> bool:
    """Whether the database holds anybody or anything that is not synthetic."""
    return any(model.objects.filter(synthetic=False).exists() for model in (Establishment, User, Patient))


def _erase() -> None:
    """Empty every table of ours at once (the trace too: it was about nobody); stored files are left to their sweep.

    What every migrate brings (a model says so: COMES_WITH_MIGRATE) stays.
    """
    brought = [model for model in apps.get_models() if getattr(model, "COMES_WITH_MIGRATE", False)]
    kept = {ContentType._meta.db_table, Permission._meta.db_table, *(model._meta.db_table for model in brought)}
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - kept)
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor, ExitStack() as back:
        for model in brought:
            back.enter_context(_kept(cursor, model, kept))
        cursor.execute(f"TRUNCATE {quoted} RESTART IDENTITY CASCADE")


@contextmanager
def _kept(cursor: Any, model: type[Model], tables: set[str]) -> Iterator[None]:
    """The rows that name nothing outside `tables` are there again afterwards, though what they might name is emptied."""
    name, copy = (
        connection.ops.quote_name(model._meta.db_table),
        connection.ops.quote_name(f"kept_{model._meta.db_table}"),
    )
    names = [
        connection.ops.quote_name(str(field.column))
        for field in model._meta.concrete_fields
        if field.remote_field and field.remote_field.model._meta.db_table not in tables
    ]
    where = " AND ".join(f"{one} IS NULL" for one in names) or "TRUE"
    cursor.execute(f"CREATE TEMPORARY TABLE {copy} AS SELECT * FROM {name} WHERE {where}")  # noqa: S608 (names of ours)
    yield
    cursor.execute(f"INSERT INTO {name} SELECT * FROM {copy} ON CONFLICT DO NOTHING")  # noqa: S608
    cursor.execute(f"DROP TABLE {copy}")


class Command(BaseCommand):
    help = "Fill an empty database with a synthetic region: the same one for the same seed."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--size", choices=list(SIZES), default="small")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--at", type=_moment, help="the moment around which the region lives (default: now)")
        parser.add_argument("--replace", action="store_true", help="erase the synthetic data that is there first")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "Synthetic data needs the embedded database, or SYNTHETIC_DATA=1 outside production. Nothing was written."
            )
        wanted = SIZES[options["size"]].establishments
        found = Establishment.objects.count()
        if found == wanted and not options["replace"] and not real():
            self.stdout.write(f"The {options['size']} region is already there: nothing to do.")
            return
        if found and real():
            raise CommandError(
                "This database holds people or places that are not synthetic: it is left as it is. Nothing was written."
            )
        if found and not options["replace"]:
            raise CommandError(
                "This database already holds another demo region: say --replace to erase it. Nothing was written."
            )
        begun, self.verbosity = time.monotonic(), options["verbosity"]
        region = Region(size=options["size"], now=options["at"] or timezone.now())
        self._build(region, _random(options["seed"]), erase=bool(found))
        self._say(f"Region ready in {time.monotonic() - begun:.0f} s.")

    def _say(self, sentence: str) -> None:
        if self.verbosity:
            self.stdout.write(sentence)

    def _build(self, region: Region, rng: random.Random, *, erase: bool) -> None:
        with transaction.atomic():
            if erase:
                _erase()
            for name in PARTS:
                module = f"relais.{name}.demo"
                if find_spec(module) is None or not hasattr(part := import_module(module), "build"):
                    continue
                begun = time.monotonic()
                part.build(region, _random(rng.getrandbits(64)))
                self._say(f"  {name}: {time.monotonic() - begun:.1f} s")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
