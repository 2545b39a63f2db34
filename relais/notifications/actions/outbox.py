"""Messages enter the outbox in the transaction of their cause, and leave it when no longer wanted."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.core import live
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.core.workflow import apply
from relais.notifications import permissions as may
from relais.notifications import vault
from relais.notifications.models import Channel, Message
from relais.notifications.workflow import State

SEND = "relais.notifications.tasks.send"


def topic(about: UUID) -> str:
    """The live topic of the messages about `about`."""
    return f"messages:{about}"


def move(message: Message, verb: str, **changes: Any) -> Message:
    """One transition of the outbox; the pages that show the message hear of it. Raises Refused when it has moved on."""
    return apply(message, verb, SYSTEM_ACTOR, _record, **changes)


def _record(message: Message, verb: str, actor: Actor, source: str) -> None:
    live.ping(*_watched(message))


def _watched(message: Message) -> list[str]:
    return ([topic(message.about)] if message.about else []) + message.topics


def queue(**fields: Any) -> Message:
    """Put one message in the outbox: with the caller's transaction it is sent, or has never existed. See `draft`."""
    return queue_all([draft(**fields)])[0]


def draft(
    *,
    type: str,  # noqa: A002 (the word of everybody who calls)
    about: UUID | None,
    holder_id: UUID | None,
    channel: str,
    email: str = "",
    phone: str = "",
    context: dict[str, Any] | None = None,
    secret: dict[str, Any] | None = None,
    send_after: datetime | None = None,
    topics: Iterable[str] = (),
) -> Message:
    """A message that is not in the outbox yet: `queue_all` puts in those of one cause together.

    `type` is the key of a registered MessageType; `channel` needs its address (`email` or `phone`), the other one
    serves the fallback. `context` holds what any reader of the text may know, `secret` what only this message may
    carry: encrypted, erased once sent. A message due now gets its job in the outbox; one with a later `send_after` is
    picked up by the sweep of each minute, which looks at the row alone, so that it survives restarts, lost jobs and a
    clock set right. `topics` are pinged, beside ``messages:<about>``, whenever its state changes. Raises ValueError
    when there is no address for `channel` (a bug of the caller).
    """
    addresses = {Channel.EMAIL: email, Channel.SMS: phone}
    chosen = Channel(channel)
    other = Channel.SMS if chosen == Channel.EMAIL else Channel.EMAIL
    if not addresses[chosen]:
        raise ValueError(f"A message {type} by {chosen} needs an address")
    return Message(
        type=type,
        about=about,
        holder_id=holder_id,
        channel=chosen,
        address=addresses[chosen],
        other_address=addresses[other],
        context=context or {},
        secret=vault.seal(secret) if secret else None,
        had_secret=bool(secret),
        send_after=send_after or timezone.now(),
        topics=list(topics),
    )


def queue_all(drafts: list[Message]) -> list[Message]:
    """The rows, a job for each that is due, one ping for all: in the caller's transaction."""
    rows = Message.objects.bulk_create(drafts)
    now = timezone.now()
    for message in rows:
        if message.send_after <= now:
            defer(message)
    live.ping(*(watched for message in rows for watched in _watched(message)))
    return rows


def add(**fields: Any) -> Message:
    """`queue_all` for one, whatever its fields."""
    return queue_all([Message(**fields)])[0]


def defer(message: Message) -> None:
    """One job to send `message`, in this transaction; the lock keeps a second from waiting beside it."""
    app.configure_task(SEND, queueing_lock=job_lock(message.pk)).defer(message_id=str(message.pk))


def job_lock(message_id: object) -> str:
    return f"message:{message_id}"


@whole
def cancel(*, about: UUID, types: Iterable[str] | None = None) -> int:
    """Drop what has not left yet about `about` (of these `types`, else of all); returns how many.

    What is being sent at this instant leaves nevertheless: nobody can call it back.
    """
    waiting = Message.objects.select_for_update(of=("self",)).filter(about=about, state=State.WAITING)
    if types is not None:
        waiting = waiting.filter(type__in=list(types))
    found = list(waiting.order_by("pk"))
    for message in found:
        move(message, "cancel", secret=None)
    return len(found)


@whole
def resend(
    *, actor: Actor, message: Message, email: str = "", phone: str = "", secret: dict[str, Any] | None = None
) -> Message:
    """Correct the address and send again, at once whatever was tried before (expectations C28).

    `email` or `phone`: the corrected address, which also says the channel; neither: the same address again. The
    old message, with the fallbacks that were tried, is no longer flagged. A message that carried a secret needs
    a new one (`secret`): the old one was erased and is never shown again, so its owner makes another.
    Raises NotFound for an actor who may not, Refused (a sentence) when it cannot be sent again.
    """
    if not may.can_resend(actor, message):
        raise NotFound
    old = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    _check_resend(old, secret)
    family = _family(old)
    for each in family:
        if each.state == State.WAITING:
            move(each, "cancel", secret=None)
    Message.objects.filter(pk__in=[each.pk for each in family]).update(replaced=True)
    channel = Channel.EMAIL if email else Channel.SMS if phone else Channel(old.channel)
    return add(
        type=old.type,
        about=old.about,
        holder_id=old.holder_id,
        channel=channel,
        address=email or phone or old.address,
        other_address=old.other_address if channel == old.channel else old.address,
        context=old.context,
        topics=old.topics,
        secret=vault.seal(secret) if secret else None,
        had_secret=bool(secret),
        send_after=timezone.now(),
    )


def _check_resend(old: Message, secret: dict[str, Any] | None) -> None:
    if old.replaced:
        raise Refused(_("Ce message a déjà été renvoyé. Rechargez la page."))
    if old.state == State.SENDING:
        raise Refused(_("L’envoi est en cours. Attendez une minute, puis rechargez la page."))
    if old.had_secret and not secret:
        raise Refused(_("Ce message contenait un code, qui a été effacé. Envoyez un nouvel accès."))


def _family(message: Message) -> list[Message]:
    """The message, the one it stands in for, and the fallbacks of both."""
    root = message.fallback_of_id or message.pk
    rows = Message.objects.select_for_update(of=("self",))
    return [*rows.filter(pk=root).order_by("pk"), *rows.filter(fallback_of=root).order_by("pk")]
