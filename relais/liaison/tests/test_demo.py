"""The demo region's requests: the shares of domain.md §9.5, answers that the form takes."""

import random
from collections import Counter

import pytest
from django.utils import timezone

from relais.core.paris import PARIS
from relais.liaison.demo import DECISIONS, MOTIVES, REVIEWS, URGENCY, draw, moment
from relais.questionnaires import logic
from relais.questionnaires.testing import form


@pytest.mark.req("FG-11")
def test_a_thousand_requests_have_the_shares_of_the_first_wave():
    """Urgency 8/34/38/20, dyspnoea 38 %, fever 22 %, SpO2 around 91, 78 % by day, 1.7 re-evaluations."""
    rng, now = random.Random(1), timezone.now()
    drawn = [draw(rng, moment(rng, now)) for _one in range(1_000)]
    for name, shares in (("fg.urgence", URGENCY), ("fg.motif", MOTIVES)):
        counted = Counter(one[name][0] for one in drawn)
        for code, share in shares.items():
            assert abs(counted[code] / 10 - share) < 5, code
    assert abs(sum(one["fg.spo2"][0] for one in drawn) / 1_000 - 91) < 1
    by_day = sum(8 <= moment(rng, now).astimezone(PARIS).hour < 19 for _one in range(1_000))
    assert abs(by_day / 10 - 78) < 5
    assert 1.6 < sum(count * share for count, share in REVIEWS.items()) / 100 < 1.8
    assert sum(DECISIONS.values()) == sum(URGENCY.values()) == sum(MOTIVES.values()) == 100


def test_every_invented_answer_is_one_that_the_form_takes():
    rng, asked = random.Random(2), form("liaison", "filgeria-demande")
    for _one in range(50):
        checked = logic.check(asked, draw(rng, timezone.now()), timezone.localdate())
        assert checked.errors == {}
