"""`manage.py read_bounces`: flag the e-mails that came back (docs/operations/mail.md)."""

import mailbox
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from relais.notifications import actions, bounces


class Command(BaseCommand):
    help = (
        "Read reports of non-delivery (RFC 3464) from a Maildir folder or an mbox file, or one from standard input "
        "(for a pipe of the mail server), and flag the messages they name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", default="-", help="Maildir folder, mbox file, or - (standard input)")
        parser.add_argument("--keep", action="store_true", help="leave what was read in the mailbox")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["path"] == "-":
            flagged = self._flag(sys.stdin.buffer.read())
        else:
            flagged = self._mailbox(Path(options["path"]), keep=options["keep"])
        self.stdout.write(f"{flagged} message(s) flagged.")

    def _mailbox(self, path: Path, *, keep: bool) -> int:
        """Everything in the box is read; reports about our messages are then removed from it."""
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        box: Any = mailbox.Maildir(path, create=False) if path.is_dir() else mailbox.mbox(path, create=False)
        flagged = 0
        box.lock()
        try:
            for key in list(box.keys()):
                content = box.get_bytes(key)
                flagged += self._flag(content)
                if not keep and bounces.parse(content):
                    box.remove(key)
            box.flush()
        finally:
            box.unlock()
            box.close()
        return flagged

    def _flag(self, content: bytes) -> int:
        found = bounces.parse(content)
        done = [
            actions.bounced(message_id=each.message_id, reason=each.reason, recipient=each.recipient) for each in found
        ]
        return sum(message is not None for message in done)
