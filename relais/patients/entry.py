"""How a patient's secrets look, how a browser is remembered, and how tries are counted. Rules only: no request, no table.

A password is typed once, by a worried person, on an old telephone: three short syllables and four figures, 40 bits,
no letter that looks like another; case, spaces and hyphens do not count. What makes 40 bits enough is the lock-out.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings

AFTER_ENTRY = "space:home"  # where one lands once let in, unless a workflow has a space of its own (spaces.py)
LOGIN_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/l/i
LOGIN_LENGTH = 8
FIRST, VOWELS, LAST = "bdfgjkmnprstvz", "aeiou", "dfgkmnprst"
FIGURES = "23456789"
NOT_A_SYLLABLE = {"fag", "gag", "kon", "kuk", "mer", "mor", "nag", "pet", "pis", "put", "rat", "sot", "sus", "tun", "tar", "zob", "zut"}  # fmt: skip
LOOK_ALIKE = str.maketrans({"0": "o", "1": "i", "l": "i"})

FREE_TRIES = 5
LONGEST_LOCK = timedelta(hours=1)
ADDRESS_TRIES, ADDRESS_WINDOW = 30, timedelta(minutes=15)  # a nursing home shares one address
STEP_COOKIE, STEP_SECONDS = "relais_patient_step", 600  # between password and code
LOST_ADDRESS, LOST_CONTACT, LOST_WINDOW = 10, 3, timedelta(hours=1)  # requests of a lost link
LOST_GRANTS = 3  # ways in renewed by one request: families share a telephone
KEEP_SECONDS = 180 * 24 * 3600  # a browser that is asked to remember; the grant decides how long it opens anything
PASSING = "-"  # in the cookie: this browser was asked not to remember
MAX_DEVICES = 5  # families share a telephone: one browser remembers so many ways in


def new_login() -> str:
    """8 characters, 40 bits: unique among grants and not meant to be guessed either."""
    return "".join(secrets.choice(LOGIN_ALPHABET) for _index in range(LOGIN_LENGTH))


def new_password() -> str:
    """Such as `bak-min-vos-4738`: 40 bits (see the module)."""
    return "-".join([_syllable(), _syllable(), _syllable(), "".join(secrets.choice(FIGURES) for _index in range(4))])


def _syllable() -> str:
    while True:
        syllable = secrets.choice(FIRST) + secrets.choice(VOWELS) + secrets.choice(LAST)
        if syllable not in NOT_A_SYLLABLE:
            return syllable


def fold_secret(text: str) -> str:
    """What was typed, as it is compared: no case, spaces, hyphens or dots; 0 is read as o, 1 and l as i."""
    return "".join(char for char in text.lower() if char.isalnum()).translate(LOOK_ALIKE)


def lock_time(failures: int) -> timedelta:
    """How long a grant stays shut after so many failures in a row: 1, 2, 4 … minutes from the fifth, at most an hour."""
    if failures < FREE_TRIES:
        return timedelta()
    return min(timedelta(minutes=2 ** min(failures - FREE_TRIES, 10)), LONGEST_LOCK)


def new_token() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What the database keeps of a token: useless to who reads it."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(nonce: str) -> str:
    """The token that follows from one passage of the door: the same form sent twice gives one browser one device.

    256 bits that nobody without our key makes out of the nonce.
    """
    digest = hmac.new(settings.SECRET_KEY.encode(), f"relais.patients.device:{nonce}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def masked(e164: str) -> str:
    """A number as its owner recognises it and nobody else learns it: `•• •• •• •• 01`."""
    return f"•• •• •• •• {e164[-2:]}"


def throttle_key(kind: str, place: str) -> str:
    """A keyed hash of a network address or a number, so that the table of tries holds neither."""
    return hmac.new(settings.SECRET_KEY.encode(), f"throttle:{kind}:{place}".encode(), hashlib.sha256).hexdigest()


def cookie_tokens(value: str | None) -> list[str]:
    """The tokens of the patient cookie; the first is the current one."""
    return [token for token in (value or "").split(".") if token not in ("", PASSING)][:MAX_DEVICES]


def with_current(token: str, value: str | None, *, remember: bool | None) -> tuple[str, bool]:
    """The cookie's value once `token` is the current one, the others kept behind it; and whether it outlives the browser.

    `remember` None: as the cookie was (a device that others use keeps nothing of anybody).
    """
    passing = PASSING in (value or "").split(".") if remember is None else not remember
    tokens = [token, *(other for other in cookie_tokens(value) if other != token)][:MAX_DEVICES]
    return ".".join([*tokens, PASSING] if passing else tokens), not passing


def device_label(user_agent: str) -> str:
    """A device in two words, for the list that professionals and patients see: *Firefox, Android*."""
    browsers = [("Firefox", "Firefox"), ("Edg", "Edge"), ("SamsungBrowser", "Samsung"), ("OPR", "Opera"), ("Chrom", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari")]  # fmt: skip
    systems = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"), ("Linux", "Linux")]  # fmt: skip
    found = [next((name for mark, name in table if mark in user_agent), "") for table in (browsers, systems)]
    return ", ".join(part for part in found if part)[:120]
