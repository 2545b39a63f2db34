"""What an address or a form says, read without a form: None for what cannot be read, whoever typed it."""

import datetime
from uuid import UUID

from django.utils.dateparse import parse_date

FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)  # an agenda has no other days


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
