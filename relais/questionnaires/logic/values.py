"""One question: what was typed becomes values, and values are judged. Each line here has its twin in values.js."""

import datetime
import re
import uuid
from typing import Any

from relais.questionnaires.form import Item
from relais.questionnaires.logic.sentences import day, figure, say

MOST = 20  # values of one question, and rows of one group
BIGGEST = 10**9
FREE_TEXT = 300  # characters of the free part of an open choice
BLANK = " \t\r\n\u00a0\u202f"
NUMBER = re.compile(r"(-?[0-9]{1,9})(?:[.,]([0-9]{1,9}))?")
ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
FRENCH_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
HOUR = re.compile(r"([0-9]{1,2})[:hH]([0-9]{2})(?::[0-9]{2})?")
REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Nothing of these can be read or kept: control characters, and halves of characters.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Bad(Exception):
    """A value that is none: the sentence."""


def is_blank(raw: Any) -> bool:
    """Nothing was given: None, spaces, or a list or object of such."""
    if raw is None:
        return True
    if isinstance(raw, str):
        return raw.strip(BLANK) == ""
    if isinstance(raw, list):
        return all(is_blank(each) for each in raw)
    if isinstance(raw, dict):
        return all(is_blank(each) for each in raw.values())
    return False


def parse(item: Item, raw: Any) -> tuple[list[Any], str]:
    """The well-formed values of what was given for a question, in the order they are kept in, and what is wrong."""
    given = [each for each in (raw if isinstance(raw, list) else [raw]) if not is_blank(each)]
    values: list[Any] = []
    error = ""
    for each in given:
        try:
            values.append(READERS[item.type](item, each))
        except Bad as bad:
            error = error or str(bad)
    if item.options:
        codes = [value for value in values if isinstance(value, str)]
        values = [option.code for option in item.options if option.code in codes] + [
            value for value in values if not isinstance(value, str)
        ]
    if not error and len(values) > 1 and not item.repeats:
        error = say("single")
    if not error and len(values) > MOST:
        error = say("many", count=str(MOST))
    return values, error


def _boolean(item: Item, raw: Any) -> bool:
    if raw is True or raw in ("true", "oui"):
        return True
    if raw is False or raw in ("false", "non"):
        return False
    raise Bad(say("boolean"))


def _number(item: Item, raw: Any) -> float:
    """38,5 and 38.5 alike; more decimals than the question takes are refused, zeros at the end are none."""
    whole, fraction = _figures(item, raw)
    if fraction and item.type == "integer":
        raise Bad(say("integer"))
    most = item.decimals or 0
    if len(fraction) > most:
        raise Bad(say(f"decimals_{most}" if most < 2 else "decimals", count=str(most)))
    return int(whole) if item.type == "integer" else float(f"{whole}.{fraction or 0}") + 0.0


def _figures(item: Item, raw: Any) -> tuple[str, str]:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise Bad(say(item.type))
    if isinstance(raw, str):
        text = raw.strip(BLANK)
    elif not (abs(raw) < BIGGEST):  # nor what is not a number
        raise Bad(say(item.type))
    else:
        text = repr(raw)
        if "e" in text:  # under 0.0001: more decimals than any question takes
            return "0", "00001"
    found = NUMBER.fullmatch(text)
    if not found:
        raise Bad(say(item.type))
    return found[1], (found[2] or "").rstrip("0")


def _date(item: Item, raw: Any) -> str:
    text = raw.strip(BLANK) if isinstance(raw, str) else ""
    if found := ISO_DAY.fullmatch(text):
        year, month, number = map(int, found.groups())
    elif found := FRENCH_DAY.fullmatch(text):
        number, month, year = map(int, found.groups())
    else:
        raise Bad(say("date"))
    try:
        whole = datetime.date(year, month, number)
    except ValueError:
        raise Bad(say("date")) from None
    if not 1900 <= year < 2200:
        raise Bad(say("date"))
    return whole.isoformat()


def _time(item: Item, raw: Any) -> str:
    found = HOUR.fullmatch(raw.strip(BLANK)) if isinstance(raw, str) else None
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise Bad(say("time"))
    return f"{int(found[1]):02}:{found[2]}"


def _text(item: Item, raw: Any) -> str:
    if not isinstance(raw, str):
        raise Bad(say("text"))
    text = UNPRINTABLE.sub("", raw.replace("\r\n", "\n").replace("\r", "\n"))
    if item.type != "text":
        text = text.replace("\n", " ")
    text = text.strip(BLANK)
    if not text:
        raise Bad(say("text"))
    return text


def _choice(item: Item, raw: Any) -> str:
    if isinstance(raw, str) and item.option(raw):
        return raw
    raise Bad(say("choice"))


def _open_choice(item: Item, raw: Any) -> Any:
    if isinstance(raw, dict) and isinstance(raw.get("text"), str):
        return {"text": _text(item, raw["text"])}
    return _choice(item, raw)


def _attachment(item: Item, raw: Any) -> str:
    if isinstance(raw, uuid.UUID):
        return str(raw)
    if isinstance(raw, str) and UUID_TEXT.fullmatch(raw):
        return raw
    raise Bad(say("attachment"))


def _reference(item: Item, raw: Any) -> str:
    if isinstance(raw, str) and REFERENCE.fullmatch(raw):
        return raw
    raise Bad(say("reference"))


READERS = {
    "boolean": _boolean,
    "integer": _number,
    "decimal": _number,
    "date": _date,
    "time": _time,
    "string": _text,
    "text": _text,
    "choice": _choice,
    "open-choice": _open_choice,
    "attachment": _attachment,
    "reference": _reference,
}


def judge(item: Item, values: list[Any], today: datetime.date, *, draft: bool) -> str:
    """What is wrong with well-formed values, "" when nothing is. A draft may lack what is still to come."""
    if not values:
        return say("must_be_true" if item.must_be_true else "required") if item.required and not draft else ""
    if item.must_be_true and values != [True] and not draft:
        return say("must_be_true")
    exclusive = next((option for option in item.options if option.exclusive and option.code in values), None)
    if exclusive and len(values) > 1:
        return say("exclusive", label=exclusive.label)
    found = (_judge_one(item, value, today, draft=draft) for value in values)
    return next((error for error in found if error), "")


def _judge_one(item: Item, value: Any, today: datetime.date, *, draft: bool) -> str:
    if item.type in ("integer", "decimal"):
        return _judge_number(item, value)
    if item.type == "date":
        return _judge_day(item, value, today)
    if item.type == "open-choice" and isinstance(value, dict) and len(value["text"]) > FREE_TEXT:
        return say("long", count=str(FREE_TEXT))
    if item.type in ("string", "text"):
        if item.max_length is not None and len(value) > item.max_length:
            return say("long", count=str(item.max_length))
        if not draft and item.min_length is not None and len(value) < item.min_length:
            return say("short", count=str(item.min_length))
    return ""


def _judge_number(item: Item, value: float) -> str:
    low, high = item.minimum, item.maximum
    if not (low is not None and value < low) and not (high is not None and value > high):  # type: ignore[operator]
        return ""
    key = "between" if low is not None and high is not None else "at_least" if low is not None else "at_most"
    return say(
        key,
        min="" if low is None else figure(low),  # type: ignore[arg-type]
        max="" if high is None else figure(high),  # type: ignore[arg-type]
        unit=f"\u00a0{item.unit.label}" if item.unit else "",
    )


def _judge_day(item: Item, value: str, today: datetime.date) -> str:
    lows = [str(item.minimum)] if item.minimum is not None else []
    highs = [str(item.maximum)] if item.maximum is not None else []
    if item.days_min is not None:
        lows.append((today + datetime.timedelta(days=item.days_min)).isoformat())
    if item.days_max is not None:
        highs.append((today + datetime.timedelta(days=item.days_max)).isoformat())
    low, high = max(lows, default=""), min(highs, default="")
    if not (low and value < low) and not (high and value > high):
        return ""
    key = "day_between" if low and high else "day_from" if low else "day_until"
    return say(key, min=day(low) if low else "", max=day(high) if high else "")
