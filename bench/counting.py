"""How many queries a page makes and how many rows the database reads for them, asked for by a header of the bench."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

ASKED, QUERIES, ROWS = "X-Bench-Count", "X-Bench-Queries", "X-Bench-Rows"
# Rows that come from elsewhere than a table or an index, or that are counted where the table is read.
NOT_READ = {"Bitmap Index Scan", "CTE Scan", "Subquery Scan", "Function Scan", "Values Scan", "WorkTable Scan"}

ACTS = ("pg_notify", "procrastinate_")  # functions that do something: run once only


class Counting:
    """Answers `X-Bench-Queries` and `X-Bench-Rows` to a request that asks; each query is run once more, explained."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if ASKED not in request.headers:
            return self.get_response(request)
        seen = Seen()
        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(seen))
            response = self.get_response(request)
        response.headers[QUERIES], response.headers[ROWS] = str(seen.queries), str(seen.rows)
        return response


class Seen:
    """An execute wrapper that counts."""

    def __init__(self) -> None:
        self.queries = self.rows = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        self.queries += 1
        if sql.lstrip("( \n").upper().startswith(("SELECT", "WITH")) and not any(name in sql for name in ACTS):
            with context["connection"].connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
                self.rows += read(cursor.fetchone()[0][0]["Plan"])
        return execute(sql, params, many, context)


def read(plan: dict[str, Any]) -> int:
    """Rows read by a plan: those that scans gave, and those that they looked at and dropped."""
    own = 0
    if plan["Node Type"].endswith("Scan") and plan["Node Type"] not in NOT_READ:
        looked = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        own = round(sum(plan.get(name, 0) for name in looked) * plan["Actual Loops"])
    return own + sum(read(part) for part in plan.get("Plans", []))
