"""Messages enter the outbox with their cause, or not at all."""

from uuid import uuid4

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from relais.notifications import actions, queries, sending, vault
from relais.notifications.models import Channel, OneTimeCode
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db


def test_queue_writes_row_and_job() -> None:
    """One message, one job, in the caller's transaction; its secret is not readable in the table."""
    message = actions.queue(
        type="notifications.code",
        about=uuid4(),
        holder_id=uuid4(),
        channel=Channel.EMAIL,
        email="camille@exemple.test",
        secret={"code": "123456"},
        context={"code_id": str(uuid4())},
    )
    assert message.state == State.WAITING
    assert b"123456" not in bytes(message.secret)
    assert vault.unseal(message.secret) == {"code": "123456"}
    assert ProcrastinateJob.objects.get().args == {"message_id": str(message.pk)}


def test_a_code_reaches_the_demo_page_when_no_gateway_is_configured() -> None:
    """Code sent, handed over, its secret erased, readable on the demo page alone; then it opens once."""
    holder = uuid4()
    actions.send_code(holder_id=holder, purpose="device", about=None, channel="sms", address="06 39 98 00 01")
    message = OneTimeCode.objects.get() and queries.Message.objects.get()
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.state, message.secret) == (State.HANDED, None)
    (copy,) = queries.demo_copies([holder])
    digits = copy["text"].split("est ")[1][:6]
    actions.check_code(holder_id=holder, purpose="device", about=None, code=digits)
