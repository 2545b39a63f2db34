"""A way in leads to the space of what it is about, and to no other."""

import pytest
from django.test import Client

from relais.patients.testing import let_in
from relais.teleconsultation.testing import make_tele
from relais.telemonitoring.testing import make_follow_up

pytestmark = pytest.mark.django_db
FOLLOW_UP, APPOINTMENT = "/p/suivi/", "/p/rendez-vous/"


@pytest.mark.parametrize(
    ("make", "own", "other"),
    [
        (lambda: make_follow_up().grant, FOLLOW_UP, APPOINTMENT),
        (lambda: make_tele().grant, APPOINTMENT, FOLLOW_UP),
    ],
)
def test_a_link_leads_to_its_own_space_and_opens_no_other(make, own, other):
    grant = make()
    client = let_in(Client(), grant)
    assert client.get("/p/").url == own
    assert client.get(f"/p/{grant.pk}/").url == own
    assert client.get(own).status_code == 200
    assert client.get(other).status_code == 404
