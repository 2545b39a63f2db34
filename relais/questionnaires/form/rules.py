"""What a form may not say, beyond what FHIR forbids: each function refuses with one sentence that names the linkId."""

import datetime
import re
from dataclasses import dataclass, field

from relais.questionnaires.form.shape import CHOICES, NUMBERS, TEXTS, Condition, Form, Item, Unreadable

ORDERED = (*NUMBERS, "date", "time")
OPERATORS = ("exists", "=", "!=", ">", "<", ">=", "<=")
# Types that compare with a value; the others can only be asked whether they exist.
COMPARED = ("boolean", *ORDERED, *CHOICES, *TEXTS)
VALUE_KINDS = {"answerBoolean", "answerDecimal", "answerInteger", "answerDate", "answerTime", "answerString"}
VALUE_KINDS |= {"answerCoding"}
# Field of Item -> (its name in FHIR, the types it may stand on)
FITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "options": ("answerOption", CHOICES),
    "unit": ("a unit", NUMBERS),
    "loinc": ("a LOINC code", (*NUMBERS, *CHOICES)),
    "minimum": ("minValue", (*NUMBERS, "date")),
    "maximum": ("maxValue", (*NUMBERS, "date")),
    "decimals": ("maxDecimalPlaces", ("decimal",)),
    "min_length": ("minLength", TEXTS),
    "max_length": ("maxLength", TEXTS),
    "days_min": ("days-min", ("date",)),
    "days_max": ("days-max", ("date",)),
    "must_be_true": ("must-be-true", ("boolean",)),
    "mime_types": ("mimeType", ("attachment",)),
    "max_size": ("maxSize", ("attachment",)),
}
REPEATABLE = ("group", "choice", "open-choice", "attachment", "string", "reference")
LINK_ID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")


def check(form: Form) -> None:
    """Refuse (Unreadable) a form that says what cannot be meant."""
    seen = _Seen(frozenset(item.link_id for item in form.walk()))
    for top in form.items:
        _check_branch(top, seen, ())
    if not any(item.is_question for item in seen.earlier.values()):
        raise Unreadable(f"The questionnaire {form.name} has no question.")


@dataclass(frozen=True)
class _Seen:
    """What was read so far: `rows` says in which repeating groups an item stands, outermost first."""

    known: frozenset[str]
    earlier: dict[str, Item] = field(default_factory=dict)
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)


def _check_branch(item: Item, seen: _Seen, inside: tuple[str, ...]) -> None:
    if item.link_id in seen.earlier:
        raise Unreadable(f"{item.link_id}: this linkId is there twice.")
    for condition in item.conditions:
        _check_condition(item, condition, seen, inside)
    _check_item(item)
    seen.earlier[item.link_id], seen.rows[item.link_id] = item, inside
    for below in item.items:
        _check_pair(item, below)
        _check_branch(below, seen, (*inside, item.link_id) if item.is_rows else inside)


def _check_item(item: Item) -> None:
    if not LINK_ID.fullmatch(item.link_id):
        raise Unreadable(f"{item.link_id}: a linkId holds letters, figures, dots, dashes, 100 at most.")
    for attribute, (name, types) in FITS.items():
        if getattr(item, attribute) not in (None, (), "", False) and item.type not in types:
            raise Unreadable(f"{item.link_id}: {name} does not go with the type {item.type}.")
    _check_nature(item)
    _check_duty(item)
    _check_options(item)
    _check_limits(item)


def _check_nature(item: Item) -> None:
    if not item.text and not item.hidden and item.type != "group":
        raise Unreadable(f"{item.link_id}: there is no text.")
    if item.items and item.type != "group":
        raise Unreadable(f"{item.link_id}: only a group holds items (a help text apart).")
    if item.type == "group" and not item.items:
        raise Unreadable(f"{item.link_id}: this group is empty.")
    if item.repeats and item.type not in REPEATABLE:
        raise Unreadable(f"{item.link_id}: an item of type {item.type} does not repeat.")


def _check_duty(item: Item) -> None:
    if item.required and not item.is_question and not item.is_rows:
        raise Unreadable(f"{item.link_id}: only a question or a repeating group can be required.")
    if item.hidden and item.required and not item.read_only:
        raise Unreadable(f"{item.link_id}: a hidden item that is required must be read-only, or nobody can answer it.")
    if item.hidden and not item.read_only:
        raise Unreadable(f"{item.link_id}: a hidden item must be read-only.")
    if item.proxy_first and item.conditions:
        raise Unreadable(f"{item.link_id}: what comes first for the proxy has no condition.")
    if item.must_be_true and not item.required:
        raise Unreadable(f"{item.link_id}: what must be true must be required.")


def _check_pair(group: Item, below: Item) -> None:
    if group.hidden and not below.hidden:
        raise Unreadable(f"{below.link_id}: it stands in the hidden group {group.link_id} and must be hidden.")
    if below.proxy_first:
        raise Unreadable(f"{below.link_id}: only an item of the first level comes first for the proxy.")
    if group.is_rows and below.read_only:
        raise Unreadable(f"{below.link_id}: a row of {group.link_id} holds nothing read-only.")
    if group.is_rows and any(item.type == "attachment" for item in below.walk()):
        raise Unreadable(f"{below.link_id}: a row of {group.link_id} holds no attachment.")


def _check_options(item: Item) -> None:
    if item.type in CHOICES and not item.options:
        raise Unreadable(f"{item.link_id}: a choice has answers to choose from (answerOption).")
    codes = [option.code for option in item.options]
    for code in codes:
        if codes.count(code) > 1:
            raise Unreadable(f"{item.link_id}: the answer {code!r} is there twice.")
    if any(option.exclusive for option in item.options) and not item.repeats:
        raise Unreadable(f"{item.link_id}: an answer that excludes the others makes sense where several are taken.")


def _check_limits(item: Item) -> None:
    kind: tuple[type, ...] = {"integer": (int,), "decimal": (int, float), "date": (str,)}.get(item.type, ())
    for limit in (item.minimum, item.maximum):
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, kind) or not _is_day(limit)):
            raise Unreadable(f"{item.link_id}: the limit {limit!r} is not of the type {item.type}.")
    pairs = ((item.minimum, item.maximum), (item.min_length, item.max_length), (item.days_min, item.days_max))
    for low, high in pairs:
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            raise Unreadable(f"{item.link_id}: the least allowed, {low}, is above the most, {high}.")
    if item.decimals is not None and not 0 <= item.decimals <= 4:
        raise Unreadable(f"{item.link_id}: maxDecimalPlaces goes from 0 to 4.")
    if item.max_length is not None and not 1 <= item.max_length <= 10_000:
        raise Unreadable(f"{item.link_id}: maxLength goes from 1 to 10000.")


def _is_day(limit: object) -> bool:
    if not isinstance(limit, str):
        return True
    try:
        return datetime.date.fromisoformat(limit).isoformat() == limit
    except ValueError:
        return False


def check_value_kind(link_id: str, question: str, key: str) -> None:
    """Refuse an answer[x] of a condition that is not read here."""
    if key not in VALUE_KINDS:
        raise Unreadable(f"{link_id}: the condition on {question} has a value that is not read here ({key or 'none'}).")


def _check_condition(item: Item, condition: Condition, seen: _Seen, inside: tuple[str, ...]) -> None:
    place = f"{item.link_id}: the condition on {condition.question}"
    asked = _asked(place, item, condition, seen)
    within = seen.rows[asked.link_id]
    if inside[: len(within)] != within:
        raise Unreadable(f"{place} looks into the rows of {within[-1]} from outside.")
    if condition.operator == "exists":
        if not isinstance(condition.value, bool):
            raise Unreadable(f"{place} asks whether it exists: its value is true or false.")
        return
    allowed = ORDERED if condition.operator in (">", "<", ">=", "<=") else COMPARED
    if condition.operator not in OPERATORS or asked.type not in allowed:
        raise Unreadable(f"{place}: the operator {condition.operator} does not fit the type {asked.type}.")
    if not _value_fits(asked, condition):
        raise Unreadable(f"{place}: the value {condition.value!r} does not fit the type {asked.type}.")
    if asked.type in CHOICES and not asked.option(condition.value):
        raise Unreadable(f"{place}: the code {condition.value!r} is not among its answers.")


def _asked(place: str, item: Item, condition: Condition, seen: _Seen) -> Item:
    """The question that a condition names: an earlier one of the form."""
    if condition.question == item.link_id:
        raise Unreadable(f"{place} is on its own item.")
    if condition.question not in seen.known:
        raise Unreadable(f"{place} names a question that is not in this form.")
    asked = seen.earlier.get(condition.question)
    if asked is None:
        raise Unreadable(f"{place} names a question that comes later.")
    if not asked.is_question:
        raise Unreadable(f"{place} names a {asked.type}, not a question.")
    return asked


def _value_fits(asked: Item, condition: Condition) -> bool:
    value = condition.value
    if asked.type == "boolean":
        return isinstance(value, bool)
    if asked.type in NUMBERS:
        return not isinstance(value, bool) and isinstance(value, int if asked.type == "integer" else (int, float))
    if asked.type == "date":
        return isinstance(value, str) and _is_day(value)
    if asked.type == "time":
        return isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value) is not None
    return isinstance(value, str)
