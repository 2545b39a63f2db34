"""`manage.py features`: docs/features.md, from the marks of the tests and docs/requirements.csv."""

import ast
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

HEAD = """# Features

What is required, and the tests that show it (`@pytest.mark.req`). This page is written by `manage.py features` from
`docs/requirements.csv` and the tests: a feature without a test is not listed as done.

| id | requirement | tests |
|---|---|---|
"""
FOLDERS = ("relais", "tests")
FILE, WHOLE = "pytestmark", "the whole file"  # a mark of every test of a file


class UnknownRequirement(Exception):
    """A test claims a requirement that docs/requirements.csv does not know."""


def requirements() -> dict[str, str]:
    """Text of each requirement by id, in the order of the file."""
    with (settings.BASE_DIR / "docs" / "requirements.csv").open(newline="") as file:
        return {row["id"]: row["requirement"] for row in csv.DictReader(file)}


def shown() -> dict[str, list[str]]:
    """The tests (`path::name`, sorted) that show each requirement, by id.

    Read from the source, so that nothing is imported. Raises UnknownRequirement.
    """
    known = requirements()
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for path in sorted((settings.BASE_DIR / folder).rglob("test_*.py")):
            for name, identifier in _marks(ast.parse(path.read_text())):
                place = f"{path.relative_to(settings.BASE_DIR)}::{name}"
                if identifier not in known:
                    raise UnknownRequirement(f"{place} shows {identifier}, which docs/requirements.csv does not list.")
                found.setdefault(identifier, []).append(place)
    return {identifier: sorted(set(places)) for identifier, places in found.items()}


def _marks(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name of the test and id, for each `req(…)` on a function, on a class, on one set of parameters or on a whole file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name, marked = node.name, list[ast.AST](node.decorator_list)
        elif isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == FILE for one in node.targets):
            name, marked = WHOLE, [node.value]
        else:
            continue
        for mark in marked:
            for call in ast.walk(mark):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "req":
                    yield from ((name, str(ast.literal_eval(argument))) for argument in call.args)


def text() -> str:
    """The page, one row a requirement, its tests grouped by file."""
    tests = shown()
    return HEAD + "".join(
        f"| {identifier} | {words.replace('|', chr(92) + '|')} | {_cell(tests.get(identifier, []))} |\n"
        for identifier, words in requirements().items()
    )


def _cell(places: list[str]) -> str:
    if not places:
        return "*none yet*"
    by_file: dict[str, list[str]] = {}
    for place in places:
        path, _, name = place.partition("::")
        by_file.setdefault(path, []).append(name)
    return "<br>".join(f"`{path}`: {', '.join(names)}" for path, names in by_file.items())


class Command(BaseCommand):
    help = "Write docs/features.md, or compare it (--check)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        page: Path = settings.BASE_DIR / "docs" / "features.md"
        try:
            wanted = text()
        except UnknownRequirement as error:
            sys.exit(f"Relais: {error}")
        if not options["check"]:
            page.write_text(wanted)
        elif not page.exists() or page.read_text() != wanted:
            sys.exit("docs/features.md is not up to date: run manage.py features.")
