"""Reading PDFs back in tests."""

import io
import re

from pypdf import PdfReader


def text_of(document: bytes) -> str:
    """The text of every page."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)


def letters_of(text: str) -> str:
    """Without spaces, which a PDF does not keep."""
    return re.sub(r"\s+", "", text)
