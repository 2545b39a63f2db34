"""How a test that commits is wiped: row by row.

Django empties every table and fills again those that migrate fills, which takes longer than most tests. It still does so
where a test made many rows or changed what migrate filled.
"""

from typing import Any

import pgtrigger
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase
from psycopg import sql

MANY = 1000  # rows of a table from which TRUNCATE is quicker than DELETE
_OTHERS = """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend' AND xact_start IS NOT NULL)"""
Case: Any = TransactionTestCase  # its `_fixture_teardown` is declared nowhere
_empty_all = Case._fixture_teardown


def start() -> None:
    """From now on; the database is as migrate left it."""
    filled = _rows_of_migrate()

    def wipe(case: Any) -> None:
        if not _wiped(filled):
            _empty_all(case)

    Case._fixture_teardown = wipe


def stop() -> None:
    """As Django does it."""
    Case._fixture_teardown = _empty_all


def _rows_of_migrate() -> dict[str, str]:
    """The tables that migrate fills, and a digest of their rows."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    filled = [name for name, _many in _with_rows(tables)]
    return dict(zip(filled, _digests(filled), strict=True))


def _with_rows(tables: list[str]) -> list[tuple[str, bool]]:
    """The tables that have rows, and whether they have many."""
    if not tables:
        return []  # of the tests chosen none asked for a database
    one = sql.SQL("SELECT {}, EXISTS (SELECT FROM {table} OFFSET {many}) WHERE EXISTS (SELECT FROM {table})")
    parts = [one.format(name, table=sql.Identifier(name), many=MANY) for name in tables]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return cursor.fetchall()


def _digests(tables: list[str]) -> list[str]:
    if not tables:
        return []
    one = sql.SQL("(SELECT md5(string_agg(md5(row::text), '' ORDER BY md5(row::text))) FROM {} row)")
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT ") + sql.SQL(", ").join(one.format(sql.Identifier(name)) for name in tables))
        return list(cursor.fetchone())


def _wiped(filled: dict[str, str]) -> bool:
    """Whether the rows of a test could be deleted one by one, with what migrate filled untouched.

    Not while somebody else's transaction is open: emptying tables waits for it, deleting what one sees does not.
    """
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_OTHERS)
            if cursor.fetchone() == (True,):
                return False
        found = [(name, many) for name, many in _with_rows(tables) if name not in filled]
        if any(many for _name, many in found) or _digests(list(filled)) != list(filled.values()):
            return False
        with transaction.atomic(), connection.cursor() as cursor:
            # What `pgtrigger.ignore()` does: it puts two commands into one statement, which binding by the server refuses.
            ignored = ",".join(f"{model._meta.db_table}:{one.get_pgid(model)}" for model, one in pgtrigger.registered())
            cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{ignored}}}"])
            for name, _many in found:
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    except DatabaseError:
        return False
    return True
