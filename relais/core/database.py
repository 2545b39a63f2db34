"""The database of this process, made available: the embedded server started, or the external one asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection, connections

from relais.core import embedded

OLDEST = 15
CONNECT_SECONDS = 5


class Unreachable(Exception):
    """The database cannot be used: the sentence says why and what to do."""


@contextmanager
def available() -> Iterator[embedded.Server | None]:
    """Inside the `with` the database answers; yields the embedded server, None for an external database.

    Raises Unreachable. For commands that may run while the site is down: it shares the server that runs already.
    """
    if not settings.EMBEDDED:
        _ask()
        yield None
        return
    try:
        server = embedded.start(settings.HOME)
    except embedded.Unavailable as error:
        raise Unreachable(str(error)) from None
    settings.DATABASES["default"].update(embedded.connection(settings.HOME))
    connection.settings_dict.update(embedded.connection(settings.HOME))
    try:
        yield server
    finally:
        connections.close_all()
        server.stop()


def _ask() -> None:
    parameters = connection.get_connection_params() | {"connect_timeout": CONNECT_SECONDS}
    parameters = {name: value for name, value in parameters.items() if name not in ("context", "cursor_factory")}
    try:
        with psycopg.connect(**parameters) as asked:
            version = asked.info.server_version // 10000
    except psycopg.Error as error:
        reason = str(error).strip().split("\n")[0]
        raise Unreachable(
            f"The database of DATABASE_URL does not answer ({reason}): check it, then start again."
        ) from None
    if version < OLDEST:
        raise Unreachable(f"The database of DATABASE_URL is PostgreSQL {version}: Relais needs {OLDEST} or newer.")
