"""The answers to a form as the names that rules use. Pure: no table."""

from collections.abc import Mapping
from typing import Any

from relais.questionnaires.expressions import Kind, Name
from relais.questionnaires.form import Form, Item


def names_of(*forms: Form) -> dict[str, Name]:
    """The questions of these forms that a rule can judge: numbers, yes or no, choices; by linkId.

    A choice whose codes are all whole numbers is a number (a scale). Forms that share a linkId (the bands of a child)
    share its name, with the codes of all.
    """
    found: dict[str, Name] = {}
    for form in forms:
        for item in form.walk():
            kind = _kind(item)
            if kind is None or item.read_only:
                continue
            before = found[item.link_id].codes if item.link_id in found else ()
            codes = () if kind is Kind.NUMBER else tuple(option.code for option in item.options)
            found[item.link_id] = Name(kind, tuple(dict.fromkeys((*before, *codes))), item.text)
    return found


def values(names: Mapping[str, Name], answers: Mapping[str, list[Any]]) -> dict[str, object]:
    """An answer set (linkId → list of values) as one value a name; what is absent, or free text, is absent."""
    found: dict[str, object] = {}
    for name, one in names.items():
        given = [each for each in answers.get(name, []) if not isinstance(each, dict)]
        if not given:
            continue
        if one.kind is Kind.CODES:
            found[name] = [str(each) for each in given]
        elif one.kind is Kind.NUMBER:
            found[name] = float(given[0])
        else:
            found[name] = given[0]
    return found


def _kind(item: Item) -> Kind | None:
    if item.type == "boolean":
        return Kind.FLAG
    if item.type in ("integer", "decimal"):
        return Kind.NUMBER
    if item.type not in ("choice", "open-choice"):
        return None
    if item.repeats:
        return Kind.CODES
    scale = item.options and all(option.code.isdigit() for option in item.options)
    return Kind.NUMBER if scale else Kind.CODE
