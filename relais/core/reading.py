"""What an address or a form says, read without a form: None for what cannot be read, whoever typed it."""

import datetime
import re
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from relais.core.errors import Refused

FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)  # an agenda has no other days
MOST_BYTES = 1_000_000  # of a table that somebody sends
# What French letters of a Macintosh or of DOS look like when they are read as Windows' own: nobody is called AndrŽ.
OTHER_ALPHABET = re.compile("[a-zà-ÿ][ŽŠ]|[ƒˆ‡‰]")
NOT_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")


def read_id(text: str) -> UUID | None:
    """An id."""
    try:
        return UUID(text)
    except ValueError:
        return None


def read_number(text: str, *, most: int = 10**9) -> int | None:
    """A count from 0 to `most`, in plain figures."""
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if number <= most else None


def read_day(text: str) -> datetime.date | None:
    """A day as 2026-11-21, between the years 1900 and 2200."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and FIRST <= day < LAST else None


def read_moment(text: str) -> datetime.datetime | None:
    """A moment with its zone, as 2026-11-21T10:42:00+01:00."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def read_text(data: bytes, *, wanted: str) -> str:
    """The text of a table that was sent, in UTF-8 or Windows' alphabet. `wanted`: the sentence for another kind of file.

    Raises Refused beside `file` for what is empty, too large, of another kind or in an alphabet that cannot be told.
    """
    if not data.strip():
        raise Refused(_("Ce fichier est vide : choisissez-en un autre."), field="file")
    if len(data) > MOST_BYTES:
        raise Refused(_("Ce fichier dépasse 1 Mo : envoyez-le en plusieurs fichiers."), field="file")
    if data.startswith(NOT_TEXT):
        raise Refused(wanted, field="file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        if OTHER_ALPHABET.search(text):
            text = "\0"
    if "\0" in text or "\ufffd" in text:
        raise Refused(
            _("Ce fichier contient des caractères illisibles. Enregistrez-le de nouveau en « CSV UTF-8 »."),
            field="file",
        )
    return text
