"""The demo region built again: the same rows for the same seed, work waiting at night, questionnaires and rules kept."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from relais.accounts.testing import make_establishment
from relais.directory.models import Establishment
from relais.questionnaires.models import Questionnaire
from relais.teleconsultation.tests.test_demo_region import find_work
from relais.telemonitoring.models import RuleSet

NIGHT = datetime(2026, 11, 21, 2, 7, tzinfo=UTC)
IGNORED = {"django_migrations", "django_content_type", "auth_permission"}


def digest() -> dict[str, str]:
    """One for each table: every row, every column but the salted hash of the personas' password."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - IGNORED):
            row = "(t.*)::text"
            if table == "accounts_user":
                row = "(to_jsonb(t) - 'password')::text"
            cursor.execute(f"SELECT md5(coalesce(string_agg({row}, '|' ORDER BY {row}), '')) FROM \"{table}\" t")
            found[table] = cursor.fetchone()[0]
    return found


@pytest.mark.django_db(transaction=True)
def test_the_same_seed_is_the_same_rows_ids_included_and_replacing_keeps_what_migrate_brings_alone() -> None:
    make_establishment()
    found, kept = [], []
    for seed in (2, 1, 1):  # erasing sets the counters of numbered rows back
        call_command("demo_region", size="small", seed=seed, at=NIGHT, replace=True, stdout=StringIO())
        assert Establishment.objects.count() == 60
        found.append(digest())
        kept.append((Questionnaire.objects.count(), RuleSet.objects.count()))
        find_work(NIGHT)
    assert found[1] == found[2]
    assert found[1]["teleconsultation_teleconsultation"] != found[0]["teleconsultation_teleconsultation"]
    assert kept[0] == kept[1] == kept[2]
    assert kept[0][0] >= 10
