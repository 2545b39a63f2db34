"""What a form is made of, and the same as JSON for the browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Value = bool | int | float | str  # dates as 2026-11-21, times as 14:30, codes and ids as they are

NUMBERS = ("integer", "decimal")
CHOICES = ("choice", "open-choice")
TEXTS = ("string", "text")
DRAWN = ("group", "display", "boolean", *NUMBERS, "date", "time", *TEXTS, *CHOICES, "attachment", "reference")


class Unreadable(ValueError):
    """A source that cannot become a form: one sentence for whoever wrote it, naming the linkId."""


@dataclass(frozen=True)
class Option:
    """An answer to choose. `exclusive` goes with no other."""

    code: str
    label: str
    system: str
    exclusive: bool = False
    proxy: str = ""

    def sentence(self, voice: str = "patient") -> str:
        """The answer, as put to the patient or to whoever answers in their place."""
        return self.proxy if voice == "proxy" and self.proxy else self.label

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "label": self.label} | ({"exclusive": True} if self.exclusive else {})


@dataclass(frozen=True)
class Unit:
    """A UCUM code, and the unit as it is printed in French."""

    code: str
    label: str


@dataclass(frozen=True)
class Condition:
    """One enableWhen: `operator` is one of exists, =, !=, >, <, >=, <=."""

    question: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Item:
    """A question, a group of items (`items`) or a text to read (display).

    `minimum` and `maximum` are plausible limits, numbers or dates; `days_min` and `days_max` are days from today;
    `max_size` is in bytes; `any_of` says that one condition is enough; `proxy_first` puts the item before the others when
    somebody answers in the patient's place.
    """

    link_id: str
    type: str
    text: str
    proxy: str = ""
    proxy_first: bool = False
    help: str = ""
    help_proxy: str = ""
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    hidden: bool = False
    must_be_true: bool = False
    options: tuple[Option, ...] = ()
    unit: Unit | None = None
    loinc: str = ""
    loinc_label: str = ""
    minimum: Value | None = None
    maximum: Value | None = None
    decimals: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    days_min: int | None = None
    days_max: int | None = None
    mime_types: tuple[str, ...] = ()
    max_size: int | None = None
    conditions: tuple[Condition, ...] = ()
    any_of: bool = False
    items: tuple["Item", ...] = ()

    @property
    def is_question(self) -> bool:
        return self.type not in ("group", "display")

    @property
    def is_rows(self) -> bool:
        """A repeating group: its answer is a list of rows."""
        return self.type == "group" and self.repeats

    @property
    def multiple(self) -> bool:
        return self.is_question and self.repeats

    @property
    def megabytes(self) -> int:
        """`max_size` in the Mo that screens show (1,048,576 bytes, as `filesizeformat`), to the nearest."""
        return round((self.max_size or 0) / 1024**2)

    def option(self, code: Any) -> Option | None:
        return next((option for option in self.options if option.code == code), None)

    def sentence(self, voice: str = "patient") -> str:
        """The question, as put to the patient or to whoever answers in their place (`proxy`)."""
        return self.proxy if voice == "proxy" and self.proxy else self.text

    def hint(self, voice: str = "patient") -> str:
        """The help text, as put to the patient or to whoever answers in their place."""
        return self.help_proxy if voice == "proxy" and self.help_proxy else self.help

    def walk(self) -> Iterator["Item"]:
        """This item and all below, in reading order."""
        yield self
        for item in self.items:
            yield from item.walk()

    def as_json(self) -> dict[str, Any]:
        """What the browser needs of it; what is absent, false or empty is left out."""
        given: dict[str, Any] = {
            "id": self.link_id,
            "type": self.type,
            "text": self.text,
            "required": self.required,
            "repeats": self.repeats,
            "readOnly": self.read_only,
            "hidden": self.hidden,
            "mustBeTrue": self.must_be_true,
            "options": [option.as_json() for option in self.options],
            "unit": self.unit.label if self.unit else "",
            "loinc": self.loinc,
            "min": self.minimum,
            "max": self.maximum,
            "decimals": self.decimals,
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "daysMin": self.days_min,
            "daysMax": self.days_max,
            "mimeTypes": list(self.mime_types),
            "maxSize": self.max_size,
            "conditions": [
                {"question": each.question, "operator": each.operator, "value": each.value} for each in self.conditions
            ],
            "anyOf": self.any_of,
            "items": [item.as_json() for item in self.items],
        }
        return {
            name: value for name, value in given.items() if not (value is None or value is False or value in ("", []))
        }


@dataclass(frozen=True)
class Form:
    """One version of a questionnaire. Items know each other by linkId, unique in the form."""

    name: str
    version: str
    title: str
    items: tuple[Item, ...]

    @property
    def url(self) -> str:
        return f"urn:relais:Questionnaire:{self.name}"

    def walk(self) -> Iterator[Item]:
        """Every item, in reading order."""
        for item in self.items:
            yield from item.walk()

    def in_order(self, voice: str) -> list[Item]:
        """The items of the first level in the order in which this voice is asked."""
        return sorted(self.items, key=lambda item: not item.hidden and not (voice == "proxy" and item.proxy_first))

    @cached_property
    def by_id(self) -> dict[str, Item]:
        return {item.link_id: item for item in self.walk()}

    @property
    def context(self) -> tuple[Item, ...]:
        """The questions that the site answers itself (read-only): age, sex, oximeter at home."""
        return tuple(item for item in self.walk() if item.is_question and item.read_only)

    def as_json(self) -> dict[str, Any]:
        """The form for static/questionnaires/logic.js."""
        return {
            "name": self.name,
            "version": self.version,
            "title": self.title,
            "items": [item.as_json() for item in self.items],
        }
