"""The HTTP gateway: what it is told, and each of its failures."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from relais.notifications.models import Channel, Message
from relais.notifications.testing import SmsGateway
from relais.notifications.tests.make import PHONE, make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
Run = Callable[[], int]


def due_now(message: Message) -> None:
    """The time of the next attempt has come."""
    Message.objects.filter(pk=message.pk).update(send_after=timezone.now() - timedelta(seconds=1))


def state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_the_gateway_gets_token_reference_and_text_without_costly_characters(
    note: Note, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    message = make_message(channel=Channel.SMS, phone=PHONE, context={"first_name": "Zoë l’aînée"})
    run_jobs()
    message.refresh_from_db()
    (body,) = sms_gateway.received
    assert body["text"].startswith("Bonjour Zoe l'ainée,")
    assert body["reference"] == str(message.pk)
    assert body["callback"].endswith("/messages/recus/")
    assert sms_gateway.tokens == [f"Bearer {settings.ENV['SMS_TOKEN']}"]
    assert (message.state, message.provider_id) == (State.HANDED, f"gw-{str(message.pk)[:8]}")


def test_a_gateway_in_trouble_gets_the_message_later(note: Note, sms_gateway: SmsGateway, run_jobs: Run) -> None:
    sms_gateway.failures = 1
    message = make_message(channel=Channel.SMS, phone=PHONE)
    run_jobs()
    assert state(message) == State.WAITING
    assert message.error == "500 maintenance"
    due_now(message)
    run_jobs()
    assert state(message) == State.HANDED


def test_a_gateway_that_hangs_up_is_asked_again_and_sends_once(
    note: Note, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    sms_gateway.drop = True
    message = make_message(channel=Channel.SMS, phone=PHONE)
    run_jobs()
    assert state(message) == State.WAITING
    sms_gateway.drop = False
    due_now(message)
    run_jobs()
    assert state(message) == State.HANDED
    assert len(sms_gateway.received) == 1


def test_what_is_no_number_is_refused_before_any_call(note: Note, sms_gateway: SmsGateway, run_jobs: Run) -> None:
    message = make_message(channel=Channel.SMS, phone="voir dossier")
    run_jobs()
    assert state(message) == State.REFUSED
    assert sms_gateway.requests == 0
