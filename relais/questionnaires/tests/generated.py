"""Generated questionnaires (FHIR JSON, all readable) and answers to them, good and bad.

Hypothesis draws the first choice most often: it is the one with most in it (required, answered, conditional).
"""

from typing import Any

from hypothesis import strategies as st

from relais.questionnaires.form.parse import EXCLUSIVE, HL7

SYSTEM = "urn:relais:CodeSystem:generated"
OFTEN = st.sampled_from([True, False])
TYPES = ("boolean", "integer", "decimal", "date", "time", "string", "text", "choice", "open-choice", "attachment")
TYPES += ("reference",)
IN_ROWS = tuple(kind for kind in TYPES if kind != "attachment")
CODES = ["non", "oui", "toux", "3"]
DAYS = ["2020-02-29", "2026-10-25", "2026-11-20", "2026-11-21", "2027-01-01"]
ORDER = (">", "<", ">=", "<=")
# What people, other programs and enemies put into a field.
TYPED: list[Any] = [
    *(None, "", "  ", True, False, 0, 1, -1, 3, 38, 38.5, 385, 0.1, 0.00005, 1e-9, 1e9, 1e22, -0.0, 5e8),
    *("38,5", "38.5", " 38,50 ", "38,00", "385", "-3", "1e3", "0,00001", "3 8", "\u0663", "38,", "1234567890", "-0"),
    *("true", "oui", "non", "false", "toux", "3", "inconnu", {"text": "autre chose"}, {"text": " "}, {"text": 3}, {}),
    *DAYS,
    *(
        "21/11/2026",
        "1/2/2026",
        "31/02/2026",
        "2026-02-30",
        "1899-12-31",
        "1900-01-01",
        "2199-12-31",
        "2200-01-01",
        "0000-01-01",
        "21/11/26",
    ),
    *("14:30", "9h05", "24:00", "7:60", "07:15:30", "14:30\n"),
    *("un texte", "a", "é" * 12, "😀" * 6, "ligne\r\nautre", "\x00\x01", "\u00a0x\u202f", "\u2028y", "\ufeff"),
    *("3f2b8c1e-0d4a-4a5b-9c3d-1234567890ab", "3F2B8C1E-0D4A-4A5B-9C3D-1234567890AB", "dr-martin", "a b", ["x"]),
]
typed = st.sampled_from(TYPED) | st.text(max_size=6) | st.integers(-50, 400) | st.floats(-50, 400, allow_nan=False)


def _extension(url: str, **value: Any) -> dict[str, Any]:
    return {"url": url, **value}


@st.composite
def questions(draw: Any, link_id: str, types: tuple[str, ...] = TYPES) -> dict[str, Any]:
    """One question of any of these types with what goes with it."""
    kind = draw(st.sampled_from(types))
    raw: dict[str, Any] = {"linkId": link_id, "text": f"Question {link_id} ?", "type": kind, "extension": []}
    if draw(OFTEN):
        raw["required"] = True
    if kind in ("choice", "open-choice", "string", "attachment", "reference") and draw(st.booleans()):
        raw["repeats"] = True
    if kind in ("choice", "open-choice"):
        raw["answerOption"] = [
            {"valueCoding": {"system": SYSTEM, "code": code, "display": code.capitalize()}} for code in CODES
        ]
        if raw.get("repeats") and draw(st.booleans()):
            raw["answerOption"][0]["extension"] = [_extension(EXCLUSIVE, valueBoolean=True)]
    raw["extension"] += draw(_limits(kind))
    if kind in ("string", "text") and draw(st.booleans()):
        raw["maxLength"] = draw(st.sampled_from([1, 5, 10]))
    if kind == "boolean" and raw.get("required") and draw(st.booleans()):
        raw["extension"].append(_extension("urn:relais:must-be-true", valueBoolean=True))
    return raw


@st.composite
def _limits(draw: Any, kind: str) -> list[dict[str, Any]]:
    found = []
    if kind in ("integer", "decimal"):
        low = draw(st.sampled_from([36, None, 0, 38]))
        high = draw(st.sampled_from([38, None, 40, 60]))
        if kind == "decimal" and high is not None and draw(st.booleans()):
            high += 0.5
        names = [("minValue", low), ("maxValue", high)]
        found += [
            _extension(HL7 + name, **{"valueInteger" if isinstance(value, int) else "valueDecimal": value})
            for name, value in names
            if value is not None
        ]
        if draw(st.booleans()):
            unit = {"system": "http://unitsofmeasure.org", "code": "Cel", "display": "°C"}
            found.append(_extension(HL7 + "questionnaire-unit", valueCoding=unit))
    if kind == "decimal" and draw(st.booleans()):
        found.append(_extension(HL7 + "maxDecimalPlaces", valueInteger=draw(st.integers(0, 3))))
    if kind == "date":
        if draw(st.booleans()):
            found.append(_extension("urn:relais:days-min", valueInteger=draw(st.integers(-400, 0))))
        if draw(st.booleans()):
            found.append(_extension("urn:relais:days-max", valueInteger=draw(st.integers(0, 40))))
        if draw(st.booleans()):
            found.append(_extension(HL7 + "minValue", valueDate=draw(st.sampled_from(DAYS))))
    if kind in ("string", "text") and draw(st.booleans()):
        found.append(_extension(HL7 + "minLength", valueInteger=1))
    return found


@st.composite
def conditions(draw: Any, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """enableWhen on some of the earlier questions."""
    made = []
    count = draw(st.sampled_from([1, 0, 2, 3])) if earlier else 0
    for asked in [draw(st.sampled_from(earlier)) for _ in range(count)]:
        kind, question = asked["type"], asked["linkId"]
        values: dict[str, Any] = {
            "boolean": {"answerBoolean": draw(st.booleans())},
            "integer": {"answerInteger": draw(st.sampled_from([38, 36, 60]))},
            "decimal": {"answerDecimal": draw(st.sampled_from([38, 37.5, 38.5]))},
            "date": {"answerDate": draw(st.sampled_from(DAYS))},
            "time": {"answerTime": "14:30:00"},
            "string": {"answerString": "a"},
            "text": {"answerString": "un texte"},
            "choice": {"answerCoding": {"system": SYSTEM, "code": draw(st.sampled_from(CODES))}},
        }
        values["open-choice"] = values["choice"]
        operators = ["exists", *(["=", "!="] if kind in values else [])]
        operators += ORDER if kind in ("integer", "decimal", "date", "time") else ()
        operator = draw(st.sampled_from(operators))
        value = {"answerBoolean": draw(st.booleans())} if operator == "exists" else values[kind]
        made.append({"question": question, "operator": operator, **value})
    if not made:
        return {}
    behaviour = {"enableBehavior": draw(st.sampled_from(["any", "all"]))} if len(made) > 1 else {}
    return {"enableWhen": made, **behaviour}


@st.composite
def questionnaires(draw: Any) -> dict[str, Any]:
    """A questionnaire of up to a dozen items, with groups, repeating groups and conditions on what comes before."""
    count = 0

    def level(depth: int, earlier: list[dict[str, Any]], types: tuple[str, ...] = TYPES) -> list[dict[str, Any]]:
        nonlocal count
        items = []
        for _ in range(draw(st.integers(1, 4))):
            count += 1
            link_id = draw(st.sampled_from(["q", "constructor", "ad.temp"])) + f".{count}"
            when = draw(conditions(earlier))
            if depth < 2 and draw(st.integers(0, 2)) == 1:
                rows = draw(OFTEN)
                raw: dict[str, Any] = {"linkId": link_id, "type": "group", "repeats": rows, **when}
                raw["required"] = rows and draw(OFTEN)
                inside = list(earlier)
                raw["item"] = level(depth + 1, inside, IN_ROWS if rows else types)
                if not rows:
                    earlier += inside[len(earlier) :]
            else:
                raw = draw(questions(link_id, types)) | when
                earlier.append(raw)
            items.append(raw)
        return items

    return {
        "resourceType": "Questionnaire",
        "url": "urn:relais:Questionnaire:engendre",
        "version": "1.0.0",
        "title": "Engendré",
        "status": "active",
        "item": level(0, []),
    }


@st.composite
def answers(draw: Any, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Answers to these items: fitting, unfitting, missing, unknown."""
    found: dict[str, Any] = {}
    for raw in items:
        if raw["type"] == "group" and not raw.get("repeats"):
            found |= draw(answers(raw["item"]))
        elif raw["type"] == "group":
            count = draw(st.sampled_from([2, 0, 1, 3]))
            found[raw["linkId"]] = [draw(answers(raw["item"]) | st.just({}) | typed) for _ in range(count)]
        elif draw(st.integers(0, 5)) < 5:
            fitting = st.tuples(_fitting(raw["type"])).map(list)
            several = st.lists(_fitting(raw["type"]), min_size=2, max_size=3)
            found[raw["linkId"]] = draw(fitting | fitting | fitting | several | st.lists(typed, max_size=3) | typed)
    if draw(st.integers(0, 9)) == 0:
        found["inconnu"] = ["x"]
    return found


def _fitting(kind: str) -> Any:
    return {
        "boolean": st.booleans(),
        "integer": st.sampled_from([38, 36, 37, 40, 60, "38", "61"]),
        "decimal": st.sampled_from(["38,5", 37.5, 38, "39", 40.5]),
        "date": st.sampled_from(DAYS),
        "time": st.just("14:30"),
        "choice": st.sampled_from(CODES),
        "open-choice": st.sampled_from([*CODES, {"text": "autre"}]),
    }.get(kind, st.sampled_from(["a", "un texte"]))
