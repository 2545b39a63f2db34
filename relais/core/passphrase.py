"""The passphrase of a keys archive, from a file or typed at the terminal."""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path

from relais.core.backup import Failed

SHORTEST = 12


def add_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", type=Path, help="file whose first line is the passphrase of the keys")


def ask(file: Path | None, *, twice: bool = False) -> str:
    """The passphrase; with `twice` it is chosen now: typed again, and long enough. Raises Failed."""
    if file:
        if not file.is_file():
            raise Failed(f"{file} is not a file.")
        text = (file.read_text().splitlines() or [""])[0].strip()
    elif sys.stdin.isatty():
        text = getpass.getpass("Passphrase of the keys: ")
        if twice and getpass.getpass("Again: ") != text:
            raise Failed("The two passphrases differ: start again.")
    else:
        raise Failed("No terminal to ask the passphrase: give --passphrase-file.")
    if twice and len(text) < SHORTEST:
        raise Failed(f"A passphrase has at least {SHORTEST} characters: five words do well.")
    return text
