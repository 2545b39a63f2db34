"""Which slots are offered (TC-13)."""

from datetime import date, datetime, time, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from relais.accounts.testing import make_practitioner
from relais.core.paris import midnight
from relais.teleconsultation import slots
from relais.teleconsultation.models import Absence, Opening
from relais.teleconsultation.testing import make_tele

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 23)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _saturday():
    with mock.patch.object(timezone, "now", return_value=datetime(2026, 11, 21, 9, tzinfo=PARIS)):
        yield


@pytest.fixture
def doctor():
    member = make_practitioner()
    Opening.objects.create(
        practitioner=member.user,
        establishment=member.establishment,
        weekday=0,
        starts=time(9),
        ends=time(10),
        minutes=20,
    )
    return member


def offered(member, first=MONDAY, days=1):
    found = slots.free(practitioner_id=member.user_id, establishment_id=member.establishment_id, first=first, days=days)
    return {day: [slot.starts_at.astimezone(PARIS).strftime("%H:%M") for slot in each] for day, each in found.items()}


@pytest.mark.req("TC-13")
def test_weekly_hours_are_cut_into_slots(doctor):
    assert offered(doctor) == {MONDAY: ["09:00", "09:20", "09:40"]}


def test_other_days_offer_nothing(doctor):
    assert offered(doctor, MONDAY + timedelta(days=1)) == {MONDAY + timedelta(days=1): []}


def test_a_slot_that_is_booked_is_not_offered(doctor):
    make_tele(practitioner=doctor, starts_at=datetime(2026, 11, 23, 9, 20, tzinfo=PARIS))
    assert offered(doctor) == {MONDAY: ["09:00", "09:40"]}


def test_a_cancelled_slot_is_offered_again(doctor):
    make_tele(practitioner=doctor, starts_at=datetime(2026, 11, 23, 9, 20, tzinfo=PARIS), state="cancelled")
    assert offered(doctor) == {MONDAY: ["09:00", "09:20", "09:40"]}


def test_days_off_offer_nothing(doctor):
    Absence.objects.create(
        practitioner=doctor.user, starts_at=midnight(MONDAY), ends_at=midnight(MONDAY + timedelta(days=1))
    )
    assert offered(doctor) == {MONDAY: []}


def test_past_slots_are_not_offered(doctor):
    with mock.patch.object(timezone, "now", return_value=datetime(2026, 11, 23, 9, 30, tzinfo=PARIS)):
        assert offered(doctor) == {MONDAY: ["09:40"]}


def test_the_hour_that_does_not_exist_offers_no_slot(doctor):
    """On the last Sunday of March, clocks jump from 2 h to 3 h."""
    Opening.objects.create(
        practitioner=doctor.user,
        establishment=doctor.establishment,
        weekday=6,
        starts=time(1),
        ends=time(4),
        minutes=30,
    )
    sunday = date(2027, 3, 28)
    assert offered(doctor, sunday) == {sunday: ["01:00", "01:30", "03:00", "03:30"]}


def test_the_hour_that_comes_twice_is_offered_once(doctor):
    """On the last Sunday of October, 2 h to 3 h comes twice: the first is meant."""
    Opening.objects.create(
        practitioner=doctor.user,
        establishment=doctor.establishment,
        weekday=6,
        starts=time(2),
        ends=time(3),
        minutes=30,
    )
    sunday = date(2027, 10, 31)
    assert offered(doctor, sunday) == {sunday: ["02:00", "02:30"]}


def test_as_many_queries_for_one_day_as_for_five(doctor, django_assert_num_queries):
    for days in (1, 5):
        with django_assert_num_queries(3):
            offered(doctor, days=days)
