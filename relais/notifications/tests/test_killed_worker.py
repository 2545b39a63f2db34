"""A real worker process: it hands a mail over, and is killed with `kill -9` in the middle of doing so."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from relais.notifications import actions, queries, sending
from relais.notifications.models import Message
from relais.notifications.testing import MailServer, drain
from relais.notifications.tests.make import EMAIL
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0


def database_url() -> str:
    """The tests' own database, as another process reaches it."""
    words = connection.settings_dict
    user, password, host = (quote(str(words[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
    where = f"@{host}:{words['PORT'] or 5432}/{words['NAME']}" if "/" not in str(words["HOST"]) else (
        f"@/{words['NAME']}?host={host}&port={words['PORT'] or 5432}"
    )  # fmt: skip
    return f"postgresql://{user}:{password}{where}"


@pytest.fixture
def worker(mail_server: MailServer) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker` on the tests' database and mail server."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "SMTP_URL": mail_server.url.replace("timeout=5", "timeout=60"),
        "SECRETS_KEY_FILE": str(settings.SECRETS_KEY_FILE),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=settings.BASE_DIR, env=environment)
    yield process
    process.kill()
    process.wait()
    with connection.cursor() as cursor:  # these tables are not Django's: no test empties them
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")


def send_a_code() -> Message:
    actions.send_code(holder_id=uuid4(), purpose="device", about=uuid4(), channel="email", address=EMAIL)
    return Message.objects.get()


def wait_until(true: Callable[[], object], worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert worker.poll() is None, "the worker ended"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_hands_over_what_was_committed(worker: subprocess.Popen[bytes], mail_server: MailServer) -> None:
    message = send_a_code()
    wait_until(lambda: Message.objects.filter(state=State.HANDED).exists(), worker)
    message.refresh_from_db()
    assert (len(mail_server.to(EMAIL)), message.secret) == (1, None)


def test_killed_in_the_middle_it_is_at_worst_uncertain_and_never_sent_twice(
    worker: subprocess.Popen[bytes], mail_server: MailServer
) -> None:
    """The attempt was committed before the call, so its death shows; nobody sends it again without being asked."""
    mail_server.slow = PATIENCE
    message = send_a_code()
    wait_until(lambda: mail_server.attempts, worker)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.SENDING, 1)
    assert message.message_id
    sending.send(message.pk)  # its job, given to another worker
    Message.objects.update(attempted_at=timezone.now() - timedelta(minutes=11))
    sending.mark_uncertain()
    drain()
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.state, message.secret) == (State.UNCERTAIN, None)
    assert message.about in queries.problems([message.about])  # type: ignore[list-item]
    assert mail_server.attempts == 1
