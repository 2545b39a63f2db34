"""What became of a message after it left: receipts of the SMS gateway, bounces of the mail server."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from relais.core.errors import Refused
from relais.notifications.actions.outbox import add, move
from relais.notifications.models import Channel, Message
from relais.notifications.registry import TYPES

ADDRESS = re.compile(r"\S*@\S*|\+?\d(?:[ .-]?\d){8,}")
TOGETHER = timedelta(seconds=60)  # two messages of one act
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def clean(reason: str) -> str:
    """What a server said, in one line of at most 300 characters, without the addresses that it repeated."""
    return ADDRESS.sub("…", CONTROL.sub(" ", reason)).strip()[:300]


@transaction.atomic
def refuse(message: Message, reason: str) -> Message:
    """Note that `message` will not arrive, and try the other channel when its type asks for it.

    The fallback takes over the secret if it is still there; once handed over it was erased, so a message that
    bounces later with a secret is only flagged. A fallback has none of its own. Raises Refused when the message
    has moved on.
    """
    locked = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    secret = locked.secret
    refused = move(locked, "refuse", error=clean(reason), secret=None, settled_at=timezone.now())
    if _wants_fallback(refused, lost=refused.had_secret and secret is None):
        add(
            type=refused.type,
            about=refused.about,
            holder_id=refused.holder_id,
            channel=_other(refused.channel),
            address=refused.other_address,
            context=refused.context,
            topics=refused.topics,
            secret=secret,
            had_secret=refused.had_secret,
            fallback_of=refused,
        )
    return refused


def _other(channel: str) -> Channel:
    return Channel.SMS if channel == Channel.EMAIL else Channel.EMAIL


def _wants_fallback(refused: Message, *, lost: bool) -> bool:
    """Whether the other channel is still to be tried: not for a secret that is lost, nor after a correction, nor
    when the same thing was sent by both channels from the start (a report: e-mail and SMS, TC-48)."""
    known = TYPES.get(refused.type)
    if not known or not known.fallback or not refused.other_address or lost:
        return False
    if refused.fallback_of_id or refused.replaced:
        return False
    twins = Message.objects.filter(
        type=refused.type,
        about=refused.about,
        holder_id=refused.holder_id,
        channel=_other(refused.channel),
        created_at__range=(refused.created_at - TOGETHER, refused.created_at + TOGETHER),
    )
    return not twins.exists()


def bounced(*, message_id: str, reason: str, recipient: str = "") -> Message | None:
    """A report of non-delivery came back for our Message-ID `message_id` (with its angle brackets).

    Returns the message, now REFUSED; None when it is not ours, was for another address than `recipient`, or has
    settled already. Safe to call twice.
    """
    message = Message.objects.filter(message_id=message_id, channel=Channel.EMAIL).order_by("pk").first()
    if message is None or (recipient and recipient.lower() != message.address.lower()):
        return None
    return _settle(message, "refuse", reason)


def receipt(*, reference: UUID, delivered: bool, reason: str = "") -> Message | None:
    """The gateway says what became of the SMS `reference` (our id). The first final answer stays: safe to repeat.

    Returns the message, None when there is none or it has settled already.
    """
    message = Message.objects.filter(pk=reference, channel=Channel.SMS).first()
    if message is None:
        return None
    return _settle(message, "deliver" if delivered else "refuse", reason)


def _settle(message: Message, verb: str, reason: str) -> Message | None:
    now: dict[str, Any] = {"settled_at": timezone.now(), "secret": None}
    try:
        if verb == "refuse":
            return refuse(message, reason) if message.attempts else None
        return move(message, verb, error="", **now)
    except Refused:
        return None
