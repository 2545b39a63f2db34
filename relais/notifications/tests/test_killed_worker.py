"""A real worker process, killed with `kill -9` in the middle of handing a mail over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from relais.notifications import queries, sending
from relais.notifications.models import Message
from relais.notifications.testing import MailServer, drain
from relais.notifications.tests.make import make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0

SCRIPT = """
import sys, uuid, django
django.setup()
from relais.notifications import registry, sending
from relais.notifications.tests.types import Note
registry.register(Note())
sending.send(uuid.UUID(sys.argv[1]))
"""


def database_url() -> str:
    """The tests' own database, as another process reaches it."""
    words = connection.settings_dict
    user, password, host = (quote(str(words[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
    where = f"@{host}:{words['PORT'] or 5432}/{words['NAME']}" if "/" not in str(words["HOST"]) else (
        f"@/{words['NAME']}?host={host}&port={words['PORT'] or 5432}"
    )  # fmt: skip
    return f"postgresql://{user}:{password}{where}"


@pytest.fixture
def worker(note: Note, mail_server: MailServer) -> Iterator[tuple[subprocess.Popen[bytes], Message]]:
    """A process that is sending one message to a server that takes its time."""
    mail_server.slow = PATIENCE
    message = make_message(secret={"password": "bato-milu-73"})
    environment = os.environ | {
        "DATABASE_URL": database_url(), "SMTP_URL": mail_server.url.replace("timeout=5", "timeout=60"),
        "DJANGO_SETTINGS_MODULE": "config.settings", "SECRETS_KEY_FILE": str(settings.SECRETS_KEY_FILE),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(message.pk)], cwd=settings.BASE_DIR, env=environment)
    deadline = time.monotonic() + PATIENCE
    while not mail_server.attempts and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    yield process, message
    process.kill()
    process.wait()


def test_killed_in_the_middle_it_is_at_worst_uncertain_and_never_sent_twice(
    worker: tuple[subprocess.Popen[bytes], Message], mail_server: MailServer
) -> None:
    """The attempt was committed before the call, so its death shows; nobody sends it again without being asked."""
    process, message = worker
    assert mail_server.attempts == 1
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.SENDING, 1)
    assert message.message_id
    drain()
    Message.objects.update(attempted_at=timezone.now() - timedelta(minutes=11))
    sending.mark_uncertain()
    drain()
    message.refresh_from_db()
    assert (message.state, message.secret) == (State.UNCERTAIN, None)
    assert message.about in queries.problems([message.about])  # type: ignore[list-item]
    assert mail_server.attempts == 1
