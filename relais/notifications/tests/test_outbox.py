"""Messages enter the outbox with their cause, or not at all; they leave it when no longer wanted."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from relais.core.actor import PATIENT, PROFESSIONAL, Actor
from relais.core.errors import NotFound, Refused
from relais.notifications import actions, queries, sending, vault
from relais.notifications.models import Channel, Message
from relais.notifications.testing import MailServer
from relais.notifications.tests.make import E164, EMAIL, PHONE, make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
DOCTOR = Actor(kind=PROFESSIONAL, user_id=uuid4(), establishment_id=uuid4())


def test_a_message_comes_with_its_job_and_an_unreadable_secret(note: Note) -> None:
    message = make_message(secret={"password": "bato-milu-73"})
    assert message.state == State.WAITING
    assert b"bato" not in bytes(message.secret or b"")
    assert vault.unseal(message.secret or b"") == {"password": "bato-milu-73"}
    assert ProcrastinateJob.objects.get().args == {"message_id": str(message.pk)}


def test_a_transaction_that_fails_leaves_neither_row_nor_job(note: Note) -> None:
    def book_and_fail() -> None:
        with transaction.atomic():
            make_message()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book_and_fail()
    assert not Message.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_a_message_without_address_for_its_channel_is_a_bug(note: Note) -> None:
    with pytest.raises(ValueError, match="needs an address"):
        make_message(channel=Channel.SMS)


def test_a_reminder_waits_for_its_hour_and_then_leaves_by_the_sweep(
    note: Note, mail_server: MailServer, run_jobs: Callable[[], int]
) -> None:
    """No job until then: the row alone says when, so a restart or a clock set right loses nothing."""
    message = make_message(send_after=timezone.now() + timedelta(hours=23))
    assert run_jobs() == 0
    assert not mail_server.received
    Message.objects.filter(pk=message.pk).update(send_after=timezone.now() - timedelta(seconds=1))
    run_jobs()
    assert len(mail_server.to(EMAIL)) == 1


def test_a_message_whose_job_was_lost_leaves_by_the_sweep(
    note: Note, mail_server: MailServer, run_jobs: Callable[[], int], django_db_blocker: object
) -> None:
    message = make_message()
    ProcrastinateJob.objects.all()._raw_delete("default")
    run_jobs()
    message.refresh_from_db()
    assert message.state == State.HANDED


def test_the_sweep_adds_no_second_job_to_one_that_waits(note: Note) -> None:
    make_message()
    sending.sweep()
    assert ProcrastinateJob.objects.count() == 1


def test_cancel_drops_what_waits_of_those_types_and_erases_its_secret(
    note: Note, mail_server: MailServer, run_jobs: Callable[[], int]
) -> None:
    about = uuid4()
    dropped = make_message(about=about, secret={"password": "bato-milu-73"})
    other = make_message()
    assert actions.cancel(about=about, types=["another.type"]) == 0
    assert actions.cancel(about=about, types=[note.key]) == 1
    run_jobs()
    dropped.refresh_from_db()
    other.refresh_from_db()
    assert (dropped.state, dropped.secret, other.state) == (State.CANCELLED, None, State.HANDED)


def test_a_refused_message_is_corrected_and_sent_again_at_once(
    note: Note, mail_server: MailServer, run_jobs: Callable[[], int]
) -> None:
    mail_server.refused.add(EMAIL)
    message = make_message()
    run_jobs()
    assert queries.problems([message.about])[message.about].words == "E-mail refusé"
    again = actions.resend(actor=DOCTOR, message=message, email="camille.juste@exemple.test")
    run_jobs()
    again.refresh_from_db()
    assert again.state == State.HANDED
    assert not queries.problems([message.about])
    assert len(mail_server.to("camille.juste@exemple.test")) == 1


def test_sending_again_by_the_other_channel_keeps_the_first_address_in_reserve(note: Note) -> None:
    message = make_message()
    again = actions.resend(actor=DOCTOR, message=message, phone=PHONE)
    assert (again.channel, again.address, again.other_address) == (Channel.SMS, PHONE, EMAIL)
    message.refresh_from_db()
    assert (message.state, message.replaced) == (State.CANCELLED, True)


def test_pressed_twice_it_is_sent_again_once(note: Note) -> None:
    message = make_message()
    actions.resend(actor=DOCTOR, message=message)
    with pytest.raises(Refused, match="déjà été renvoyé"):
        actions.resend(actor=DOCTOR, message=message)
    assert Message.objects.count() == 2


def test_a_message_that_carried_a_secret_needs_a_new_one(
    note: Note, mail_server: MailServer, run_jobs: Callable[[], int]
) -> None:
    message = make_message(secret={"password": "bato-milu-73"})
    run_jobs()
    with pytest.raises(Refused, match="nouvel accès"):
        actions.resend(actor=DOCTOR, message=message)
    actions.resend(actor=DOCTOR, message=message, secret={"password": "neuf-mots-12"})
    run_jobs()
    assert "neuf-mots-12" in mail_server.text()


def test_a_patient_sends_nothing_again(note: Note) -> None:
    with pytest.raises(NotFound):
        actions.resend(actor=Actor(kind=PATIENT, grant_id=uuid4()), message=make_message())


def test_the_number_is_written_as_networks_want_it(
    note: Note, sms_gateway: object, run_jobs: Callable[[], int]
) -> None:
    make_message(channel=Channel.SMS, phone=PHONE)
    run_jobs()
    assert sms_gateway.received[0]["to"] == E164  # type: ignore[attr-defined]
