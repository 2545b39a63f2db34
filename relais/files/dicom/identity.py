"""Whether an image is of the person whose file it lies in: pure rules.

Machines write names in capitals, without accents, cut short, with the married name or all in one field. So a name is taken
for the same when one word of a family name and one of a given name are found; a birth date is the same or it is not. A
family name alone tells nobody from their brother: it is to be verified unless the birth date is there and the same.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

SAME, OTHER, UNNAMED = "same", "other", "unnamed"
NOBODY = re.compile(
    r"(ANON(YM[A-Z]*)?|PSEUDO(NYM[A-Z]*)?|INCONNUE?|UNKNOWN|NO ?NAME|X{3,}|TEST)\b"
)  # TESTARD is a name
TITLES = frozenset(("M", "MR", "MME", "MLLE", "NEE", "EP", "EPOUSE", "VVE", "VEUVE"))


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
    if _words(given) or _beside(words, person):
        return SAME if _found(person.given_names, {"".join(_words(given)), *words}) else OTHER
    return SAME if born and person.birth_date else UNNAMED


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


def _beside(words: list[str], person: Person) -> set[str]:
    """The words that are neither of a family name nor a title: the given names, in a field that has them all."""
    parts = [_words(one) for one in person.family_names]
    return set(words).difference(TITLES, *parts, ["".join(one) for one in parts])


def _found(names: tuple[str, ...], words: set[str]) -> bool:
    """One of the names is there, whole or by one of its words."""
    return any("".join(_words(one)) in words or words.intersection(_long(_words(one))) for one in names)


def _long(words: list[str]) -> list[str]:
    """Without the particles, which many names share."""
    return [word for word in words if len(word) > 2 and word not in ("DES", "VAN", "VON", "DEL", "BEN")]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE")).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Z]+", plain.replace("'", "").upper())
