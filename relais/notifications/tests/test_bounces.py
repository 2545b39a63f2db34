"""A report of non-delivery flags the message; no other mail does."""

import io
import mailbox
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from relais.notifications import bounces
from relais.notifications.models import Message
from relais.notifications.testing import MailServer
from relais.notifications.tests.make import EMAIL, make_message
from relais.notifications.tests.types import Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.exemple.test
To: ne-pas-repondre@exemple.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="frontier"

--frontier
Content-Type: text/plain; charset=us-ascii

I could not deliver your message.

--frontier
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.exemple.test
Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0100

Final-Recipient: rfc822; {final}
Original-Recipient: rfc822;{original}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{final}>: Recipient address rejected:
    User unknown

--frontier
Content-Type: {kind}

From: Relais <ne-pas-repondre@exemple.test>
To: {original}
Message-ID: {message_id}
Subject: =?utf-8?q?Votre_rendez-vous_vid=C3=A9o?=
{rest}
--frontier--
"""


@pytest.fixture
def sent(note: Note, mail_server: MailServer, run_jobs: Callable[[], int]) -> Message:
    message = make_message()
    run_jobs()
    message.refresh_from_db()
    return message


def report(message_id: str, *, action: str = "failed", kind: str = "message/rfc822", original: str = EMAIL) -> bytes:
    rest = "\nBonjour\n" if kind == "message/rfc822" else ""
    words = {"message_id": message_id, "action": action, "kind": kind, "original": original, "rest": rest}
    return REPORT.format(final=original, **words).replace("\n", "\r\n").encode()


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_on_standard_input_flags_the_message(
    sent: Message, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """As a mail server pipes it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(report(sent.message_id, kind=kind))))
    out = io.StringIO()
    call_command("read_bounces", stdout=out)
    sent.refresh_from_db()
    assert out.getvalue() == "1 message(s) flagged.\n"
    assert sent.state == State.REFUSED
    assert sent.error == "550 5.1.1 … Recipient address rejected: User unknown"


@pytest.mark.parametrize("box", [mailbox.Maildir, mailbox.mbox])
def test_a_mailbox_is_read_once_and_keeps_what_is_not_ours(sent: Message, tmp_path: Path, box: type) -> None:
    path = tmp_path / "bounces"
    with closing(box(path)) as folder:
        folder.add(report(sent.message_id))
        folder.add(b"From: someone@exemple.test\nSubject: Bonjour\n\nMerci.\n")
    for _run in range(2):
        call_command("read_bounces", str(path), stdout=io.StringIO())
    sent.refresh_from_db()
    with closing(box(path)) as folder:
        assert [each["Subject"] for each in folder] == ["Bonjour"]
    assert sent.state == State.REFUSED


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
def test_a_report_of_anything_but_failure_flags_nothing(action: str) -> None:
    assert bounces.parse(report("<a@exemple.test>", action=action)) == []


def test_an_absence_notice_is_no_failure() -> None:
    assert bounces.parse(b"Subject: Absent\nIn-Reply-To: <a@exemple.test>\n\nJe suis en vacances.\n") == []


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"Content-Type: multipart/report\n\nnothing", REPORT.encode()])
def test_a_broken_report_is_passed_over(content: bytes) -> None:
    assert [each for each in bounces.parse(content) if each.message_id.startswith("<")] == []


def test_a_report_about_somebody_else_flags_nothing(sent: Message, tmp_path: Path) -> None:
    path = tmp_path / "bounces"
    with closing(mailbox.mbox(path)) as folder:
        folder.add(report(sent.message_id, original="autre@exemple.test"))
    call_command("read_bounces", str(path), "--keep", stdout=io.StringIO())
    sent.refresh_from_db()
    assert sent.state == State.HANDED
    with closing(mailbox.mbox(path)) as folder:
        assert len(folder) == 1


def test_a_path_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        call_command("read_bounces", str(tmp_path / "nowhere"))
