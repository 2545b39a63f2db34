"""What the tests of the door share: a page to land on, and the patient's gestures."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from relais.notifications import vault
from relais.notifications.models import Message
from relais.patients import entry
from relais.patients.middleware import actor_of
from relais.patients.models import Grant
from relais.patients.testing import let_in

MOBILE = "+33639980001"
HOME = "/p/quitter/"


@pytest.fixture
def landing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The space belongs to a higher layer: here one lands on a page of our own."""
    monkeypatch.setattr(entry, "AFTER_ENTRY", "patient:leave")


def url(grant: Grant, name: str = "entry") -> str:
    return reverse(f"patient:{name}", args=[grant.pk])


def show(client: Client, grant: Grant, secrets: dict[str, str], **changes: Any) -> Any:
    """Send login and password, as the form of the link does."""
    return client.post(url(grant), {**secrets, "remember": "on", **changes})


def current(client: Client) -> Any:
    """The actor that this browser's cookie names."""
    cookie = client.cookies.get(settings.PATIENT_COOKIE_NAME)
    return actor_of(cookie.value) if cookie else None


def codes() -> list[str]:
    """The codes that were sent, oldest first."""
    sent = Message.objects.filter(type="notifications.code").order_by("created_at")
    return [vault.unseal(message.secret)["code"] for message in sent if message.secret]


def let_in_too(client: Client, grant: Grant) -> None:
    """One more way in, the current one, as a family's telephone has."""
    before = client.cookies[settings.PATIENT_COOKIE_NAME].value
    let_in(client, grant)
    after = client.cookies[settings.PATIENT_COOKIE_NAME].value
    client.cookies[settings.PATIENT_COOKIE_NAME] = f"{after}.{before}"
