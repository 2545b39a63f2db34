"""The mail server's own conditions: encryption, addresses and settings that cannot be."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from relais.core import certificate
from relais.notifications import checks
from relais.notifications.channels import smtp
from relais.notifications.models import Message
from relais.notifications.testing import MailServer
from relais.notifications.tests.make import make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
Run = Callable[[], int]


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mail server that wants STARTTLS; the certificate that it shows."""
    chain, key = certificate.ensure(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = MailServer(tls=context)
    server.start()
    monkeypatch.setitem(settings.ENV, "SMTP_URL", server.url)
    yield chain
    server.stop()


def sent(run_jobs: Run, **fields: object) -> Message:
    message = make_message(**fields)
    run_jobs()
    message.refresh_from_db()
    return message


def test_a_server_is_believed_by_its_certificate(
    note: Note, encrypted: Path, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted))
    assert sent(run_jobs).state == State.HANDED


def test_a_server_with_an_unknown_certificate_gets_nothing(note: Note, encrypted: Path, run_jobs: Run) -> None:
    message = sent(run_jobs)
    assert message.state == State.WAITING
    assert message.error == "Le certificat du serveur de messagerie n’est pas reconnu."


@pytest.mark.parametrize(
    "address", ["zoé@exemple.test", "a@exemple.test\r\nBcc: b@exemple.test", "a b@exemple.test", "a"]
)
def test_an_address_that_mail_cannot_carry_is_refused(
    note: Note, mail_server: MailServer, run_jobs: Run, address: str
) -> None:
    assert sent(run_jobs, email=address).state == State.REFUSED
    assert not mail_server.received


@pytest.mark.parametrize("url", ["mail.exemple.test", "http://mail.exemple.test", "smtp://", "smtp://x:port"])
def test_a_setting_that_names_no_server_is_said_at_start_and_keeps_messages_waiting(
    note: Note, run_jobs: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setitem(settings.ENV, "SMTP_URL", url)
    assert [each.id for each in checks.smtp_url()] == ["notifications.E002"]
    assert sent(run_jobs).state == State.WAITING


def test_the_setting_is_read_with_its_encryption_and_escapes() -> None:
    server = smtp.Server.parse("smtps://relais%40exemple.test:p%3Aw@mail.exemple.test")
    assert (server.port, server.user, server.password) == (465, "relais@exemple.test", "p:w")
    assert (server.implicit_tls, server.starttls, server.timeout) == (True, False, 30.0)
    server = smtp.Server.parse("smtp://mail.exemple.test?tls=1&timeout=5")
    assert (server.port, server.implicit_tls, server.starttls, server.timeout) == (587, False, True, 5.0)


def test_production_refuses_a_database_with_demonstration_messages(
    note: Note, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(run_jobs)
    assert checks.no_demo_copies(databases=["default"]) == []
    monkeypatch.setattr(settings, "PRODUCTION", True)
    assert [each.id for each in checks.no_demo_copies(databases=["default"])] == ["notifications.E001"]


def test_outside_demonstrations_nothing_is_kept_and_the_message_waits(
    note: Note, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DEMO", False)
    message = sent(run_jobs)
    assert message.state == State.WAITING
    assert not hasattr(message, "demo_copy")
