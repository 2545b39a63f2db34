"""pytest plugin: the database of the tests.

On the embedded PostgreSQL, a server of its own under `test/` of the home, without fsync, started by the first
test that needs it and shared by all runs of this checkout; each run takes a database that no other run uses:
the one named by RELAIS_TEST_DB, or the first free of test_relais, test_relais_2, … DATABASE_URL names another server.
"""

import fcntl
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

from relais.core import embedded, health

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


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Called by pytest-django before it creates the database."""
    default = settings.DATABASES["default"]
    with ExitStack() as stack:
        default.setdefault("TEST", {})["NAME"] = _claim(stack)
        if settings.EMBEDDED:
            try:
                server = embedded.start(settings.HOME, durable=False)
            except embedded.Unavailable as error:
                pytest.exit(str(error), 1)
            stack.callback(server.stop)
            default.update(embedded.connection(settings.HOME))
        yield


@pytest.fixture(autouse=True)
def _scheduler_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside the tests: pages neither warn of it nor spend a query on asking."""
    monkeypatch.setattr(health, "_kept", (math.inf, False))
