"""An action is one transaction with the actions that it calls, and tells of all at its end, once."""

import json
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from relais.core.live import CHANNEL, ping
from relais.core.transactions import whole

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> Iterator[Callable[[], list[str]]]:
    """The topics that another connection has been told of since the last call."""
    with psycopg.connect(_address(), autocommit=True) as other:
        other.execute(f"LISTEN {CHANNEL}")
        yield lambda: [json.loads(one.payload)["topic"] for one in other.notifies(timeout=0.3)]


def _address() -> str:
    known = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=known["HOST"], port=known["PORT"], user=known["USER"], password=known["PASSWORD"], dbname=known["NAME"]
    )


@whole
def inner(*, fails: bool = False) -> None:
    ping("inner", "both")
    if fails:
        raise ValueError("stop")


@whole
def outer(*, fails: bool = False, later: Callable[[], None] | None = None) -> None:
    ping("both")
    if later:
        transaction.on_commit(later)
    inner(fails=fails)


def test_actions_within_an_action_make_no_savepoint_and_all_pings_are_one_statement(
    heard: Callable[[], list[str]],
) -> None:
    with CaptureQueriesContext(connection) as caught:
        outer()
    said = [one["sql"] for one in caught]
    assert not any("SAVEPOINT" in sql for sql in said)
    assert sum("pg_notify" in sql for sql in said) == 1
    assert sorted(heard()) == ["both", "inner"]


def test_what_fails_inside_ends_the_whole_and_tells_nobody(heard: Callable[[], list[str]]) -> None:
    with pytest.raises(ValueError, match="stop"):
        outer(fails=True)
    assert heard() == []
    ping("afterwards")
    assert heard() == ["afterwards"]


def test_what_runs_at_the_commit_tells_by_itself(heard: Callable[[], list[str]]) -> None:
    outer(later=lambda: ping("later"))
    assert sorted(heard()) == ["both", "inner", "later"]
    outer(later=inner)
    assert sorted(heard()) == ["both", "both", "inner", "inner"]
