"""Message types: each module registers its own (from its AppConfig.ready); the outbox knows none by name."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from relais.notifications.models import Message


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Rendered:
    """What leaves: never health data, only « vous avez un message » (architecture, Messages).

    The first address in `text` becomes the one button of the e-mail, labelled `button`.
    """

    subject: str  # unused by SMS
    text: str
    attachments: list[Attachment] = field(default_factory=list)
    button: str = "Ouvrir"


class MessageType(Protocol):
    """A kind of message. `secret` holds what only this message may carry (a password, a code)."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str:
        """As staff see it, in French."""

    @property
    def fallback(self) -> bool:
        """Try the other channel when this one is refused."""

    def still_wanted(self, message: Message) -> bool:
        """Asked again just before sending: a reminder of a cancelled appointment is not."""

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        """The text in the words of `message.channel`. Called before the attempt; it must not write."""

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A (context, secret) pair for the test that renders every type and looks for leaks."""


TYPES: dict[str, MessageType] = {}


def register(message_type: MessageType) -> None:
    TYPES[message_type.key] = message_type


def label(key: str) -> str:
    """The type as staff see it; its key when no module registers it any more."""
    return TYPES[key].label if key in TYPES else key
