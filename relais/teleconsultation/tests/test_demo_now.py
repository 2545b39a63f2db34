"""The appointment of the demo page: the same while it is awaited, another once it was held, at any hour."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for, make_practitioner
from relais.core.errors import Refused
from relais.notifications.models import Message
from relais.patients.demo import DEMO_PATIENT
from relais.patients.models import Grant, Patient
from relais.patients.testing import make_patient
from relais.teleconsultation import demo
from relais.teleconsultation.actions import call
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.testing import make_tele
from relais.teleconsultation.workflow import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor() -> Membership:
    return make_practitioner()


def appointment_now(doctor: Membership) -> Teleconsultation:
    tele, grant = demo.appointment_now(doctor=doctor.user, establishment=doctor.establishment)
    assert grant.about == tele.pk
    assert grant.is_live()
    return tele


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def both_may_enter(tele: Teleconsultation) -> bool:
    now = timezone.now()
    return call.patient_may_enter(tele) and now >= tele.starts_at - call.STAFF_EARLY and now < tele.ends_at


def test_it_starts_now_for_both_sides_and_the_patient_is_told(doctor: Membership) -> None:
    tele = appointment_now(doctor)
    assert tele.practitioner == doctor.user
    assert both_may_enter(tele)
    assert tele.dossier.patient.email == DEMO_PATIENT["email"]
    assert Grant.objects.live().filter(about=tele.pk).count() == 1
    assert Message.objects.filter(about=tele.pk).count() == 2


def test_asked_twice_it_is_the_same(doctor: Membership) -> None:
    assert appointment_now(doctor) == appointment_now(doctor)
    assert Teleconsultation.objects.count() == 1


def test_in_call_it_is_the_same(doctor: Membership) -> None:
    tele = appointment_now(doctor)
    call.join(actor=actor_for(doctor), tele=tele)
    assert appointment_now(doctor) == tele


def test_once_held_the_next_is_another_for_the_same_patient(doctor: Membership) -> None:
    first = appointment_now(doctor)
    call.join(actor=actor_for(doctor), tele=first)
    call.finish(actor=actor_for(doctor), tele=first)
    second = appointment_now(doctor)
    assert second != first
    assert both_may_enter(second)
    assert Patient.objects.count() == 1


def test_one_that_nobody_held_is_moved_to_now_with_a_new_way_in(doctor: Membership) -> None:
    first = appointment_now(doctor)
    Teleconsultation.objects.update(starts_at=timezone.now() - minutes(90), ends_at=timezone.now() - minutes(70))
    second = appointment_now(doctor)
    assert second == first
    assert both_may_enter(second)
    assert Grant.objects.filter(about=first.pk, revoked_at=None).count() == 1
    assert Grant.objects.filter(about=first.pk).count() == 2


def test_a_call_that_was_left_open_is_ended_and_another_begins(doctor: Membership) -> None:
    first = appointment_now(doctor)
    call.join(actor=actor_for(doctor), tele=first)
    Teleconsultation.objects.update(starts_at=timezone.now() - minutes(90), ends_at=timezone.now() - minutes(70))
    second = appointment_now(doctor)
    assert second != first
    first.refresh_from_db()
    assert first.state == State.DONE


@pytest.mark.parametrize("begins", [-19, -8, 7, 12, 18, 60])
def test_another_appointment_of_the_doctor_keeps_its_hour(doctor: Membership, begins: int) -> None:
    other = make_tele(practitioner=doctor, starts_at=timezone.now() + minutes(begins)).tele
    tele = appointment_now(doctor)
    assert call.patient_may_enter(tele)
    assert tele.ends_at - tele.starts_at >= minutes(5)
    other.refresh_from_db()
    assert other.state == State.PLANNED
    assert tele.ends_at <= other.starts_at or tele.starts_at >= other.ends_at


def test_what_leaves_no_room_for_a_quarter_of_an_hour_moves_behind_it(doctor: Membership) -> None:
    others = [
        make_tele(practitioner=doctor, starts_at=timezone.now() + minutes(begins), minutes=length).tele
        for begins, length in ((-5, 90), (90, 20), (115, 20))
    ]
    assert both_may_enter(appointment_now(doctor))
    others[0].refresh_from_db()
    assert others[0].state == State.PLANNED
    assert others[0].starts_at >= others[2].ends_at
    assert Message.objects.filter(about=others[0].pk, type="tele.moved").exists()


def test_a_long_call_with_somebody_else_is_not_interrupted(doctor: Membership) -> None:
    make_tele(practitioner=doctor, starts_at=timezone.now() - minutes(5), minutes=90, state=State.IN_CALL)
    with pytest.raises(Refused, match="déjà en appel"):
        appointment_now(doctor)


def test_an_appointment_of_the_demo_patient_for_another_day_is_left_alone(doctor: Membership) -> None:
    patient = make_patient("Moreau", "Jeanne", email=DEMO_PATIENT["email"])
    later = make_tele(practitioner=doctor, patient=patient, starts_at=timezone.now() + timedelta(days=2)).tele
    assert appointment_now(doctor) != later
    later.refresh_from_db()
    assert later.starts_at > timezone.now() + timedelta(days=1)
