"""One honest word for a list, the whole story for a dossier."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from relais.notifications import queries
from relais.notifications.models import Channel, Message
from relais.notifications.tests.make import make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
SETTLED = {"attempts": 1, "attempted_at": timezone.now()}


def put(about: UUID, state: str, **fields: Any) -> Message:
    message = make_message(about=about)
    Message.objects.filter(pk=message.pk).update(state=state, **{**SETTLED, **fields})
    return message


def words(about: UUID) -> str | None:
    found = queries.states([about]).get(about)
    return found.words if found else None


@pytest.mark.parametrize(
    ("state", "said", "flagged"),
    [
        (State.SENDING, "E-mail en cours d’envoi", False),
        (State.HANDED, "E-mail remis au serveur", False),
        (State.DELIVERED, "E-mail reçu", False),
        (State.REFUSED, "E-mail refusé", True),
        (State.UNCERTAIN, "E-mail incertain : peut-être non reçu", True),
    ],
)
def test_each_state_says_what_is_known(note: Note, state: str, said: str, *, flagged: bool) -> None:
    about = uuid4()
    put(about, state)
    found = queries.states([about])[about]
    assert (found.words, found.flagged) == (said, flagged)
    assert said in render_to_string("notifications/_state.html", {"summary": found})


def test_the_worst_that_is_not_resolved_is_shown(note: Note) -> None:
    about = uuid4()
    put(about, State.DELIVERED)
    put(about, State.UNCERTAIN)
    put(about, State.HANDED)
    assert words(about) == "E-mail incertain : peut-être non reçu"


def test_what_was_replaced_or_cancelled_says_nothing(note: Note) -> None:
    about = uuid4()
    put(about, State.REFUSED, replaced=True)
    put(about, State.CANCELLED)
    assert words(about) is None


def test_a_reminder_to_come_says_nothing_beside_what_was_sent(note: Note) -> None:
    about = uuid4()
    put(about, State.DELIVERED)
    make_message(about=about, send_after=timezone.now() + timedelta(hours=3))
    assert words(about) == "E-mail reçu"


def test_a_message_that_waits_past_its_hour_is_flagged(note: Note) -> None:
    """Silence must never look like calm: the worker may be down."""
    about = uuid4()
    message = make_message(about=about)
    assert not queries.problems([about])
    Message.objects.filter(pk=message.pk).update(send_after=timezone.now() - timedelta(minutes=6))
    assert queries.problems([about])[about].words == "E-mail en attente, en retard"


def test_a_fallback_on_its_way_lifts_the_flag_but_not_the_word(note: Note) -> None:
    about = uuid4()
    refused = put(about, State.REFUSED)
    fallback = put(about, State.WAITING, attempts=0, fallback_of=refused, channel=Channel.SMS)
    assert words(about) == "E-mail refusé, puis SMS en attente"
    assert not queries.problems([about])
    Message.objects.filter(pk=fallback.pk).update(state=State.REFUSED)
    assert queries.problems([about])[about].words == "E-mail refusé, puis SMS refusé"


def test_the_story_puts_each_fallback_after_its_refusal_the_last_first(note: Note) -> None:
    about = uuid4()
    refused = put(about, State.REFUSED, error="550 unknown")
    put(about, State.HANDED)
    put(about, State.DELIVERED, fallback_of=refused, channel=Channel.SMS)
    trail = queries.timeline(about)
    assert [(line.summary.words, line.fallback) for line in trail] == [
        ("E-mail remis au serveur", False),
        ("E-mail refusé", False),
        ("SMS reçu", True),
    ]
    page = render_to_string("notifications/_trail.html", {"messages": trail})
    assert "Note d’essai" in page
    assert "550 unknown" in page
    assert "camille@" not in page


def test_a_story_without_messages_says_what_will_come(note: Note) -> None:
    assert "Aucun message" in render_to_string("notifications/_trail.html", {"messages": queries.timeline(uuid4())})


def test_a_list_takes_one_query_whatever_it_shows(
    note: Note, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for size in (1, 3):
        abouts = [uuid4() for _ in range(size)]
        for about in abouts:
            put(about, State.REFUSED)
            put(about, State.HANDED)
        with django_assert_num_queries(1):
            assert len(queries.problems(abouts)) == size
        with django_assert_num_queries(1):
            queries.timeline(abouts[0])
