"""The strict harness: what Django lets pass and a reviewer would miss fails a test here (a pytest plugin)."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.db.models import OrderBy
from django.db.models.functions import Random
from django.db.models.sql.compiler import SQLCompiler

# A GET may leave a trace, keep a session alive and note when somebody was last seen; nothing else.
WRITABLE_BY_GET = {
    "audit_entry",
    "django_session",
    "usersessions_usersession",
    "patients_grantdevice",
}
WRITE = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?([a-z_]+)"?', re.IGNORECASE)


class UnknownVariable(str):
    """Django's `string_if_invalid`: resolving an unknown variable raises instead of printing nothing."""

    __slots__ = ()

    def __contains__(self, text: object) -> bool:
        return text == "%s"

    def __mod__(self, variable: object) -> str:
        raise AssertionError(f"Unknown template variable: {variable}")


def pytest_configure(config: pytest.Config) -> None:
    options: Any = settings.TEMPLATES[0]["OPTIONS"]
    options["string_if_invalid"] = UnknownVariable("%s")
    # Each test's client builds the middlewares anew, and this one would look up every static file that there is.
    settings.WHITENOISE_USE_FINDERS = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed; argon2 has its own test


def _refuse_writes(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 (theirs)
    found = WRITE.match(str(sql))
    if found and found.group(2) not in WRITABLE_BY_GET:
        raise AssertionError(f"A GET wrote to {found.group(2)}: {str(sql)[:200]}")
    return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    get_order_by = SQLCompiler.get_order_by
    get_response = BaseHandler.get_response

    def random_order(self: SQLCompiler) -> Any:
        """Rows without an order come in any order: a test that relied on one fails sooner or later."""
        order = get_order_by(self)
        query = self.query
        plain = not (query.distinct or query.combinator or query.group_by or query.subquery)
        if order or not plain or not query.default_ordering or query.is_sliced:
            return order
        return [(OrderBy(Random()), ("RANDOM()", (), False))]

    def read_only_get(self: BaseHandler, request: Any) -> Any:
        if request.method not in ("GET", "HEAD"):
            return get_response(self, request)
        with connection.execute_wrapper(_refuse_writes):
            return get_response(self, request)

    monkeypatch.setattr(SQLCompiler, "get_order_by", random_order)
    monkeypatch.setattr(BaseHandler, "get_response", read_only_get)
