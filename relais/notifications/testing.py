"""pytest plugin: a real mail server, a real SMS gateway, and the jobs of the queue run inside a test.

    def test_booking_stands_without_mail_server(mail_server, run_jobs): ...

`mail_server` and `sms_gateway` listen on the loopback in threads of this process and the settings point at them;
without them messages go to the demo page. `run_jobs()` does what a worker would in the next minute.
"""

import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from relais.notifications import sending

SECRET = "receipt-secret-of-the-tests"  # noqa: S105 (tests)
ROUNDS = 50


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class MailServer:
    """The mails received, and what to do with the next ones.

    refused, postponed: addresses answered 550 and 451; slow: seconds before each answer to DATA;
    drop_after_data: close the connection without answering once the message was received; `stop()`: down.
    """

    port: int = field(default_factory=_free_port)
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    attempts: int = 0  # DATA completed, answered or not
    refused: set[str] = field(default_factory=set)
    postponed: set[str] = field(default_factory=set)
    refuse_data: str = ""
    slow: float = 0.0
    drop_after_data: bool = False
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None  # STARTTLS, and nothing before it
    _controller: Controller | None = None

    @property
    def url(self) -> str:
        credentials = f"{self.user}:{self.password}@" if self.user else ""
        return f"smtp://{credentials}127.0.0.1:{self.port}?timeout=5{'&tls=1' if self.tls else ''}"

    def start(self) -> None:
        options: dict[str, Any] = {"decode_data": False, "server_hostname": "mail.exemple.test"}
        if self.tls:
            options |= {"tls_context": self.tls, "require_starttls": True}
        if self.user:
            options |= {"authenticator": self._authenticate, "auth_require_tls": False}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()

    def stop(self) -> None:
        """Down: connections are refused until `start()`."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def to(self, address: str) -> list[EmailMessage]:
        return [each for each in self.received if each["To"] == address]

    def text(self, number: int = -1) -> str:
        """The plain text of one received mail (the last)."""
        body = self.received[number].get_body(("plain",))
        return body.get_content() if body else ""

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (self.user.encode(), self.password.encode())
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return f"550 5.1.1 <{address}>: Recipient address rejected: unknown user"
        if address in self.postponed:
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        import asyncio  # noqa: PLC0415 (only the server's loop needs it)

        self.attempts += 1
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.refuse_data:
            return self.refuse_data
        if self.drop_after_data:
            if server.transport:
                server.transport.close()
            return "421 gone"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.received.append(message_from_bytes(content, policy=policy.default))
        self.envelopes.append(envelope)
        return "250 OK kept"


@dataclass
class SmsGateway:
    """The SMS received, and what to do with the next ones.

    refused: numbers (+33…) answered 422; failures: how many of the next requests get a 500; slow: seconds before
    the answer; drop: close without answering. `receipt()` sends what the gateway would, signed, to `client`.
    """

    port: int = 0
    received: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    requests: int = 0
    refused: set[str] = field(default_factory=set)
    failures: int = 0
    slow: float = 0.0
    drop: bool = False
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"

    def start(self) -> None:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gateway.answer(self)

            def log_message(self, *arguments: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Down: connections are refused until `start()`."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def to(self, number: str) -> list[str]:
        """The texts sent to a number, in E.164 (+33…)."""
        return [each["text"] for each in self.received if each["to"] == number]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.requests += 1
        self.tokens.append(handler.headers.get("Authorization", ""))
        time.sleep(self.slow)
        if self.drop:
            handler.close_connection = True
            return
        if self.failures:
            self.failures -= 1
            _reply(handler, 500, {"error": "maintenance"})
        elif body["to"] in self.refused:
            _reply(handler, 422, {"error": f"unknown subscriber {body['to']}"})
        else:
            if all(each["reference"] != body["reference"] for each in self.received):  # its contract: once a reference
                self.received.append(body)
            _reply(handler, 202, {"id": f"gw-{body['reference'][:8]}"})

    def receipt(
        self, client: Client, reference: Any, status: str = "delivered", *, reason: str = "",
        secret: str = SECRET, at: float | None = None,
    ) -> Any:  # fmt: skip
        """The answer to a receipt for `reference` (a message's id), as the gateway posts it."""
        body = json.dumps({"id": "gw", "reference": str(reference), "status": status, "reason": reason}).encode()
        stamp = str(int(time.time() if at is None else at))
        signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return client.post(
            reverse("notifications:receipt"), body, content_type="application/json",
            headers={"X-Relais-Timestamp": stamp, "X-Relais-Signature": f"sha256={signature}"},
        )  # fmt: skip


def _reply(handler: BaseHTTPRequestHandler, status: int, body: dict[str, str]) -> None:
    content = json.dumps(body).encode()
    with contextlib.suppress(OSError):  # the caller may have gone
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A real SMTP server, up, which the settings name."""
    server = MailServer()
    server.start()
    monkeypatch.setitem(settings.ENV, "SMTP_URL", server.url)
    yield server
    server.stop()


@pytest.fixture
def sms_gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsGateway]:
    """A real HTTP gateway, up, which the settings name."""
    gateway = SmsGateway()
    gateway.start()
    monkeypatch.setitem(settings.ENV, "SMS_URL", gateway.url)
    monkeypatch.setitem(settings.ENV, "SMS_TOKEN", f"token-{uuid4().hex}")
    monkeypatch.setitem(settings.ENV, "SMS_RECEIPT_SECRET", SECRET)
    yield gateway
    gateway.stop()


@pytest.fixture
def run_jobs(db: None) -> Callable[[], int]:
    """`run_jobs()`: the minute's sweep, then every job that is due, one after the other, in this test's transaction.

    Returns how many ran. An error of a job comes out here. Jobs that jobs defer run too.
    """
    return drain


def drain() -> int:
    """See `run_jobs`."""
    sending.sweep()
    ran = 0
    for _round in range(ROUNDS):
        due = ProcrastinateJob.objects.filter(status="todo").order_by("-priority", "id")
        jobs = [job for job in due if job.scheduled_at is None or job.scheduled_at <= timezone.now()]
        if not jobs:
            return ran
        for job in jobs:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])
            app.tasks[job.task_name].func(**job.args)
            ran += 1
    raise AssertionError("Jobs defer each other without end.")
