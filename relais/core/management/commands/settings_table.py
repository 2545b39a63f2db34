"""`manage.py settings_table`: docs/settings.md from the table of config/environment.py."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

HEAD = """# Settings

Every setting is an environment variable, read and checked at start. `make run` and the programs of an
installation read the same table. This page is written by `manage.py settings_table` from `config/environment.py`.

| variable | default | what it is for |
|---|---|---|
"""


def text() -> str:
    """The page, one row a setting."""
    rows = [
        f"| `{each.name}` | {f'`{each.default}`' if each.default else ''} | {each.doc.replace('|', chr(92) + '|')} |\n"
        for each in settings.ENV_TABLE
    ]
    return HEAD + "".join(rows)


class Command(BaseCommand):
    help = "Write docs/settings.md, or compare it (--check)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        page = settings.BASE_DIR / "docs" / "settings.md"
        if not options["check"]:
            page.parent.mkdir(exist_ok=True)
            page.write_text(text())
        elif not page.exists() or page.read_text() != text():
            sys.exit("docs/settings.md is not up to date: run manage.py settings_table.")
