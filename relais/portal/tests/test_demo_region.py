"""The demo region: the same for the same seed, valid numbers, nobody real, written once."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from stdnum import luhn

from relais.accounts.demo import PERSONAS
from relais.accounts.models import Membership, User
from relais.accounts.testing import make_establishment
from relais.directory.models import Department, Establishment, Kind
from relais.liaison.models import Dlu, HospitalTransfer
from relais.liaison.queries.dlu import left_at, stale
from relais.patients.models import Patient
from relais.portal.models import Answer, Ticket
from relais.portal.workflow import TicketState
from relais.questionnaires import logic
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.workflow import State

pytestmark = pytest.mark.django_db


def build(seed: int = 1, **options: Any) -> str:
    out = StringIO()
    call_command("demo_region", size="small", seed=seed, stdout=out, **options)
    return out.getvalue()


def test_the_small_region_covers_departments_kinds_roles_and_ticket_states() -> None:
    build()
    assert Establishment.objects.count() == 60
    assert User.objects.count() == 40
    assert set(Establishment.objects.values_list("department", flat=True)) == set(Department.values)
    assert set(Establishment.objects.values_list("kind", flat=True)) == set(Kind.values)
    assert set(Membership.objects.values_list("role", flat=True)) == {
        "practitioner",
        "caregiver",
        "secretary",
        "manager",
    }
    assert set(Ticket.objects.values_list("state", flat=True)) == set(TicketState.values)
    assert Answer.objects.exists()
    assert Patient.objects.count() == 200
    assert Teleconsultation.objects.count() == 260
    assert set(Teleconsultation.objects.values_list("state", flat=True)) >= set(State.values) - {State.IN_CALL}
    _look_at_residents()


def _look_at_residents() -> None:
    """Some DLU are up to date, one is old, one is older than a stay in hospital; every answer is one that its form takes."""
    now, dlus = timezone.now(), list(Dlu.objects.select_related("response__questionnaire"))
    transfers = list(HospitalTransfer.objects.select_related("front__questionnaire", "back__questionnaire"))
    left = left_at(one.patient_id for one in dlus)
    why = [stale(one, left.get(one.patient_id), now)[:15] for one in dlus]
    assert {"", "Plus de six moi", "Hospitalisation"} <= set(why)
    assert any(one.back for one in transfers)
    kept = [one.response for one in dlus] + [side for one in transfers for side in (one.front, one.back) if side]
    for one in kept:
        assert logic.check(one.questionnaire.form, one.answers, timezone.localdate(one.ended_at)).errors == {}


def test_everybody_is_synthetic_and_every_number_is_valid_and_of_the_kept_ranges() -> None:
    build()
    assert not Establishment.objects.filter(synthetic=False).exists()
    assert not User.objects.filter(synthetic=False).exists()
    assert not Patient.objects.filter(synthetic=False).exists()
    for finess in Establishment.objects.values_list("finess", flat=True):
        assert finess.startswith("99")
        assert luhn.is_valid(finess)
    for user in User.objects.all():
        assert user.email.endswith("@exemple.test")
        assert user.mobile.startswith("+3363998")
        assert user.rpps is None or (user.rpps.startswith("899") and luhn.is_valid(user.rpps))


def test_only_personas_have_a_password() -> None:
    build()
    able = {user.email for user in User.objects.all() if user.has_usable_password()}
    assert able == {persona.email for persona in PERSONAS}


def test_the_same_seed_is_the_same_region_and_another_is_not() -> None:
    def names() -> list[Any]:
        rows = [*Establishment.objects.order_by("finess").values_list("pk", "name", "city")]
        return [*rows, *User.objects.order_by("email").values_list("pk", "email", "family_name")]

    def rebuilt(seed: int) -> list[Any]:
        with transaction.atomic():
            build(seed)
            found = names()
            transaction.set_rollback(True)
        return found

    first = rebuilt(1)
    assert rebuilt(1) == first
    assert rebuilt(2) != first


def test_a_second_run_changes_nothing() -> None:
    build()
    before = set(User.objects.values_list("pk", flat=True))
    assert "already there" in build()
    assert set(User.objects.values_list("pk", flat=True)) == before


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


@pytest.mark.django_db(transaction=True)
def test_replaced_it_is_the_new_region_alone() -> None:
    make_establishment()
    build(replace=True)
    assert Establishment.objects.count() == 60


def test_without_permission_for_synthetic_data_nothing_is_written(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="SYNTHETIC_DATA"):
        build()
    assert Establishment.objects.count() == 0
