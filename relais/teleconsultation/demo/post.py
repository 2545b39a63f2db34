"""The messages of one appointment of the demo region, each with the state that it would have by now."""

import random
from datetime import datetime, timedelta
from typing import Any

from relais.core.demo import new_id
from relais.notifications.models import Channel, Message
from relais.notifications.workflow import State
from relais.patients.models import Grant
from relais.teleconsultation import messages
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import staff_topics

MINUTE = timedelta(minutes=1)
REFUSALS = {Channel.SMS: "Numéro non attribué", Channel.EMAIL: "550 5.1.1 Boîte inconnue"}


class Post:
    """Collects the messages; `now` decides which ones have left."""

    def __init__(
        self, tele: Teleconsultation, grant: Grant, booked: datetime, now: datetime, rng: random.Random
    ) -> None:
        self.tele, self.grant, self.booked, self.now, self.rng = tele, grant, booked, now, rng
        self.ended: datetime | None = tele.ended_at
        self.rest: list[Message] = []
        self.words = messages._context(tele, grant) | {"sequence": int(booked.timestamp()) % 2**31}

    def all(self, *, refused: bool) -> list[Message]:
        """The access, the reminders and what else was sent. One access in sixty is refused, always so when `refused`."""
        both = bool(self.grant.email and self.grant.phone)
        first = Channel.EMAIL if self.grant.email else Channel.SMS
        fails = refused or self.rng.random() < 1 / 60
        access = [self._message(messages.BOOKED, first, self.booked, secret=True, fails=fails and not both)]
        if both:
            access.append(self._message(messages.PASSWORD, Channel.SMS, self.booked, secret=True, fails=fails))
        return [*access, *self._reminders(), *self.rest]

    def send(self, kind: str, channel: str, at: datetime, *, to: Grant | None = None) -> None:
        self.rest.append(self._message(kind, channel, at, to=to, secret=to is not None))

    def cancelled(self, at: datetime) -> None:
        """The appointment was cancelled then: the patient was told, the reminders were dropped."""
        self.ended = at
        for channel in self._channels():
            self.send(messages.CANCELLED, channel, at)

    def document(self, at: datetime) -> None:
        """A document was shared then."""
        self.send(messages.DOCUMENT, self._channels()[0], at)

    def _channels(self) -> list[str]:
        known = ((Channel.SMS, self.grant.phone), (Channel.EMAIL, self.grant.email))
        return [channel for channel, address in known if address]

    def _reminders(self) -> list[Message]:
        channel = Channel.SMS if self.grant.phone else Channel.EMAIL
        due = [(kind, self.tele.starts_at - before) for kind, before in messages.REMINDERS.items()]
        made = []
        for kind, at in due:
            if at > self.booked:
                made.append(self._message(kind, channel, at))
        return made

    def _message(
        self,
        kind: str,
        channel: str,
        at: datetime,
        *,
        to: Grant | None = None,
        secret: bool = False,
        fails: bool = False,
    ) -> Message:
        grant = to or self.grant
        addresses = {Channel.EMAIL: grant.email, Channel.SMS: grant.phone}
        other = Channel.SMS if channel == Channel.EMAIL else Channel.EMAIL
        message = Message(
            id=new_id(self.rng),
            created_at=min(at, self.booked) if kind in messages.REMINDERS else at,
            type=kind,
            about=self.tele.pk,
            holder_id=grant.pk,
            channel=channel,
            address=addresses[Channel(channel)],
            other_address=addresses[other],
            context=self.words,
            topics=staff_topics(self.tele),
            had_secret=secret,
            send_after=at,
        )
        for name, value in self._fate(Channel(channel), kind, at, message, fails=fails).items():
            setattr(message, name, value)
        return message

    def _fate(self, channel: Channel, kind: str, at: datetime, message: Message, *, fails: bool) -> dict[str, Any]:
        if kind in messages.REMINDERS and self.ended and self.ended < at:
            return {"state": State.CANCELLED}
        if at > self.now:
            return {"state": State.WAITING}
        known = {"attempts": 1, "attempted_at": at, "handed_at": at}
        ours = {"message_id": f"<{message.pk}@exemple.test>"} if channel == Channel.EMAIL else {}
        theirs = {"provider_id": f"demo-{message.pk.hex[:16]}"} if channel == Channel.SMS else {}
        if fails:
            return {"state": State.REFUSED, "settled_at": at + MINUTE, "error": REFUSALS[channel], **known, **ours}
        if channel == Channel.SMS:  # a gateway tells that it arrived, a mail server does not
            return {"state": State.DELIVERED, "settled_at": at + MINUTE / 4, **known, **theirs}
        return {"state": State.HANDED, **known, **ours}
