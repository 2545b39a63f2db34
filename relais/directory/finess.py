"""Reading the national FINESS extraction (« Extraction du fichier des établissements », etalab-cs1100502).

Semicolons, one line `structureet;…` an establishment after a first line `finess;etalab;…`, Latin-1 or UTF-8.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relais.core.errors import Refused
from relais.directory.identifiers import check_finess
from relais.directory.models import Department, Kind

COLUMNS = {
    "finess": 1, "name": 3, "long_name": 4, "number": 7, "way": 8, "street": 9, "more": 10, "place": 11,
    "department": 13, "town": 15, "phone": 16, "category": 18,
}  # fmt: skip
LEAST = 19  # columns that a line must have
# Categories of establishments (nomenclature FINESS) that Relais knows; the others are left out and counted.
CATEGORIES = {
    Kind.HOSPITAL: "101 106 114 122 128 129 131 355 365 696 697 698",
    Kind.SSR: "108 109 119 120",
    Kind.HAD: "127",
    Kind.PSYCHIATRY: "156 161 292 430 444",
    Kind.EHPAD: "500 501 502",
    Kind.ESMS: "182 183 186 188 192 194 195 196 202 207 209 221 246 252 253 255 354 370 377 379 382 390 395 396 437 "
    "445 446 448 449 460",
    Kind.CENTRE: "124 125 130 268 289 439 603",
    Kind.SAMU: "",
}
KIND_OF = {code: kind for kind, codes in CATEGORIES.items() for code in codes.split()}


@dataclass(frozen=True)
class Row:
    """One establishment of the file."""

    finess: str
    name: str
    kind: str
    department: str
    address: str
    postal_code: str
    city: str
    phone: str


@dataclass(frozen=True)
class Skipped:
    """A line that is right and not ours: another region, another category."""

    line: int


@dataclass(frozen=True)
class Wrong:
    """A line that cannot be read; `message` says why without quoting it."""

    line: int
    message: str


def read(path: Path) -> Iterator[Row | Skipped | Wrong]:
    """Each line of the file in turn; the header and empty lines give nothing."""
    with path.open(encoding=_encoding(path), newline="") as file:
        for number, cells in enumerate(csv.reader(file, delimiter=";"), 1):
            if cells and cells[0] == "structureet":
                yield _row(number, [cell.strip() for cell in cells])
            elif cells and not (number == 1 and cells[0] in ("finess", "section")):
                yield Wrong(number, f"« structureet » attendu en première colonne, {len(cells)} colonnes lues")


def _encoding(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            for _line in file:
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _row(line: int, cells: list[str]) -> Row | Skipped | Wrong:
    if len(cells) < LEAST:
        return Wrong(line, f"{len(cells)} colonnes, au moins {LEAST} attendues")
    value = {name: cells[index] for name, index in COLUMNS.items()}
    try:
        finess = check_finess(value["finess"])
    except Refused as refused:
        return Wrong(line, refused.message)
    name = value["long_name"] or value["name"]
    if not name:
        return Wrong(line, "la raison sociale manque")
    kind = KIND_OF.get(value["category"])
    if value["department"] not in Department.values or kind is None:
        return Skipped(line)
    postal_code, city = _town(value["town"])
    parts = (value["number"], value["way"], value["street"], value["more"], value["place"])
    return Row(
        finess=finess,
        name=name[:200],
        kind=kind,
        department=value["department"],
        address=" ".join(part for part in parts if part)[:200],
        postal_code=postal_code,
        city=city[:100],
        phone=_phone(value["phone"]),
    )


def _town(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"(\d{5})\s+(.*)", text)
    return (found.group(1), found.group(2)) if found else ("", text)


def _phone(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    if len(digits) == 9:
        digits = f"0{digits}"
    return " ".join(digits[at : at + 2] for at in range(0, 10, 2)) if len(digits) == 10 else ""
