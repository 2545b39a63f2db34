"""SMS by an HTTP gateway (docs/operations/sms-gateway.md): one POST a message, receipts come back signed."""

import http.client
import json
import unicodedata
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.urls import reverse

from relais.notifications.channels import HANDED, REFUSED, TEMPORARY, Outcome
from relais.notifications.models import Message
from relais.notifications.registry import Rendered

TIMEOUT = 30.0  # seconds
ANSWER_BYTES = 10_000
BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)  # GSM 03.38
EXTENDED = set("^{}\\[~]|€")  # two places each
PLAIN = {
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "–": "-",
    "—": "-",
    "…": "...",
    "œ": "oe",
    "Œ": "OE",
    "À": "A",
}


def to_gsm(text: str) -> str:
    """French text in the 7-bit alphabet of SMS: one character outside it would cost more than half the room.

    Typographic marks become plain, accents that the alphabet lacks are dropped; other scripts stay as they are.
    """
    found = []
    for character in text:
        if character in BASIC or character in EXTENDED:
            found.append(character)
        elif character in PLAIN:
            found.append(PLAIN[character])
        elif character.isspace():
            found.append(" ")
        else:
            bare = unicodedata.normalize("NFD", character)[0]
            found.append(bare if bare in BASIC else character)
    return "".join(found)


def parts(text: str) -> int:
    """How many SMS `text` takes: 160 places, or 153 in each of several; 70 and 67 outside the 7-bit alphabet."""
    if all(character in BASIC or character in EXTENDED for character in text):
        places = len(text) + sum(character in EXTENDED for character in text)
        return 1 if places <= 160 else -(-places // 153)
    places = len(text.encode("utf-16-be")) // 2
    return 1 if places <= 70 else -(-places // 67)


def send(message: Message, rendered: Rendered) -> Outcome:
    """Hand the text to the gateway. `reference` is the same for all attempts and the gateway sends it once, so that
    trying again after a silence is safe."""
    try:
        number = phonenumbers.parse(message.address, "FR")
    except phonenumbers.NumberParseException:
        return Outcome(REFUSED, "Ce n’est pas un numéro de téléphone.")
    body = {
        "to": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        "from": settings.ENV["SMS_SENDER"],
        "text": to_gsm(rendered.text),
        "reference": str(message.pk),
        "callback": settings.PUBLIC_URL + reverse("notifications:receipt"),
    }
    try:
        answer = _post(body)
    except urllib.error.HTTPError as error:
        with error:
            refused = 400 <= error.code < 500 and error.code not in (401, 403, 404, 408, 425, 429)
            said = _reason(error.read(ANSWER_BYTES))
        return Outcome(REFUSED if refused else TEMPORARY, f"{error.code} {said}")
    except (OSError, http.client.HTTPException, ValueError):
        return Outcome(TEMPORARY, "La passerelle SMS ne répond pas.")
    return Outcome(HANDED, provider_id=str(answer.get("id", ""))[:200])


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would carry the number and the token to another place."""

    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None


def _post(body: dict[str, str]) -> dict[str, Any]:
    url = settings.ENV["SMS_URL"]
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("SMS_URL must be an http(s) address")
    request = urllib.request.Request(  # noqa: S310 (checked above)
        url,
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": f"Bearer {settings.ENV['SMS_TOKEN']}",
        },
        method="POST",
    )
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(request, timeout=TIMEOUT) as response:
        answer = json.loads(response.read(ANSWER_BYTES) or b"{}")
    return answer if isinstance(answer, dict) else {}


def _reason(body: bytes) -> str:
    """The gateway's `error`, when it gave one."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("error", "")) if isinstance(found, dict) else ""
