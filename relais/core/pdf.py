"""Documents as PDF, by typst: data goes in as JSON, never as markup, so a text is printed as it was typed."""

import json
import re
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


class Broken(Exception):
    """A template that typst warns about or does not compile: a bug of ours."""


def render(template: Path, data: dict[str, Any], *, title: str, at: datetime) -> bytes:
    """The PDF of `template` (a .typ file, beside which `page.typ` is ours) for `data` (what JSON can hold).

    The template reads it with `json("data.json")`; `title` is there too, and in the PDF's metadata with `at`. The
    same arguments give the same bytes. Refused names a character that no font of ours has (an emoji, a Chinese
    name): printing something else in its place would be worse. Broken for an unknown font or any other warning.
    """
    values = {**_clean(data), "title": _clean(title)}
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
        if unknown := re.search(r'(?:text|codepoint) `"(.+?)"`', error.message):
            raise Refused(
                _("Le caractère « %(character)s » ne peut pas être imprimé : remplacez-le, puis recommencez.")
                % {"character": unknown.group(1)}
            ) from None
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
    if isinstance(value, str):
        return INVISIBLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Inter, and what typst brings for letters that Inter has not (Arabic, boxes to tick); none of this machine's."""
    return typst.Fonts(include_system_fonts=False, font_paths=[settings.NPM / "@expo-google-fonts" / "inter"])
