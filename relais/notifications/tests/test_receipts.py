"""Receipts of the gateway and reports of the mail server: believed when signed or ours, once."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from relais.notifications import actions, queries, sending
from relais.notifications.models import Channel, Message
from relais.notifications.testing import MailServer, SmsGateway
from relais.notifications.tests.make import EMAIL, PHONE, make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
Run = Callable[[], int]


def sms(run_jobs: Run, **fields: object) -> Message:
    message = make_message(channel=Channel.SMS, phone=PHONE, **{"email": "", **fields})
    run_jobs()
    return message


def state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_a_signed_receipt_says_received(note: Note, sms_gateway: SmsGateway, run_jobs: Run, client: Client) -> None:
    message = sms(run_jobs)
    assert sms_gateway.receipt(client, message.pk).status_code == 204
    assert state(message) == State.DELIVERED
    assert queries.states([message.about])[message.about].words == "SMS reçu"


def test_a_receipt_of_failure_flags_it_and_tries_the_other_channel(
    note: Note, sms_gateway: SmsGateway, mail_server: MailServer, run_jobs: Run, client: Client
) -> None:
    message = sms(run_jobs, email=EMAIL)
    sms_gateway.receipt(client, message.pk, "failed", reason=f"absent subscriber {PHONE}")
    run_jobs()
    assert (state(message), message.error) == (State.REFUSED, "absent subscriber …")
    assert len(mail_server.to(EMAIL)) == 1


def test_a_secret_that_left_is_not_sent_again_by_itself(
    note: Note, sms_gateway: SmsGateway, mail_server: MailServer, run_jobs: Run, client: Client
) -> None:
    """It was erased when handed over: the message is flagged, and its owner makes a new secret."""
    message = sms(run_jobs, email=EMAIL, secret={"password": "bato-milu-73"})
    sms_gateway.receipt(client, message.pk, "failed")
    run_jobs()
    assert not mail_server.received
    assert queries.problems([message.about])[message.about].words == "SMS refusé"


def test_a_forged_receipt_is_refused_and_changes_nothing(
    note: Note, sms_gateway: SmsGateway, run_jobs: Run, client: Client
) -> None:
    message = sms(run_jobs)
    assert sms_gateway.receipt(client, message.pk, "failed", secret="guessed").status_code == 403
    assert client.post("/messages/recus/", b"{}", content_type="application/json").status_code == 403
    assert state(message) == State.HANDED


@pytest.mark.parametrize(("age", "status"), [(290, 204), (310, 403), (-310, 403)])
def test_a_signature_is_good_for_five_minutes(
    note: Note, sms_gateway: SmsGateway, run_jobs: Run, client: Client, age: int, status: int
) -> None:
    message = sms(run_jobs)
    assert sms_gateway.receipt(client, message.pk, at=time.time() - age).status_code == status


def test_without_a_secret_configured_no_receipt_is_believed(
    note: Note, sms_gateway: SmsGateway, run_jobs: Run, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = sms(run_jobs)
    monkeypatch.setitem(settings.ENV, "SMS_RECEIPT_SECRET", "")
    assert sms_gateway.receipt(client, message.pk, secret="").status_code == 403


def test_a_receipt_sent_again_changes_nothing(
    note: Note, sms_gateway: SmsGateway, mail_server: MailServer, run_jobs: Run, client: Client
) -> None:
    """The first final answer stays, whatever comes after it."""
    message = sms(run_jobs, email=EMAIL)
    for status in ("failed", "failed", "delivered"):
        assert sms_gateway.receipt(client, message.pk, status).status_code == 204
    assert state(message) == State.REFUSED
    assert message.fallbacks.count() == 1


def test_a_receipt_faster_than_the_worker_is_not_undone(note: Note, sms_gateway: SmsGateway, client: Client) -> None:
    message = make_message(channel=Channel.SMS, phone=PHONE, secret={"password": "bato-milu-73"})
    claimed = sending._claim(message.pk)
    assert claimed
    sms_gateway.receipt(client, message.pk)
    sending._record(claimed[0], sending.channels.Outcome(sending.channels.HANDED, provider_id="gw"))
    assert (state(message), message.secret) == (State.DELIVERED, None)


def test_a_receipt_settles_what_was_uncertain(note: Note, sms_gateway: SmsGateway, client: Client) -> None:
    message = make_message(channel=Channel.SMS, phone=PHONE)
    sending._claim(message.pk)
    Message.objects.update(state=State.UNCERTAIN)
    sms_gateway.receipt(client, message.pk)
    assert state(message) == State.DELIVERED


def test_nonsense_in_a_signed_receipt_is_answered_400_and_an_unknown_message_204(
    sms_gateway: SmsGateway, client: Client
) -> None:
    assert sms_gateway.receipt(client, "no-id").status_code == 400
    assert sms_gateway.receipt(client, uuid4(), "opened").status_code == 400
    assert sms_gateway.receipt(client, uuid4()).status_code == 204


def test_a_bounce_flags_the_mail_once(note: Note, mail_server: MailServer, run_jobs: Run) -> None:
    message = make_message(phone=PHONE)
    run_jobs()
    message.refresh_from_db()
    assert actions.bounced(message_id=message.message_id, reason=f"550 5.1.1 <{EMAIL}> unknown")
    assert (state(message), message.error) == (State.REFUSED, "550 5.1.1 … unknown")
    assert actions.bounced(message_id=message.message_id, reason="again") is None
    assert message.fallbacks.count() == 1


def test_a_bounce_for_another_address_or_message_is_not_ours(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    message = make_message()
    run_jobs()
    message.refresh_from_db()
    assert actions.bounced(message_id=message.message_id, reason="550", recipient="autre@exemple.test") is None
    assert actions.bounced(message_id="<unknown@exemple.test>", reason="550") is None
    assert state(message) == State.HANDED
