"""A death that a nursing home notes ends what another establishment had planned, without a word to the family."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relais.liaison.actions import leaving
from relais.liaison.testing import make_home, taken
from relais.notifications.models import Message
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db


@pytest.mark.req("FG-08")
def test_appointments_to_come_are_cancelled_and_nobody_is_written_to() -> None:
    scene = make_home()
    coming = make_tele(patient=scene.resident, starts_at=timezone.now() + timedelta(days=2)).tele
    other = make_tele(starts_at=timezone.now() + timedelta(days=3)).tele
    said = leaving.Leaving(timezone.now(), "Décès dans son sommeil")
    demand = taken(scene)
    before = set(Message.objects.filter(about=coming.pk).values_list("pk", flat=True))
    leaving.died(actor=scene.nurse_actor, demand=demand, said=said, in_hospital=False)
    coming.refresh_from_db()
    other.refresh_from_db()
    assert (coming.state, coming.cancel_reason, other.state) == ("cancelled", "Décès du patient", "planned")
    assert set(Message.objects.filter(about=coming.pk).values_list("pk", flat=True)) <= before
