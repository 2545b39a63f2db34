"""E-mail by SMTP: text and a simple HTML alternative; each step of the dialogue tells what is known."""

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.utils import timezone

from relais.notifications import mail
from relais.notifications.channels import HANDED, REFUSED, TEMPORARY, UNCERTAIN, Outcome
from relais.notifications.models import Message
from relais.notifications.registry import Rendered

SENDABLE = re.compile(r"[!-~]+@[!-~]+")  # ASCII, no space, no line break
LINE_DOT = re.compile(rb"^\.", re.MULTILINE)
TIMEOUT = 30.0  # seconds for each answer; the ten of a dialogue stay under sending.SILENT


@dataclass(frozen=True)
class Server:
    """SMTP_URL: `smtp://user:password@host:587?tls=1` (STARTTLS), or `smtps://…:465` (TLS from the first byte)."""

    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool
    starttls: bool
    timeout: float

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Raises ValueError, with a sentence, for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL doit ressembler à smtp://user:password@host:587?tls=1")
        options = parse_qs(parts.query)
        implicit = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if implicit else 587),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            implicit_tls=implicit,
            starttls=not implicit and options.get("tls", ["0"])[0] == "1",
            timeout=float(options.get("timeout", [TIMEOUT])[0]),
        )


def send(message: Message, rendered: Rendered) -> Outcome:
    """Hand `rendered` to the mail server. Refused: this recipient, for good; anything else waits (see each step)."""
    if not SENDABLE.fullmatch(message.address):
        return Outcome(REFUSED, "Ce n’est pas une adresse e-mail que le courrier transporte.")
    data = build(message, rendered).as_bytes(policy=SMTP)
    try:
        connection = _connect(Server.parse(settings.ENV["SMTP_URL"]))
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(TEMPORARY, _words(error))
    except ValueError as error:
        return Outcome(TEMPORARY, str(error))
    try:
        return _envelope(connection, message) or _data(connection, data)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(TEMPORARY, _words(error))
    finally:
        _quit(connection)


def build(message: Message, rendered: Rendered) -> EmailMessage:
    """The e-mail: headers that say it is automatic, text, the same text in HTML, attachments."""
    found = EmailMessage(policy=SMTP)
    found["From"] = settings.ENV["MAIL_FROM"]
    found["To"] = message.address
    found["Subject"] = " ".join(rendered.subject.split())
    found["Date"] = format_datetime(timezone.localtime())
    found["Message-ID"] = message.message_id
    found["Auto-Submitted"] = "auto-generated"
    found["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    found["Content-Language"] = "fr"
    found.set_content(rendered.text, cte="quoted-printable")
    found.add_alternative(mail.html(rendered), subtype="html", cte="quoted-printable")
    for attachment in rendered.attachments:
        main, _, sub = attachment.content_type.partition("/")
        found.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)
    return found


def _connect(server: Server) -> smtplib.SMTP:
    """Connected, encrypted and signed in. What fails here is ours or the server's, never the recipient's."""
    context = ssl.create_default_context()
    name = urlsplit(settings.PUBLIC_URL).hostname  # as we greet; else smtplib asks the DNS each time
    if server.implicit_tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, name, timeout=server.timeout, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, name, timeout=server.timeout)
    try:
        connection.ehlo_or_helo_if_needed()
        if server.starttls:
            connection.starttls(context=context)
            connection.ehlo_or_helo_if_needed()  # the server forgot the first greeting
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _envelope(connection: smtplib.SMTP, message: Message) -> Outcome | None:
    """MAIL and RCPT; None when both were accepted. A recipient refused with 5xx is refused for good."""
    options = [f"ENVID={message.pk}"] if connection.has_extn("dsn") else []
    code, answer = connection.mail(parseaddr(settings.ENV["MAIL_FROM"])[1], options)
    if code != 250:
        return Outcome(TEMPORARY, f"{code} {_text(answer)}")
    wanted = ["NOTIFY=FAILURE"] if options else []
    code, answer = connection.rcpt(message.address, wanted)
    if code in (250, 251):
        return None
    return Outcome(REFUSED if code >= 500 else TEMPORARY, f"{code} {_text(answer)}")


def _data(connection: smtplib.SMTP, data: bytes) -> Outcome:
    """The message itself. From its first byte until the server's answer nobody can tell whether it was kept."""
    code, answer = connection.docmd("DATA")
    if code != 354:
        return Outcome(REFUSED if code >= 500 else TEMPORARY, f"{code} {_text(answer)}")
    body = LINE_DOT.sub(b"..", data)
    try:
        connection.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, answer = connection.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(UNCERTAIN, _words(error))
    if code == 250:
        return Outcome(HANDED)
    return Outcome(REFUSED if code >= 500 else TEMPORARY, f"{code} {_text(answer)}")


def _quit(connection: smtplib.SMTP) -> None:
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()  # it said what it had to say


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _words(error: Exception) -> str:
    """For staff: what did not work, in French for what happens, with the server's own words where it spoke."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, ssl.SSLError):
        return "Le certificat du serveur de messagerie n’est pas reconnu."
    if isinstance(error, TimeoutError):
        return "Le serveur de messagerie ne répond pas à temps."
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "Le serveur de messagerie a coupé la connexion."
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return "Le serveur de messagerie est injoignable."
    return f"Le serveur de messagerie a échoué ({type(error).__name__})."
