"""Documents as PDF, by typst: data goes in as JSON, never as markup, so a text is printed as it was typed."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import gettext as _

from relais.core.errors import Refused

# Archived for twenty years (PDF/A-2a) and read aloud by a screen reader (PDF/UA-1): both want tags and a title.
STANDARDS = ["a-2a", "ua-1"]
PAGE = Path(__file__).parent / "typst" / "page.typ"
# Invisible in a text, refused in the standards or able to turn its order around: controls, direction marks, surrogates.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff]"
)


# As typst names a character that no font of ours has, or that PDF/A forbids; Rust writes some as \u{200d}.
UNKNOWN = re.compile(r'(?:text|codepoint) `"(.+?)"`')
ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
SQUARE = "□"


class Broken(Exception):
    """A template that typst warns about or does not compile: a bug of ours."""


class Unprintable(Refused):
    """What no font of ours has: `characters`, of which the sentence names the first."""

    def __init__(self, characters: list[str]) -> None:
        super().__init__(
            _("Le caractère « %(character)s » ne peut pas être imprimé : remplacez-le, puis recommencez.")
            % {"character": characters[0]}
        )
        self.characters = characters


def render(
    template: Path, data: dict[str, Any], *, title: str, at: datetime, own: Sequence[str] | None = None
) -> bytes:
    """The PDF of `template` (a .typ file, beside which `page.typ` is ours) for `data` (what JSON can hold).

    The template reads it with `json("data.json")`; `title` is there too, and in the PDF's metadata with `at`. The
    same arguments give the same bytes. Refused names a character that no font of ours has (an emoji, a Chinese
    name): printing something else in its place would be worse. But nobody can change what others wrote: where `own`
    gives the texts of whoever prints, SQUARE stands for such a character in all others, and each page says so.
    Broken for an unknown font or any other warning.
    """
    values = {**_clean(data), "title": _clean(title), "squares": False}
    try:
        return _compiled(template, values, at)
    except Unprintable as found:
        mine = [one for one in found.characters if own is None or any(one in text for text in own)]
        if mine:
            raise Unprintable(mine) from None
        squares = re.compile("|".join(re.escape(one) for one in sorted(found.characters, key=len, reverse=True)))
        return _compiled(template, {**_mapped(values, lambda text: squares.sub(SQUARE, text)), "squares": True}, at)


def _compiled(template: Path, values: dict[str, Any], at: datetime) -> bytes:
    files = {
        "main.typ": template.read_bytes(),
        "page.typ": PAGE.read_bytes(),
        "data.json": json.dumps(values, ensure_ascii=False).encode(),
    }
    try:
        document, warnings = typst.compile_with_warnings(  # type: ignore[call-overload]  # its stubs forget dict
            files, format="pdf", font_paths=_fonts(), pdf_standards=STANDARDS, timestamp=int(at.timestamp())
        )
    except typst.TypstError as error:
        if unknown := UNKNOWN.findall(error.diagnostic):
            raise Unprintable([ESCAPED.sub(lambda one: chr(int(one[1], 16)), text) for text in unknown]) from None
        raise Broken(f"{template.name}: {_first_line(error.message)}") from None
    if warnings:
        raise Broken(f"{template.name}: {warnings[0].message}")
    if not isinstance(document, bytes):
        raise Broken(f"{template.name}: no document")
    return document


def _first_line(message: str) -> str:
    """Without what follows, which quotes the data."""
    return message.split("\n")[0][:200]


def _clean(value: Any) -> Any:
    return _mapped(value, lambda text: INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Each text in `value`, changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(each, change) for each in value]
    return value


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Inter, and what typst brings for letters that Inter has not (Arabic, boxes to tick); none of this machine's."""
    return typst.Fonts(include_system_fonts=False, font_paths=[settings.NPM / "@expo-google-fonts" / "inter"])
