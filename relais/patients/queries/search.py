"""Search as one types, among the patients that the actor may see."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Case, IntegerField, Q, QuerySet, When

from relais.core.actor import Actor
from relais.patients.models import Patient

SHOWN = 20
CANDIDATES = 100  # near matches weighed before the best are kept
ALIKE = 20_000  # in the whole region, before who may be seen counts
TYPO_LETTERS = (6, 5)  # of each word, as in relais_typo_keys: the longer, the fewer look alike
SHORTEST_KEY = 3  # of the words that relais_typo_keys looks at
SHORTEST_TYPO = 4  # in three letters an error is another name
# Letters that decomposition leaves alone and that the database's unaccent spells out (tests/test_search.py compares).
SPELLED = str.maketrans(
    dict(zip("øđðłıħŧŋɓɗƙƴɛɲɖƒ", "oddlihtnbdkyendf", strict=True))
    | {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ĳ": "ij"}
)
DATE = re.compile(
    r"(?<!\d)(?:(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})|(\d{2})(\d{2})(\d{4})|(\d{4})-(\d{2})-(\d{2}))(?!\d)"
)
NUMBER = re.compile(r"\+?\d(?:[\s./\-]?\d){3,}")
MATRICULE = re.compile(
    r"(?<!\d)[1-478](?:[\s.]?\d){4}[\s.]?(?:\d[\s.]?\d|2[AaBb])(?:[\s.]?\d){6}(?:[\s.]?\d){0,2}(?!\d)"
)


def fold(text: str) -> str:
    """As the database's relais_fold: no accents, case, hyphens or apostrophes; words apart by one space."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(SPELLED))
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in letters).split())


@dataclass(frozen=True)
class Asked:
    """What was typed, taken apart: words of names, a day or year of birth, figures of a telephone, a matricule."""

    words: tuple[tuple[str, ...], ...] = ()  # each word as its parts ("o", "neil"); several parts also count glued
    birth_date: date | None = None
    birth_year: int | None = None
    phone: str = ""
    ins: str = ""

    @property
    def empty(self) -> bool:
        """Too little to look for anything: it would show everybody."""
        letters = sum(len(part) for parts in self.words for part in parts)
        return letters < 2 and not (self.birth_date or self.birth_year or self.phone or self.ins)


def understand(text: str) -> Asked:
    """Take apart one line as people type it: `DUPONT jean 12/03/1950`, `06 39 98`, `o'neil`, a matricule."""
    found: dict[str, Any] = {}
    if match := MATRICULE.search(text):
        found["ins"] = re.sub(r"[\s.]", "", match.group()).upper()
        text = text.replace(match.group(), " ")
    if (match := DATE.search(text)) and (day := _day(match)):
        found["birth_date"] = day
        text = text.replace(match.group(), " ")
    if match := NUMBER.search(text):
        digits = re.sub(r"\D", "", match.group())
        if re.fullmatch(r"(19|20)\d{2}", digits):
            found["birth_year"] = int(digits)
        else:
            found["phone"] = digits.lstrip("0") if match.group()[0] != "+" else digits
        text = text.replace(match.group(), " ")
    words = tuple(tuple(fold(word).split()) for word in text.split())
    return Asked(words=tuple(parts for parts in words if parts)[:6], **found)


def _day(match: re.Match[str]) -> date | None:
    parts = [int(part) for part in match.groups() if part]
    try:
        return date(*parts) if match.group(7) else date(parts[2], parts[1], parts[0])
    except ValueError:
        return None


def search(actor: Actor, text: str) -> list[Patient]:
    """The at most 20 patients that the actor may see and that `text` names, best first.

    Words match from their beginning; one typing error a word is forgiven once nothing better fills the list. Two
    queries at most, however many patients there are.
    """
    asked = understand(text)
    if asked.empty:
        return []
    seen = _narrowed(Patient.objects.visible_to(actor).defer("typo_keys"), asked)
    first = asked.words[0][0] if asked.words else ""
    exact: list[Patient] = list(
        seen.filter(_words(asked, _begins))
        .annotate(place=Case(When(search_name__startswith=first, then=0), default=1, output_field=IntegerField()))
        .order_by("place", "birth_family_name", "birth_given_names", "id")[:SHOWN]
    )
    if len(exact) == SHOWN or not any(_forgiven(parts) for parts in asked.words):
        return exact
    best = "".join(f" {' '.join(parts)}" for parts in asked.words).strip()
    # The limit keeps the two questions apart: put in one, the planner reads the whole table for a rare name.
    alike = Patient.objects.filter(_words(asked, nearly_begins)).order_by().values("pk")[:ALIKE]
    near = (
        seen.filter(pk__in=alike)
        .exclude(pk__in=[patient.pk for patient in exact])
        .annotate(likeness=TrigramWordSimilarity(best, "search_name"))
        .order_by("-likeness", "birth_family_name", "birth_given_names", "id")
    )
    likely: list[Patient] = [patient for patient in near[:CANDIDATES] if _truly_near(asked, patient.search_name)]
    return [*exact, *likely][:SHOWN]


def _narrowed(patients: QuerySet[Patient], asked: Asked) -> QuerySet[Patient]:
    if asked.birth_date:
        patients = patients.filter(birth_date=asked.birth_date)
    if asked.birth_year:
        patients = patients.filter(
            birth_date__gte=date(asked.birth_year, 1, 1), birth_date__lte=date(asked.birth_year, 12, 31)
        )
    if asked.phone:
        patients = patients.filter(phone__contains=asked.phone)
    if asked.ins:
        patients = patients.filter(ins__startswith=asked.ins)
    return patients


def _words(asked: Asked, rule: Any) -> Q:
    """Every word is there; a compound one as its parts or glued."""
    condition = Q()
    for parts in asked.words:
        apart = Q()
        for part in parts:
            apart &= rule(part)
        condition &= apart | rule("".join(parts)) if len(parts) > 1 else apart
    return condition


def _begins(word: str) -> Q:
    return Q(search_name__startswith=word) | Q(search_name__contains=f" {word}")


def _forgiven(parts: tuple[str, ...]) -> bool:
    return len("".join(parts)) >= SHORTEST_TYPO


def nearly_begins(word: str) -> Q:
    """Shares the beginning, or the beginning less one letter: a superset of one typing error, found by one index alone.

    What begins a word is among them too; an OR with LIKE would make the database read the whole table.
    """
    if len(word) < SHORTEST_TYPO:
        return _begins(word)
    return Q(typo_keys__overlap=typo_keys(word))


def typo_keys(word: str) -> list[str]:
    """What a name that this word begins, with one error at most, has among its typo_keys; a short word is written right,
    and one of one or two letters has none."""
    if len(word) < SHORTEST_TYPO:
        return [word] if len(word) >= SHORTEST_KEY else []
    start = word[: next((letters for letters in TYPO_LETTERS if letters <= len(word)), TYPO_LETTERS[-1])]
    return [start, *(start[:at] + start[at + 1 :] for at in range(len(start)))]


def _truly_near(asked: Asked, name: str) -> bool:
    """Each word that was typed begins a word of the name with one error at most."""
    words = name.split()
    return all(
        all(_begins_some(part, words) for part in parts) or _begins_some("".join(parts), words) for parts in asked.words
    )


def _begins_some(typed: str, words: list[str]) -> bool:
    if len(typed) < SHORTEST_TYPO:
        return any(word.startswith(typed) for word in words)
    return any(one_error_at_most(typed, word) for word in words)


def one_error_at_most(typed: str, word: str) -> bool:
    """Whether `typed` is the beginning of `word` with one letter wrong, too many, missing, or two swapped."""
    at = next((place for place, pair in enumerate(zip(typed, word, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return len(typed) <= len(word) + 1
    rest, other = typed[at:], word[at:]
    return (
        other[1:].startswith(rest[1:])  # wrong
        or other.startswith(rest[1:])  # too many
        or other[1:].startswith(rest)  # missing
        or (rest[:2] == other[1:2] + other[:1] and other[2:].startswith(rest[2:]))  # swapped
    )
