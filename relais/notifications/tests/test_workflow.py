"""The whole matrix state × verb × actor of a message."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.core.actor import GUEST, PATIENT, PROFESSIONAL, SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.workflow import apply
from relais.notifications.models import Message
from relais.notifications.tests.make import make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import TRANSITIONS, State

pytestmark = pytest.mark.django_db

ALLOWED = {
    (State.WAITING, "claim"): State.SENDING,
    (State.WAITING, "postpone"): State.WAITING,
    (State.WAITING, "refuse"): State.REFUSED,
    (State.WAITING, "cancel"): State.CANCELLED,
    (State.SENDING, "postpone"): State.WAITING,
    (State.SENDING, "hand"): State.HANDED,
    (State.SENDING, "deliver"): State.DELIVERED,
    (State.SENDING, "refuse"): State.REFUSED,
    (State.SENDING, "lose"): State.UNCERTAIN,
    (State.HANDED, "deliver"): State.DELIVERED,
    (State.HANDED, "refuse"): State.REFUSED,
    (State.UNCERTAIN, "hand"): State.HANDED,
    (State.UNCERTAIN, "deliver"): State.DELIVERED,
    (State.UNCERTAIN, "refuse"): State.REFUSED,
}


def record(*arguments: Any) -> None:
    """Nothing to show."""


@pytest.mark.parametrize("verb", TRANSITIONS)
@pytest.mark.parametrize("state", State)
def test_the_platform_moves_a_message_only_as_the_table_says(note: Note, state: State, verb: str) -> None:
    message = make_message()
    Message.objects.filter(pk=message.pk).update(state=state, attempted_at=timezone.now())
    if (state, verb) in ALLOWED:
        assert apply(message, verb, SYSTEM_ACTOR, record).state == ALLOWED[state, verb]
    else:
        with pytest.raises(Refused):
            apply(message, verb, SYSTEM_ACTOR, record)


@pytest.mark.parametrize("kind", [PROFESSIONAL, PATIENT, GUEST])
@pytest.mark.parametrize("verb", TRANSITIONS)
def test_nobody_else_does(note: Note, verb: str, kind: str) -> None:
    message = make_message()
    with pytest.raises(NotFound):
        apply(message, verb, Actor(kind=kind, user_id=uuid4(), grant_id=uuid4()), record)
