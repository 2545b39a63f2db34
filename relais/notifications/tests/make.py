"""Messages for these tests."""

from typing import Any
from uuid import uuid4

from relais.notifications import actions
from relais.notifications.models import Channel, Message

EMAIL = "camille@exemple.test"
PHONE = "06 39 98 00 01"
E164 = "+33639980001"


def make_message(**fields: Any) -> Message:
    """A note to Camille by e-mail, due now, with no other address."""
    words: dict[str, Any] = {
        "type": "test.note", "about": uuid4(), "holder_id": uuid4(), "channel": Channel.EMAIL, "email": EMAIL,
        "context": {"first_name": "Camille"},
    }  # fmt: skip
    return actions.queue(**{**words, **fields})
