"""Who may be a doctor on call, and a hole that opens twice (domain.md §3.4)."""

import pytest

from relais.accounts.actions import change_role
from relais.accounts.testing import actor_for, client_of, make_member
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import Refused
from relais.notifications.models import Message
from relais.oncall import messages, queries
from relais.oncall.actions import replacements, slots, watch
from relais.oncall.models import ToldGap
from relais.oncall.testing import join, make_pool, make_service, make_slot
from relais.oncall.tests.test_rota import day, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return make_service(name="Astreinte gériatrique Sud")


@pytest.fixture
def referent(service):
    return make_member(service.establishment, "manager")


@pytest.fixture
def doctors(service):
    return make_pool(service, "Albert", "Bernard")


def test_a_caregiver_answers_for_a_service_and_is_never_its_doctor_on_call(service, referent, doctors) -> None:
    """Not in the lists, refused by the action, skipped by the route when a practitioner becomes one."""
    nurse = make_member(service.establishment, "caregiver", family_name="Soignante")
    join(service, nurse)
    page = client_of(referent).get(f"/astreintes/{service.pk}/ajouter/").content.decode()
    assert ("Albert" in page, "Soignante" in page) == (True, False)
    for wanted in (said(nurse), said(doctors[0], backup_id=nurse.user_id)):
        with pytest.raises(Refused, match="parmi ceux qui répondent"):
            slots.add_slots(actor=actor_for(referent), service=service, said=[wanted])
    mine = make_slot(service, doctors[0], day(1), day(1, 19), doctors[1])
    with pytest.raises(Refused, match="Choisissez un collègue"):
        replacements.ask(actor=actor_for(doctors[0]), slot=mine, asked_id=nurse.user_id)
    noon = day(1, 12)
    assert [one.user for one in queries.on_duty(service, noon)] == [doctors[0].user, doctors[1].user]
    change_role(actor=SYSTEM_ACTOR, membership_id=doctors[0].pk, role="caregiver")
    assert [one.user for one in queries.on_duty(service, noon)] == [doctors[1].user]


def test_a_hole_that_was_filled_and_opens_again_is_told_again(service, referent, doctors) -> None:
    now = day(0, 0)
    for ahead in range(8):
        if ahead != 3:
            make_slot(service, doctors[0], day(ahead), day(ahead, 19))
    assert (watch.alert_gaps(now), watch.alert_gaps(now)) == (1, 0)
    filling = make_slot(service, doctors[1], day(3), day(3, 19))
    assert (watch.alert_gaps(now), ToldGap.objects.count()) == (0, 0)
    filling.delete()
    assert (watch.alert_gaps(now), watch.alert_gaps(now)) == (1, 0)
    message = Message.objects.filter(type="oncall.gap").first()
    text = next(one for one in messages.TEXTS if one.key == message.type).render(message, {}).text
    assert "personne n’est prévu sur 1 créneau d’astreinte" in text
