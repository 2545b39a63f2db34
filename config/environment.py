"""Every setting of an installation: one table, read from the environment, checked at start.

`docs/settings.md` is written from this table (`manage.py settings_table`) and a test compares both.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class BadSetting(Exception):
    """A variable holds what it may not: the sentence says which, and what it takes."""


def _flag(text: str) -> bool:
    values = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
    if text.lower() not in values:
        raise ValueError("1 or 0")
    return values[text.lower()]


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ValueError("a port from 1 to 65535")
    return int(text)


def _port_or_none(text: str) -> int:
    return 0 if text in ("", "0") else _port(text)


def _ports(text: str) -> str:
    first, _dash, last = text.partition("-")
    if text and not 1 <= _port(first) < _port(last):
        raise ValueError("a range of ports, such as 20000-24999")
    return text


def _nodes(text: str) -> list[str]:
    found = _words(text)
    if not all(
        name and url.startswith(("http://", "https://")) for name, _equals, url in (one.partition("=") for one in found)
    ):
        raise ValueError("`name=http://host:port`, separated by commas")
    return found


def _room_size(text: str) -> int:
    if not 5 <= _count(text) <= 100:
        raise ValueError("a number from 5 to 100")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("a whole number")
    return int(text)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _mode(text: str) -> str:
    if text not in ("demo", "production"):
        raise ValueError("demo or production")
    return text


@dataclass(frozen=True)
class Setting:
    """One environment variable: how it is read, what it is when absent, what it is for."""

    name: str
    read: Callable[[str], Any]
    default: str
    doc: str


TABLE = [
    Setting("RELAIS_MODE", _mode, "demo", "`demo` (embedded database, personas) or `production`"),
    Setting(
        "SECRET_KEY",
        str,
        "",
        "Key of signatures and sessions; required in production, at least 50 characters",
    ),
    Setting(
        "DATABASE_URL",
        str,
        "",
        "External PostgreSQL ≥ 15, `postgresql://user:password@host/base`; empty: embedded",
    ),
    Setting(
        "RELAIS_HOME",
        str,
        "",
        "Folder of the embedded database, files and keys; empty: `.relais/` of the checkout "
        "(as root, `/var/lib/relais-…`)",
    ),
    Setting("FILES_DIR", str, "", "Folder of the encrypted files; empty: `files/` under the home"),
    Setting(
        "FILES_KEY_FILE",
        str,
        "",
        "Key file of the encrypted files, not beside them; empty: `keys/files.key` under the home",
    ),
    Setting(
        "SECRETS_KEY_FILE",
        str,
        "",
        "Key file of the secrets in waiting messages; empty: `keys/secrets.key` under the home",
    ),
    Setting(
        "ANSWERS_KEY_FILE",
        str,
        "",
        "Key file that opens answers given without network; empty: `keys/answers.key` under the home",
    ),
    Setting(
        "STATIC_DIR",
        str,
        "",
        "Folder of the collected static files (production), which the proxy serves; empty: `staticfiles/` of the checkout",
    ),
    Setting("PORT", _port, "8000", "Port of the web server"),
    Setting("HTTPS", _flag, "0", "1: self-signed certificate, open to the local network (demo only)"),
    Setting("ALLOWED_HOSTS", _words, "localhost,127.0.0.1", "Host names that the site answers to"),
    Setting("PUBLIC_URL", str, "", "Address that messages carry, `https://…`; empty: `http://localhost:PORT`"),
    Setting("TRUSTED_PROXY", _flag, "0", "1: behind a TLS proxy that sets X-Forwarded-For and X-Forwarded-Proto"),
    Setting(
        "SMTP_URL",
        str,
        "",
        "Mail server, `smtp://user:password@host:587?tls=1`; empty: mails stay on the demo page",
    ),
    Setting("MAIL_FROM", str, "Relais <ne-pas-repondre@exemple.test>", "Sender of e-mails"),
    Setting("SMS_URL", str, "", "SMS gateway (HTTP); empty: SMS stay on the demo page"),
    Setting("SMS_TOKEN", str, "", "Token sent to the SMS gateway"),
    Setting("SMS_RECEIPT_SECRET", str, "", "Secret that signs the gateway's receipts (HMAC-SHA256)"),
    Setting("SMS_SENDER", str, "Relais", "Sender of SMS, at most 11 characters"),
    Setting("STUN_URLS", _words, "", "STUN servers, `stun:host:3478`, separated by commas"),
    Setting(
        "TURN_URLS",
        _words,
        "",
        "Relays, `turn:host:3478?transport=udp`, separated by commas; empty: not configured",
    ),
    Setting("TURN_SECRET", str, "", "Secret shared with the relay (time-limited credentials)"),
    Setting(
        "SFU_PORT",
        _port_or_none,
        "0",
        "Port of the loopback where `manage.py sfu` runs Janus; 0: none, and any free one in a demo",
    ),
    Setting("SFU_MEDIA_PORTS", _ports, "", "UDP ports of Janus' sound and image, `20000-24999`; empty: any"),
    Setting(
        "SFU_PUBLIC_ADDRESS", str, "", "Address that browsers reach Janus at when it is behind address translation"
    ),
    Setting(
        "SFU_URLS", _nodes, "", "Janus elsewhere, `name=http://host:port`, separated by commas; empty: this machine's"
    ),
    Setting("SFU_SECRET", str, "", "Secret that every request to Janus carries; empty: `keys/sfu` under the home"),
    Setting("SFU_MAX_PEOPLE", _room_size, "25", "People at most in a room that goes through Janus"),
    Setting("CLAMAV_SOCKET", str, "", "Socket of clamd; empty: files are not scanned for viruses"),
    Setting(
        "SESSION_IDLE_MINUTES",
        _count,
        "30",
        "Minutes without action after which a professional is signed out",
    ),
    Setting(
        "NURSING_HOMES_WRITE",
        _flag,
        "1",
        "0: nursing homes read the requests about their residents and write nothing in them",
    ),
    Setting("SYNTHETIC_DATA", _flag, "0", "1: allow synthetic data on an external database (never in production)"),
    Setting("SUPPORT_PHONE_DAY", str, "09 70 09 52 80", "Support number by day"),
    Setting("SUPPORT_HOURS_DAY", str, "du lundi au vendredi, de 8 h à 19 h", "Hours of the day line"),
    Setting("SUPPORT_PHONE_NIGHT", str, "09 70 09 52 80", "Technical support number at night and on week-ends"),
    Setting("SUPPORT_PHONE_FREE", str, "0805 690 711", "Free-call number"),
    Setting("SUPPORT_PHONE_LOCAL", str, "01 83 76 30 31", "Local-rate number"),
    Setting(
        "SUPPORT_MAILBOXES",
        _words,
        "Téléconsultation:support-teleconsultation@exemple.test,Liaison EHPAD:support-liaison@exemple.test,"
        "Autres services:support@exemple.test",
        "One mailbox a service, `Service:address`, separated by commas",
    ),
    Setting(
        "SUPPORT_ALWAYS", _words, "Liaison EHPAD", "Services whose mailbox is answered day and night, 7 days a week"
    ),
]


def read(environ: dict[str, str] | None = None) -> dict[str, Any]:
    """Every setting by name, read from `environ`.

    Raises BadSetting with one sentence naming the variable for the first value that is refused.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for setting in TABLE:
        text = source.get(setting.name, setting.default).strip()
        try:
            values[setting.name] = setting.read(text)
        except ValueError as error:
            raise BadSetting(f"{setting.name}={text!r}: expected {error}.") from None
    _check_production(values)
    return values


def _check_production(values: dict[str, Any]) -> None:
    if values["RELAIS_MODE"] != "production":
        return
    if len(values["SECRET_KEY"]) < 50:
        raise BadSetting("SECRET_KEY: production needs a key of at least 50 characters.")
    if not values["DATABASE_URL"]:
        raise BadSetting("DATABASE_URL: production needs an external PostgreSQL.")
    if not values["PUBLIC_URL"].startswith("https://"):
        raise BadSetting("PUBLIC_URL: production needs the https:// address of the site.")
    if values["SYNTHETIC_DATA"] or values["HTTPS"]:
        raise BadSetting("SYNTHETIC_DATA and HTTPS are for demonstrations: unset them in production.")
