"""Live pings: a topic and nothing else goes through the database; pages refetch through their usual door."""

import json
import time
from collections.abc import Mapping
from contextvars import ContextVar

from django.core.signing import BadSignature, Signer
from django.db import connection

CHANNEL = "relais_live"
SALT = "relais.live"
DAY = 24 * 3600  # seconds


def ping(*topics: str, urgent: bool = False) -> None:
    """Tell every page that watches one of `topics` (such as ``dossier:<uuid>``) to refetch, when this transaction commits.

    `urgent` pings are not coalesced. Topics carry ids, never data (architecture, Live). One statement for all; inside an
    action (`core.transactions.whole`) one for all that it tells, at its end.
    """
    waiting = gathered.get()
    told = {} if waiting is None else waiting
    for topic in topics:
        told[topic] = urgent or told.get(topic, False)
    if waiting is None:
        send(told)


gathered: ContextVar[dict[str, bool] | None] = ContextVar("what the action of now tells at its end", default=None)


def send(topics: Mapping[str, bool]) -> None:
    """Tell of these topics, urgent or not, now."""
    if not topics:
        return
    said = [json.dumps({"topic": topic, "urgent": urgent}) for topic, urgent in topics.items()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, said) FROM unnest(%s::text[]) said", [CHANNEL, said])


class Expired(Exception):
    """The token is the server's own, of a page that was drawn too long ago."""


def _day() -> int:
    return int(time.time() // DAY)


def sign(topic: str) -> str:
    """``topic:day:signature``, as a page may carry it: only what the server signed can be watched, for a day or two.

    All pages of a day carry the same token, so that a fragment drawn again opens no new stream.
    """
    return Signer(salt=SALT).sign(f"{topic}:{_day()}")


def unsign(token: str) -> str | None:
    """The topic of a signed token, or None when the signature is wrong. Raises Expired for one of before yesterday."""
    try:
        topic, _, day = Signer(salt=SALT).unsign(token).rpartition(":")
    except BadSignature:
        return None
    if not topic or not day.isdecimal() or int(day) < _day() - 1:
        raise Expired
    return topic
