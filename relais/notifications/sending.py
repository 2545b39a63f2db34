"""Sending: what is known is committed before and after each call, so that a death in between shows."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from relais.core.errors import Refused
from relais.notifications import channels, vault
from relais.notifications.actions.outbox import defer, move
from relais.notifications.actions.outcomes import clean, refuse
from relais.notifications.models import Message
from relais.notifications.registry import TYPES, Rendered
from relais.notifications.workflow import State

# Minutes before the next attempt, by the number of those made; then every hour until a day has passed.
BACK_OFF = (1, 5, 15, 60)
ATTEMPTS = 27  # 1 + 5 + 15 + 23 × 60 minutes: the last one a day after the first
SILENT = timedelta(minutes=10)  # without outcome: the worker is dead (every call has shorter time-outs)
SWEEP = 1000
logger = logging.getLogger(__name__)


def send(message_id: UUID) -> None:
    """Send the message if it waits and is due; safe to call twice, at once or again (jobs are idempotent)."""
    claimed = _claim(message_id)
    if claimed is None:
        return
    message, rendered = claimed
    outcome = channels.sender(message.channel)(message, rendered)
    _record(message, outcome)


def _claim(message_id: UUID) -> tuple[Message, Rendered] | None:
    """Commit the attempt, with its Message-ID, before any call; None when there is nothing to send."""
    try:
        with transaction.atomic():
            message = Message.objects.select_for_update(of=("self",)).filter(pk=message_id).first()
            if message is None or message.state != State.WAITING or message.send_after > timezone.now():
                return None
            known = TYPES.get(message.type)
            if known is None:
                refuse(message, f"Le type {message.type} n’existe plus.")
                return None
            if not known.still_wanted(message):
                move(message, "cancel", secret=None)
                return None
            rendered = known.render(message, vault.unseal(message.secret) if message.secret else {})
            claimed = move(
                message,
                "claim",
                attempts=message.attempts + 1,
                attempted_at=timezone.now(),
                message_id=message.message_id or _new_message_id(),
            )
            return claimed, rendered
    except Exception:
        # A bug in a text: nothing was sent. It waits like any other, and the error is reported where bugs are.
        _postpone(message_id, "Le message n’a pas pu être préparé.", count=True)
        raise


def _record(message: Message, outcome: channels.Outcome) -> None:
    """Commit what the channel said; a receipt that was faster is not undone."""
    try:
        if outcome.result == channels.HANDED:
            move(message, "hand", handed_at=timezone.now(), provider_id=outcome.provider_id, error="", secret=None)
        elif outcome.result == channels.REFUSED:
            refuse(message, outcome.reason)
        elif outcome.result == channels.UNCERTAIN:
            move(message, "lose", error=clean(outcome.reason), secret=None)
        else:
            _postpone(message.pk, outcome.reason)
    except Refused:
        logger.info("Message %s had moved on before its outcome (%s)", message.pk, outcome.result)


@transaction.atomic
def _postpone(message_id: UUID, reason: str, *, count: bool = False) -> None:
    """Wait for the next attempt, or give up after a day. `count`: this one failed before it was counted."""
    message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
    attempts = message.attempts + count
    if attempts >= ATTEMPTS:
        refuse(message, reason)
        return
    minutes = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    changes: dict[str, Any] = {"send_after": timezone.now() + timedelta(minutes=minutes), "error": clean(reason)}
    move(message, "postpone", attempts=attempts, **changes)


def sweep() -> None:
    """Give a job to each message that is due and has none waiting."""
    waiting_job = ProcrastinateJob.objects.filter(
        status="todo", queueing_lock=Concat(Value("message:"), Cast(OuterRef("pk"), CharField()))
    )
    due = Message.objects.filter(state=State.WAITING, send_after__lte=timezone.now()).exclude(Exists(waiting_job))
    with transaction.atomic():
        for message in due.order_by("send_after", "pk")[:SWEEP]:
            defer(message)


def mark_uncertain() -> None:
    """A message whose sending began 10 minutes ago and never ended: staff are told, nobody sends it again alone."""
    silent = Message.objects.filter(state=State.SENDING, attempted_at__lt=timezone.now() - SILENT)
    for message in silent.order_by("attempted_at", "pk")[:SWEEP]:
        try:
            move(message, "lose", error="L’envoi a été interrompu.", secret=None)
        except Refused:
            continue  # its outcome came at this instant


def _new_message_id() -> str:
    """Ours, unguessable, the same for all attempts, so that a mail server can recognise a repetition."""
    domain = settings.ENV["MAIL_FROM"].rpartition("@")[2].strip(" >") or "relais.invalid"
    return f"<{uuid4().hex}@{domain}>"
