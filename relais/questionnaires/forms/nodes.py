"""What templates draw: one node an item, with its label in the right voice, its values and its error."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from relais.questionnaires.form import Item
from relais.questionnaires.form.parse import MOST_DECIMALS
from relais.questionnaires.forms.posted import PREFIX
from relais.questionnaires.logic import Answers
from relais.questionnaires.queries import words

BREATHS = "9279-1"  # LOINC of the respiratory rate: counted during one minute
MINUTES = len("08:30")  # of a time: seconds would only be in the way


@dataclass(frozen=True)
class Choice:
    """One answer to choose."""

    value: str
    label: str
    chosen: bool
    id: str
    exclusive: bool = False


@dataclass(frozen=True)
class Node:
    """A question, a group, a text or a repeating group. `text` is what stands in a plain input."""

    kind: str
    item: Item
    key: str
    label: str
    hint: str
    error: str
    asked: bool
    id: str
    name: str
    text: str = ""
    other: str = ""
    choices: tuple[Choice, ...] = ()
    kept: tuple[str, ...] = ()  # ids of files, ids of references
    ahead: tuple[dict[str, Any], ...] = ()  # files of a page that comes back, see files.spool.kept
    nodes: tuple["Node", ...] = ()
    rows: tuple[tuple["Node", ...], ...] = ()
    blank: tuple["Node", ...] = ()  # the row that scripts copy
    low: str = ""
    high: str = ""
    depth: int = 2

    @property
    def described_by(self) -> str:
        """Ids of hint and error, for aria-describedby."""
        return " ".join([*([f"{self.id}-hint"] if self.hint else []), *([f"{self.id}-error"] if self.error else [])])

    @property
    def focus_id(self) -> str:
        """The input that a link of the summary reaches."""
        if self.rows:
            return self.rows[0][0].focus_id
        if self.nodes:
            return self.nodes[0].focus_id
        return self.choices[0].id if self.choices else self.id

    @property
    def timer(self) -> bool:
        """A rate counted by oneself: the page offers a minute."""
        return self.item.loinc == BREATHS

    @property
    def is_short(self) -> bool:
        """A few figures: professionals see such inputs side by side."""
        return self.item.type in ("integer", "decimal", "date", "time")

    @property
    def accept(self) -> str:
        """The types that a file input offers."""
        return ",".join(self.item.mime_types)

    @property
    def keypad(self) -> str:
        if self.item.type == "integer" and not (isinstance(self.item.minimum, int) and self.item.minimum < 0):
            return "numeric"
        return "decimal"


@dataclass(frozen=True)
class Drawing:
    """What all nodes of a page share. `scope` names the page's ids; `ahead` are files by key."""

    voice: str
    asked: frozenset[str]
    errors: dict[str, str]
    today: datetime.date
    ahead: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    extra_rows: dict[str, int] = field(default_factory=dict)

    def draw(self, items: Iterable[Item], answers: Answers, prefix: str = "", depth: int = 2) -> tuple[Node, ...]:
        """The nodes of these items, hidden ones left out; headings begin at `depth`."""
        return tuple(self._node(item, answers, prefix, depth) for item in items if not item.hidden)

    def _node(self, item: Item, answers: Answers, prefix: str, depth: int) -> Node:
        key = prefix + item.link_id
        values = answers.get(item.link_id, [])
        kind = "rows" if item.is_rows else item.type if not item.is_question else "question"
        node_id = f"{PREFIX}{key.replace('/', '-')}"
        own: dict[str, Any] = {}
        if item.is_rows:
            own = self._rows(item, key, values, depth)
        elif item.type == "group":
            own = {"nodes": self.draw(item.items, answers, prefix, min(depth + 1, 6))}
        elif item.is_question:
            own = self._question(item, key, node_id, values)
        return Node(
            kind=kind,
            item=item,
            key=key,
            label=item.sentence(self.voice),
            hint=item.hint(self.voice),
            error=self.errors.get(key, ""),
            asked=key in self.asked,
            id=node_id,
            name=PREFIX + key,
            depth=depth,
            **own,
        )

    def _rows(self, item: Item, key: str, values: list[Any], depth: int) -> dict[str, Any]:
        """The rows that were filled, an empty one to go on, and one that scripts copy (`__n__`)."""
        filled = values if isinstance(values, list) else []
        count = max(len(filled) + self.extra_rows.get(key, 0), 1)
        rows = [
            self.draw(item.items, filled[number] if number < len(filled) else {}, f"{key}/{number}/", depth + 1)
            for number in range(count)
        ]
        return {"rows": tuple(rows), "blank": self.draw(item.items, {}, f"{key}/__n__/", depth + 1)}

    def _question(self, item: Item, key: str, node_id: str, values: list[Any]) -> dict[str, Any]:
        if item.read_only:
            return {"text": ", ".join(words(item, value, self.voice) for value in values)}
        if item.type in ("choice", "open-choice"):
            return self._choices(item, node_id, values)
        if item.type == "boolean":
            return {"choices": _yes_or_no(item, node_id, values)}
        if item.type in ("attachment", "reference"):
            return {"kept": tuple(map(str, values)), "ahead": tuple(self.ahead.get(key, ()))}
        if item.type == "date":
            low, high = self._days(item)
            return {"text": str(values[0]) if values else "", "low": low, "high": high}
        if item.type == "time":
            return {"text": str(values[0])[:MINUTES] if values else ""}
        if item.type in ("integer", "decimal"):
            return {"text": _figure(values[0]) if values else ""}
        return {"text": "\n".join(map(str, values))}

    def _choices(self, item: Item, node_id: str, values: list[Any]) -> dict[str, Any]:
        chosen = [value for value in values if isinstance(value, str)]
        made = tuple(
            Choice(option.code, option.sentence(self.voice), option.code in chosen, f"{node_id}-{n}", option.exclusive)
            for n, option in enumerate(item.options)
        )
        other = next((str(value.get("text", "")) for value in values if isinstance(value, dict)), "")
        return {"choices": made, "other": other}

    def _days(self, item: Item) -> tuple[str, str]:
        lows = [str(item.minimum)] if item.minimum is not None else []
        highs = [str(item.maximum)] if item.maximum is not None else []
        if item.days_min is not None:
            lows.append((self.today + datetime.timedelta(days=item.days_min)).isoformat())
        if item.days_max is not None:
            highs.append((self.today + datetime.timedelta(days=item.days_max)).isoformat())
        return max(lows, default=""), min(highs, default="")


def _yes_or_no(item: Item, node_id: str, values: list[Any]) -> tuple[Choice, ...]:
    said = {True: "true", False: "false"}.get(values[0], values[0]) if values else None
    pairs = [("true", words(item, value=True)), ("false", words(item, value=False))]
    return tuple(Choice(value, label, value == said, f"{node_id}-{n}") for n, (value, label) in enumerate(pairs))


def _figure(value: Any) -> str:
    """A kept number as French writes it, a typed one as it was typed."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.{MOST_DECIMALS}f}".rstrip("0").rstrip(".").replace(".", ",")
