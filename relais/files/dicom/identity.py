"""Whether an image is of the person whose file it lies in: pure rules.

Machines write names in capitals, without accents, cut short, with the married name or all in one field. So a name is taken
for the same when one word of a family name and one of a given name are found; a birth date is the same or it is not.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

SAME, OTHER, UNNAMED = "same", "other", "unnamed"
NOBODY = re.compile(r"^(ANON|PSEUDO|INCONNU|UNKNOWN|NONAME|NO NAME|XXX|TEST)")


@dataclass(frozen=True)
class Person:
    """Who the file is about, as its owner knows them: every name that they bear or bore."""

    label: str
    family_names: tuple[str, ...]
    given_names: tuple[str, ...]
    birth_date: date | None


def compared(said: dict[str, Any], person: Person) -> str:
    """SAME, OTHER or UNNAMED, for one identity of an image: {"name": "DUPONT^JEAN", "born": "19450102"}."""
    born = birth_date(said)
    if born and person.birth_date and born != person.birth_date:
        return OTHER
    alphabetic = str(said.get("name", "")).split("=")[0]
    family, _caret, given = alphabetic.partition("^")
    words = _words(alphabetic)
    if not words or NOBODY.match(" ".join(words)):
        return UNNAMED
    glued = {"".join(_words(family)), *words}
    if not _found(person.family_names, glued):
        return OTHER
    if _words(given) and not _found(person.given_names, {"".join(_words(given)), *words}):
        return OTHER
    return SAME


def birth_date(said: dict[str, Any]) -> date | None:
    """That of the image, None when it says none that exists."""
    text = re.sub(r"\D", "", str(said.get("born", "")))
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def name(said: dict[str, Any]) -> str:
    """As it is read: the family name, then the given ones."""
    return " ".join(str(said.get("name", "")).split("=")[0].replace("^", " ").split())


def _found(names: tuple[str, ...], words: set[str]) -> bool:
    """One of the names is there, whole or by one of its words."""
    return any("".join(_words(one)) in words or words.intersection(_long(_words(one))) for one in names)


def _long(words: list[str]) -> list[str]:
    """Without the particles, which many names share."""
    return [word for word in words if len(word) > 2 and word not in ("DES", "VAN", "VON", "DEL", "BEN")]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE")).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Z]+", plain.replace("'", "").upper())
