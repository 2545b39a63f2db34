"""Two workers, or a worker and a person, at the same instant: real threads on the real database."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from relais.notifications import actions, sending
from relais.notifications.models import Message
from relais.notifications.testing import MailServer
from relais.notifications.tests.make import make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
Run = Callable[[], int]


def state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_job_send_once(note: Note, mail_server: MailServer) -> None:
    mail_server.slow = 0.3
    message = make_message()
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        sending.send(message.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mail_server.attempts == 1
    assert state(message) == State.HANDED


@pytest.mark.django_db(transaction=True)
def test_a_cancel_and_a_send_at_once_never_both_win(note: Note, mail_server: MailServer) -> None:
    message = make_message()
    start = threading.Barrier(2)

    def work(act: Callable[[], Any]) -> None:
        start.wait()
        act()
        connection.close()

    acts: list[Callable[[], Any]] = [
        lambda: sending.send(message.pk),
        lambda: actions.cancel(about=message.about),  # type: ignore[arg-type]
    ]
    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (state(message), len(mail_server.received)) in [(State.HANDED, 1), (State.CANCELLED, 0)]
