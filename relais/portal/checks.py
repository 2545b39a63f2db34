"""Synthetic people never sign in to a production site."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core import checks
from django.db import DatabaseError, connection

from relais.accounts.models import User

SENTENCE = (
    "This database holds synthetic accounts that can sign in (demo personas): production refuses to start on it. "
    "Use a database of its own, or delete those accounts."
)


def _dangerous() -> bool:
    """Whether a synthetic account has a usable password; False while there is no table yet."""
    if not settings.PRODUCTION:
        return False
    try:
        if User._meta.db_table not in connection.introspection.table_names():
            return False
        return User.objects.filter(synthetic=True).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()
    except DatabaseError:
        return False  # an unreachable or half-migrated database has its own sentence elsewhere


def synthetic_accounts(databases: Any = None, **options: Any) -> list[checks.CheckMessage]:
    """Run by `migrate`, by `check --database default` and, in production, before the web server's first answer."""
    if not databases or not _dangerous():
        return []
    return [checks.Error(SENTENCE, id="portal.E001")]


def register_all() -> None:
    checks.register(synthetic_accounts, checks.Tags.database)
