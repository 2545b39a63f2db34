"""The growing lock-out: after some failures each attempt waits twice as long as the one before, up to 15 minutes.

An account and a second factor have 5 failures free; a network address has 30, because a hospital's whole staff
comes from one. A passkey is not counted per account (nothing to guess), so that a stranger who fails on purpose
cannot keep its owner out.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.accounts.models import Attempts
from relais.core.errors import Refused

ACCOUNT, ADDRESS, FACTOR = "account", "address", "factor"
FREE = {ACCOUNT: 5, ADDRESS: 30, FACTOR: 5}
LONGEST = 15 * 60  # seconds
FORGOTTEN = timedelta(hours=1)  # without an attempt


def wait_after(failures: int, free: int) -> int:
    """Seconds to wait after `failures` in a row: 0 below `free`, then 1, 2, 4 … 900."""
    return 0 if failures < free else min(2 ** (failures - free), LONGEST)


def begin(*who: tuple[str, str]) -> None:
    """Count one attempt on each (kind, name) before the secret is looked at, so that a burst of attempts counts whole.

    Raises Refused with the time to wait, and counts nothing, when one of them is locked.
    """
    with transaction.atomic():
        rows = [_locked(kind, name) for kind, name in sorted(who)]
        now = timezone.now()
        for (kind, _name), row in zip(sorted(who), rows, strict=True):
            _refuse_locked(row, FREE[kind], now)
        for row in rows:
            row.failures += 1
            row.last_at = now
            row.save()


def succeeded(*who: tuple[str, str]) -> None:
    """The attempt was right: an account starts afresh; an address only gets this attempt back (one's own account
    must not wipe failures on others')."""
    for kind, name in who:
        rows = Attempts.objects.filter(key=_key(kind, name))
        if kind == ADDRESS:
            rows.filter(failures__gt=0).update(failures=F("failures") - 1)
        else:
            rows.delete()


def in_words(seconds: int) -> str:
    """A waiting time as one says it: seconds below a minute, else minutes rounded up."""
    if seconds < 60:
        return ngettext("%(count)d seconde", "%(count)d secondes", seconds) % {"count": seconds}
    minutes = -(-seconds // 60)
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def _key(kind: str, name: str) -> str:
    return f"{kind}:{salted_hmac('relais.accounts.attempts', f'{kind}:{name}', algorithm='sha256').hexdigest()}"


def _locked(kind: str, name: str) -> Attempts:
    """The row, held until the transaction ends."""
    key = _key(kind, name)
    Attempts.objects.bulk_create([Attempts(key=key, last_at=timezone.now())], ignore_conflicts=True)
    row = Attempts.objects.select_for_update(of=("self",)).get(key=key)
    if timezone.now() - row.last_at > FORGOTTEN:
        row.failures = 0
    return row


def _remaining(row: Attempts, free: int, now: datetime) -> int:
    """Seconds, rounded up, until the next attempt is looked at."""
    wait = wait_after(row.failures, free)
    since = max(0.0, (now - row.last_at).total_seconds())  # clocks of two processes may differ
    return int(-(-max(0.0, wait - since) // 1))


def _refuse_locked(row: Attempts, free: int, now: datetime) -> None:
    if seconds := _remaining(row, free, now):
        raise Refused(_("Trop d’essais. Réessayez dans %(time)s.") % {"time": in_words(seconds)})
