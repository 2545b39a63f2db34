"""How the patient was identified, as professionals see it."""

from typing import Any
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.test import Client

from relais.core.actor import SYSTEM_ACTOR
from relais.patients.actions import revoke_grant
from relais.patients.models import Holder
from relais.patients.queries import factors_of, ways_in
from relais.patients.testing import let_in, make_grant

pytestmark = pytest.mark.django_db


def test_the_fewest_factors_count_and_guests_do_not(django_assert_num_queries: Any) -> None:
    strong, weak, nobody = (make_grant()[0] for _number in range(3))
    let_in(Client(), strong, factors=2)
    let_in(Client(), weak, factors=2)
    let_in(Client(), weak, factors=1)
    guest, _secrets = make_grant(about=strong.about, holder=Holder.GUEST, holder_name="Mme Interprète")
    let_in(Client(), guest, factors=1)
    with django_assert_num_queries(1):
        assert factors_of([strong.about, weak.about, nobody.about, uuid4()]) == {strong.about: 2, weak.about: 1}


def test_ways_in_name_holders_and_devices(django_assert_num_queries: Any) -> None:
    about = uuid4()
    parent, _secrets = make_grant(about=about, holder=Holder.PARENT, holder_name="Anne Durand")
    closed, _others = make_grant(about=about)
    let_in(Client(), parent)
    revoke_grant(actor=SYSTEM_ACTOR, grant=closed)
    with django_assert_num_queries(2):
        found = [(way.holder_words, [device.label for device in way.devices_in]) for way in ways_in(about)]
    assert found == [("Anne Durand", ["Firefox, Android"])]


@pytest.mark.parametrize(
    ("factors", "words"), [(2, "mot de passe et code SMS"), (1, "mot de passe seul"), (None, "Pas encore connecté")]
)
def test_the_badge_says_it_in_words(factors: int | None, words: str) -> None:
    assert words in render_to_string("patients/_way_in.html", {"factors": factors})
