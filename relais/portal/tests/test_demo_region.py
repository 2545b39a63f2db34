"""The demo region: the same for the same seed, written where nobody is real, once."""

import random
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from relais.accounts import demo as accounts
from relais.accounts.models import User
from relais.accounts.testing import make_establishment
from relais.core.demo import Region
from relais.directory import demo as directory
from relais.directory.models import Establishment

pytestmark = pytest.mark.django_db


def build(seed: int = 1, **options: Any) -> str:
    out = StringIO()
    call_command("demo_region", size="small", seed=seed, stdout=out, **options)
    return out.getvalue()


def test_the_same_seed_gives_the_same_places_and_people_at_any_moment_and_another_does_not() -> None:
    def names(seed: int, now: datetime) -> list[Any]:
        region, rng = Region(size="small", now=now), random.Random(seed)
        with transaction.atomic():
            for part in (directory, accounts):
                part.build(region, random.Random(rng.getrandbits(64)))
            found = [*Establishment.objects.order_by("finess").values_list("pk", "name", "city")]
            found += User.objects.order_by("email").values_list("pk", "email", "family_name")
            transaction.set_rollback(True)
        return found

    now = timezone.now()
    first = names(1, now)
    assert names(1, now + timedelta(hours=9)) == first
    assert names(2, now) != first


@pytest.mark.parametrize("options", [{}, {"replace": True}])
def test_a_database_that_holds_anything_real_is_left_alone(options: dict[str, bool]) -> None:
    make_establishment(synthetic=False)
    with pytest.raises(CommandError, match="not synthetic"):
        build(**options)
    assert Establishment.objects.count() == 1


def test_another_region_is_replaced_only_when_asked() -> None:
    make_establishment()
    with pytest.raises(CommandError, match="--replace"):
        build()
    assert Establishment.objects.count() == 1


def test_without_permission_for_synthetic_data_nothing_is_written(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="SYNTHETIC_DATA"):
        build()
    assert Establishment.objects.count() == 0
