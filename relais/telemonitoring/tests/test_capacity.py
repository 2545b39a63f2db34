"""The capacity line: when the first promise breaks (D7)."""

from datetime import UTC, datetime, timedelta

import pytest

from relais.telemonitoring.capacity import first_breach, surplus

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def at(*minutes):
    return [NOW + timedelta(minutes=one) for one in minutes]


@pytest.mark.parametrize(
    ("promises", "people", "breaks"),
    [
        ((), 1, None),
        ((15, 15), 1, None),  # one begins now, the other at 9
        ((15, 15, 15), 1, 15),  # the third would begin at 18
        ((15, 15, 15), 2, None),
        ((60, 15, 15, 15), 1, 15),
        ((15, 20, 25, 30), 1, None),
        ((15, 20, 25, 26), 1, 26),
        ((15, 60), 0, 15),
        ((-5, 15), 1, None),  # what is late already is counted apart, and takes its time all the same
        ((-5, -5, 15), 1, 15),
    ],
)
def test_calls_follow_each_other_in_the_order_of_their_promises(promises, people, breaks):
    expected = None if breaks is None else at(breaks)[0]
    assert first_breach(at(*promises), people=people, minutes=9, now=NOW) == expected


@pytest.mark.parametrize(
    ("promises", "people", "over"),
    [
        ((), 1, []),
        ((15, 15), 1, []),
        ((15, 15, 15, 15), 1, [2, 3]),  # the third would begin at 18
        ((60, 15, 15, 15), 1, [3]),  # once it is passed on, the late one is kept
        ((15, 15, 15, 15), 2, []),
        ((15, -5), 0, [0]),  # nobody is there: all that is still ahead
        ((-5, -5, 15), 1, [2]),  # what is late already stays, and takes its time
    ],
)
def test_the_surplus_is_what_would_begin_too_late_and_no_more(promises, people, over):
    moments = at(*promises)
    assert surplus(moments, people=people, minutes=9, now=NOW) == over
    kept = [moment for position, moment in enumerate(moments) if position not in over]
    if people:
        assert first_breach(kept, people=people, minutes=9, now=NOW) is None
