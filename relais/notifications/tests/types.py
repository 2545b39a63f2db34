"""Two message types for these tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from relais.notifications import registry
from relais.notifications.models import Message
from relais.notifications.registry import Attachment, Rendered

LINK = "https://relais.exemple.test/p/00000000-0000-4000-8000-000000000000/"


@dataclass
class Note:
    """Says hello; `wanted` and `broken` change what happens just before sending."""

    key: str = "test.note"
    label: str = "Note d’essai"
    fallback: bool = True
    wanted: bool = True
    broken: bool = False
    asked: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    def still_wanted(self, message: Message) -> bool:
        self.asked.append(message.channel)
        return self.wanted

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        if self.broken:
            raise KeyError("a name that the context lacks")
        word = f" Mot de passe : {secret['password']}" if secret else ""
        text = f"Bonjour {message.context.get('first_name', '')},\n\nVotre espace : {LINK}{word}"
        return Rendered("Votre rendez-vous vidéo", text, self.attachments)

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"first_name": "Camille"}, {"password": "bato-milu-73"}


@pytest.fixture
def note() -> Iterator[Note]:
    found = Note()
    registry.register(found)
    yield found
    del registry.TYPES[found.key]
