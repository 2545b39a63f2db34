"""Live pings: a topic and nothing else goes through the database; pages refetch through their usual door."""

import json

from django.core.signing import BadSignature, Signer
from django.db import connection

CHANNEL = "relais_live"
SALT = "relais.live"


def ping(topic: str, *, urgent: bool = False) -> None:
    """Tell every page that watches `topic` (for example ``dossier:<uuid>``) to refetch, when this transaction commits.

    `urgent` pings are not coalesced. Topics carry ids, never data (architecture, Live).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps({"topic": topic, "urgent": urgent})])


def sign(topic: str) -> str:
    """``topic:signature``, as a page may carry it: only what the server signed can be watched."""
    return Signer(salt=SALT).sign(topic)


def unsign(token: str) -> str | None:
    """The topic of a signed token, or None when the signature is wrong."""
    try:
        return Signer(salt=SALT).unsign(token)
    except BadSignature:
        return None
