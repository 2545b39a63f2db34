"""pytest plugin: the database of the tests.

On the embedded PostgreSQL, a server of its own under `test/` of the home, without fsync, started by the first
test that needs it and shared by all runs of this checkout; each run takes a database that no other run uses:
the one named by RELAIS_TEST_DB, or the first free of test_relais, test_relais_2, … DATABASE_URL names another server.
There what `migrate` makes is kept as a template, for as long as the files that it reads stay the same.
"""

import fcntl
import hashlib
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from relais.core import embedded, health
from relais.core.testing import wiping

DEFAULT = "test_relais"


def _claim(stack: ExitStack) -> str:
    """A database name held for this run until `stack` closes."""
    wanted = os.environ.get("RELAIS_TEST_DB", "")
    names = [wanted] if wanted else [DEFAULT, *(f"{DEFAULT}_{number}" for number in range(2, 10))]
    for name in names:
        held = embedded.lock(settings.HOME, f"{name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        if held:
            stack.enter_context(held)
            return name
    pytest.exit(f"Another run here uses the database {names[-1]}: wait for it, or set RELAIS_TEST_DB.", 1)


def template() -> str:
    """Name of the database that holds what `migrate` makes of this checkout."""
    relais = settings.BASE_DIR / "relais"
    read = [settings.BASE_DIR / "requirements.lock", *relais.glob("*/migrations/*.py")]
    read += [path for folder in ("questionnaires", "rules") for path in relais.glob(f"*/{folder}/*") if path.is_file()]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(read)))
    return f"template_{digest.hexdigest()[:16]}"


def _databases(pattern: str) -> list[str]:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern])
        return [name for (name,) in cursor.fetchall()]


def _keep_template(name: str) -> None:
    """Keep the database just migrated as the template, instead of those of other files."""
    made = sql.Identifier(connection.settings_dict["NAME"])
    connection.close()
    with connection._nodb_cursor() as cursor:
        for old in _databases(r"template\_%"):
            cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), made))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> Iterator[IO[str] | None]:
    """Called by pytest-django before it creates the database. Gives the lock of whoever has to make the template."""
    default, making = settings.DATABASES["default"], None
    with ExitStack() as stack:
        default.setdefault("TEST", {})["NAME"] = _claim(stack)
        if settings.EMBEDDED:
            try:
                server = embedded.start(settings.HOME, durable=False)
            except embedded.Unavailable as error:
                pytest.exit(str(error), 1)
            stack.callback(server.stop)
            default.update(embedded.connection(settings.HOME))
            making = embedded.lock(settings.HOME, "template.lock", fcntl.LOCK_EX)
            with django_db_blocker.unblock():
                if making and template() in _databases(template()):
                    default["TEST"]["TEMPLATE"] = template()
                    making.close()
        yield making


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_modify_db_settings: IO[str] | None, django_db_setup: None, django_db_blocker: Any
) -> Iterator[None]:
    """Keeps what was migrated for the next runs, and wipes what tests commit (wiping.py)."""
    making = django_db_modify_db_settings
    with django_db_blocker.unblock():
        if making and not making.closed:
            with making:
                _keep_template(template())
        wiping.start()
    yield
    wiping.stop()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        # A thread that a test left behind may still be closing its line, and the database could not be dropped.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.fixture(scope="module")
def kept_for_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What fixtures of a module write after asking for this stays for each of its tests, and is gone after the last.

    Each test still rolls back to it. The module is of one group (xdist_group), and none of its tests commits.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _scheduler_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside the tests: pages neither warn of it nor spend a query on asking."""
    monkeypatch.setattr(health, "_kept", (math.inf, False))
