"""Forms as lines, and the browser's modules in Node, for the tests of the modules that own them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from relais.questionnaires.form import Condition, Form, Item, read
from relais.questionnaires.logic import enabled


def source(owner: str, name: str) -> dict[str, Any]:
    """The FHIR JSON of a form, as it lies beside its owner."""
    path = Path(__file__).parent.parent / owner / "questionnaires" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def form(owner: str, name: str) -> Form:
    return read(source(owner, name))


def raw_items(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Every item of a source, help texts too, in reading order."""
    return [each for item in resource.get("item", []) for each in (item, *raw_items(item))]


def lines(form: Form) -> list[str]:
    """One line a question or repeating group, *linkId | type | answers or unit | range | R * ! h | condition*.

    R required, * repeats, ! must be true, h hidden and read-only; a code with ! excludes the others.
    """
    return [_line(item) for item in form.walk() if item.is_question or item.is_rows]


def table(text: str) -> list[str]:
    """The lines of a table written in a test, spaces evened out."""
    rows = [line.split("|") for line in text.strip().splitlines()]
    return [" | ".join(" ".join(cell.split()) for cell in [*row, *[""] * (6 - len(row))]).rstrip(" |") for row in rows]


def asks(form: Form, link_id: str, **answers: Any) -> bool:
    """Whether the form asks that question, given answers as `ad__temp=38.5`, a list where there are several."""
    given = {name.replace("__", "."): value if isinstance(value, list) else [value] for name, value in answers.items()}
    return link_id in enabled(form, given)


def _line(item: Item) -> str:
    codes = " ".join(option.code + "!" * option.exclusive for option in item.options)
    marks = "R" * item.required + "*" * item.repeats + "!" * item.must_be_true + "h" * (item.hidden and item.read_only)
    cells = [item.link_id, item.type, codes or (item.unit.code if item.unit else ""), _range(item), marks, _when(item)]
    return " | ".join(cells).rstrip(" |")


def _range(item: Item) -> str:
    found = []
    if (item.minimum, item.maximum) != (None, None):
        found.append(f"{item.minimum:g}..{item.maximum:g}")
    if (item.days_min, item.days_max) != (None, None):
        found.append("days " + "..".join("" if each is None else str(each) for each in (item.days_min, item.days_max)))
    if item.type == "decimal" and item.decimals == 1:
        found.append("0.1")
    if item.type in ("string", "text") and item.max_length not in (300, 5000):  # what the engine takes for unsaid
        found.append(f"<={item.max_length}")
    if item.mime_types:
        found.append(" ".join(kind.removeprefix("image/") for kind in item.mime_types) + f" {item.max_size}")
    return " ".join(found)


def _when(item: Item) -> str:
    """Answers of one question that enable are said together, `a = x,y`: one of them is enough."""
    parts = [
        f"{question} {operator} " + ",".join(_value(each) for each in same)
        for (question, operator), same in groupby(item.conditions, key=lambda each: (each.question, each.operator))
    ]
    return (" or " if item.any_of else " and ").join(parts)


def _value(condition: Condition) -> str:
    return str(condition.value).lower() if isinstance(condition.value, bool) else str(condition.value)


@contextmanager
def in_node(script: Path) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """The browser's modules in one Node process: `script` answers each line of JSON by one."""
    command = ["node", str(script)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        into: Any = process.stdin
        out: Any = process.stdout

        def ask(message: dict[str, Any]) -> Any:
            into.write(json.dumps(message) + "\n")
            into.flush()
            return json.loads(out.readline())

        yield ask
        into.close()
