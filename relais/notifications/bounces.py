"""Reports of non-delivery (RFC 3464): which of our e-mails came back, to whom, and why."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage, Message

MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class Bounce:
    """One recipient that a report names as failed. `recipient` is empty when the report does not tell it safely."""

    message_id: str
    recipient: str
    reason: str


def parse(content: bytes) -> list[Bounce]:
    """The failures that a report names; empty for a delay, a success, an absence notice, or any other mail."""
    report = email.message_from_bytes(content, policy=policy.default)
    if report.get_content_type() != "multipart/report":
        return []
    message_id = _original(report)
    if not message_id:
        return []
    return [Bounce(message_id, recipient, reason) for recipient, reason in _failures(report)]


def _original(report: EmailMessage) -> str:
    """The Message-ID of the mail that came back, from its copy or its headers at the end of the report."""
    for part in report.walk():
        if part.get_content_type() not in ("message/rfc822", "text/rfc822-headers"):
            continue
        inner = part.get_payload(0) if part.is_multipart() else email.message_from_string(str(part.get_payload()))
        found = MESSAGE_ID.search(str(inner.get("Message-ID", ""))) if isinstance(inner, Message) else None
        if found:
            return found.group()
    return ""


def _failures(report: EmailMessage) -> Iterator[tuple[str, str]]:
    """Recipient and reason of each group of fields whose Action is *failed*."""
    for part in report.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        for fields in groups if isinstance(groups, list) else []:
            if isinstance(fields, Message) and str(fields.get("Action", "")).strip().lower() == "failed":
                # The original address is the one we wrote to; the final one may be where it was forwarded.
                original = _value(fields, "Original-Recipient")
                reason = _value(fields, "Diagnostic-Code") or str(fields.get("Status", "")).strip()
                yield original, reason or "failed"


def _value(fields: Message, name: str) -> str:
    """`rfc822; someone@…` without its type."""
    return " ".join(str(fields.get(name, "")).split()).partition(";")[2].strip()
