"""The HTML alternative of an e-mail: the same text, with its first address as the one button."""

import re
from dataclasses import dataclass

from django.template.loader import render_to_string

from relais.notifications.registry import Rendered

URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)»]")


@dataclass(frozen=True)
class Piece:
    """Words, or an address; `button` marks the first one."""

    text: str
    url: bool = False
    button: bool = False


def html(rendered: Rendered) -> str:
    """The page of the e-mail: every word of the text, in its order."""
    paragraphs: list[list[list[Piece]]] = []
    seen = False
    for block in re.split(r"\n\s*\n", rendered.text.strip()):
        lines = []
        for line in block.split("\n"):
            pieces = _pieces(line)
            for number, piece in enumerate(pieces):
                if piece.url and not seen:
                    pieces[number] = Piece(piece.text, url=True, button=True)
                    seen = True
            lines.append(pieces)
        paragraphs.append(lines)
    words = {"subject": rendered.subject, "paragraphs": paragraphs, "label": rendered.button}
    return render_to_string("notifications/mail.html", words)


def _pieces(line: str) -> list[Piece]:
    found, end = [], 0
    for match in URL.finditer(line):
        if before := line[end : match.start()]:
            found.append(Piece(before))
        found.append(Piece(match.group(), url=True))
        end = match.end()
    if rest := line[end:]:
        found.append(Piece(rest))
    return found
