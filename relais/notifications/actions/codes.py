"""One-time codes: 6 digits, 5 minutes, 5 tries, the last one only, single use (TC-50, TC-51; expectations C42)."""

import re
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.core.errors import Refused
from relais.notifications.actions.outbox import queue
from relais.notifications.messages import CODE
from relais.notifications.models import Channel, OneTimeCode

VALID = timedelta(minutes=5)  # TC-51
TRIES = 5  # expectations C42; the table refuses a sixth
# Caps by number and by address (architecture, Messages); the figures are ours. With them somebody who guesses
# has 10 tries of a million in a quarter of an hour.
SENDS, SENDS_WINDOW = 5, timedelta(minutes=15)
ADDRESS_SENDS, ADDRESS_WINDOW = 10, timedelta(days=1)
WRONG_TRIES, COOLDOWN = 10, timedelta(minutes=15)


@transaction.atomic
def send_code(*, holder_id: UUID, purpose: str, about: UUID | None, channel: str, address: str) -> OneTimeCode:
    """Send a fresh code to `address` by `channel`; the one sent before for this purpose stops working.

    Raises Refused (a sentence) beyond 5 codes in 15 minutes for a holder, 10 a day for an address, and during
    the pause after the tenth wrong code. The message never falls back: the person chose where to look.
    """
    address_hash = _hash(address.lower().strip() if channel == Channel.EMAIL else re.sub(r"\D", "", address)[-9:])
    for name in sorted([f"code:{holder_id}", f"code:{address_hash}"]):
        _serialise(name)
    _check_pause(holder_id)
    now = timezone.now()
    if OneTimeCode.objects.filter(holder_id=holder_id, created_at__gt=now - SENDS_WINDOW).count() >= SENDS:
        raise Refused(_("Trop de codes demandés. Attendez 15 minutes, puis demandez un nouveau code."))
    if (
        OneTimeCode.objects.filter(address_hash=address_hash, created_at__gt=now - ADDRESS_WINDOW).count()
        >= ADDRESS_SENDS
    ):
        raise Refused(
            _("Trop de codes envoyés à cette adresse aujourd’hui. Choisissez un autre moyen, ou réessayez demain.")
        )
    OneTimeCode.objects.filter(_live(holder_id, purpose)).update(superseded=True)
    digits = f"{secrets.randbelow(1_000_000):06d}"
    code = OneTimeCode(
        holder_id=holder_id,
        purpose=purpose,
        about=about,
        channel=channel,
        address_hash=address_hash,
        expires_at=now + VALID,
    )
    code.code_hash = _hash(f"{code.pk}:{digits}")
    code.save(force_insert=True)
    queue(
        type=CODE,
        about=about,
        holder_id=holder_id,
        channel=channel,
        email=address if channel == Channel.EMAIL else "",
        phone=address if channel == Channel.SMS else "",
        context={"code_id": str(code.pk)},
        secret={"code": digits},
    )
    return code


def check_code(*, holder_id: UUID, purpose: str, about: UUID | None, code: str) -> None:
    """Use up the right code; of two who give it at once, one succeeds.

    A code is right up to exactly 5:00 after it was made, included. Raises Refused (a sentence) for anything else.
    Call it outside any transaction: the try must stay counted when the answer is no (a RuntimeError says so).
    """
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        raise Refused(_("Le code a 6 chiffres."), field="code")
    with transaction.atomic(durable=True):
        _serialise(f"code:{holder_id}")
        refusal = _try(holder_id, purpose, about, digits)
    if refusal:
        raise Refused(refusal, field="code")


def _try(holder_id: UUID, purpose: str, about: UUID | None, digits: str) -> str:
    """Why the answer is no, as a sentence; empty when it is yes. Counts the try."""
    if _paused(holder_id):
        return _pause_sentence()
    found = OneTimeCode.objects.select_for_update(of=("self",)).filter(_live(holder_id, purpose), about=about).first()
    if found is None or timezone.now() > found.expires_at:
        return _("Ce code n’est plus valable. Demandez un nouveau code.")
    if found.tries >= TRIES:
        return _("Trop d’essais avec ce code. Demandez un nouveau code.")
    if constant_time_compare(found.code_hash, _hash(f"{found.pk}:{digits}")):
        found.used_at = timezone.now()
        found.save(update_fields=["used_at"])
        return ""
    found.tries += 1
    found.save(update_fields=["tries"])
    if _paused(holder_id):
        return _pause_sentence()
    if found.tries == TRIES:
        return _("Ce code est faux, et c’était le dernier essai. Demandez un nouveau code.")
    left = TRIES - found.tries
    return ngettext("Ce code est faux. Il reste %d essai.", "Ce code est faux. Il reste %d essais.", left) % left


def _live(holder_id: UUID, purpose: str) -> Q:
    return Q(holder_id=holder_id, purpose=purpose, superseded=False, used_at=None)


def _check_pause(holder_id: UUID) -> None:
    if _paused(holder_id):
        raise Refused(_pause_sentence())


def _paused(holder_id: UUID) -> bool:
    recent = OneTimeCode.objects.filter(holder_id=holder_id, created_at__gt=timezone.now() - COOLDOWN)
    return (recent.order_by().aggregate(n=Sum("tries"))["n"] or 0) >= WRONG_TRIES


def _pause_sentence() -> str:
    return _("Trop de codes faux. Attendez 15 minutes, puis demandez un nouveau code.")


def _hash(value: str) -> str:
    return salted_hmac("relais.notifications.code", value, algorithm="sha256").hexdigest()


def _serialise(name: str) -> None:
    """One at a time for this name until the transaction ends, so that no cap is passed by asking twice at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
