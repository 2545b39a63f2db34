"""What a patient does at the door: shows login and password, a code, asks for a lost link, leaves. Nobody is anybody yet.

Refusals are counted in a transaction of their own, so that the answer no does not undo the count.
"""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.audit import actions as audit
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.notifications import actions as outbox
from relais.notifications.models import Channel, OneTimeCode
from relais.patients import contact, entry, messages
from relais.patients.actions.grants import renew_secrets
from relais.patients.actions.throttle import note, tries
from relais.patients.middleware import actor_for
from relais.patients.models import Grant, GrantDevice, Holder

PURPOSE = "device"
SAME_CODE = timedelta(seconds=20)  # a second click does not send a second code


def _wrong() -> str:
    return _("L’identifiant ou le mot de passe ne correspond pas à ce lien. Recopiez-les depuis votre dernier message.")


def _closed(until_minutes: int) -> str:
    wait = ngettext("%d minute", "%d minutes", until_minutes) % until_minutes
    return _("Trop d’essais. Réessayez dans %s, ou demandez un nouveau mot de passe ci-dessous.") % wait


def check_secrets(*, grant_id: UUID, login: str, password: str, address: str) -> Grant:
    """The live grant that login and password open. `address` is the network's, counted beside the grant.

    Raises NotFound for a grant that opens nothing, Refused with one sentence whatever was wrong; from the fifth
    failure in a row the grant shuts for 1, 2, 4 … 60 minutes, and says so even to the right password.
    """
    if tries("entry", address, entry.ADDRESS_WINDOW) >= entry.ADDRESS_TRIES:
        raise Refused(_("Trop d’essais depuis cette connexion. Attendez 15 minutes, puis réessayez."))
    with transaction.atomic():
        grant = Grant.objects.select_for_update(of=("self",)).filter(pk=grant_id).first()
        if grant is None or not grant.is_live():
            raise NotFound
        refusal = _try(grant, login, password)
    if refusal:
        note("entry", address, entry.ADDRESS_WINDOW)
        raise Refused(refusal)
    return grant


def _try(grant: Grant, login: str, password: str) -> str:
    """Why the answer is no; empty when it is yes. The caller holds the row."""
    now = timezone.now()
    if grant.locked_until and grant.locked_until > now:
        return _closed(int((grant.locked_until - now).total_seconds() // 60) + 1)
    right_password = check_password(entry.fold_secret(password), grant.password_hash)
    right_login = constant_time_compare(entry.fold_secret(login), entry.fold_secret(grant.login))
    if right_password and right_login:
        if grant.failed_tries:
            grant.failed_tries, grant.locked_until = 0, None
            grant.save(update_fields=["failed_tries", "locked_until"])
        return ""
    grant.failed_tries = min(grant.failed_tries + 1, 1000)
    lock = entry.lock_time(grant.failed_tries)
    grant.locked_until = now + lock if lock else None
    grant.save(update_fields=["failed_tries", "locked_until"])
    if not lock:
        return _wrong()
    audit.record(actor=SYSTEM_ACTOR, action="grant.lock", about=grant.about, patient_id=grant.patient_id)
    return _closed(int(lock.total_seconds() // 60))


def needs_code(grant: Grant) -> bool:
    """Whether a new device must show a second factor: when there is a mobile number; never for a guest, who stays *non authentifié*."""
    return grant.holder != Holder.GUEST and bool(grant.mobile)


@transaction.atomic
def send_device_code(*, grant: Grant) -> None:
    """Send the code that a new device asks for; a second click within 20 seconds sends none. Refused beyond the caps."""
    Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    recent = OneTimeCode.objects.filter(
        holder_id=grant.pk,
        purpose=PURPOSE,
        used_at=None,
        superseded=False,
        tries=0,
        created_at__gt=timezone.now() - SAME_CODE,
    )
    if not recent.exists():
        outbox.send_code(
            holder_id=grant.pk, purpose=PURPOSE, about=grant.about, channel=Channel.SMS, address=grant.mobile
        )


def check_device_code(*, grant: Grant, code: str) -> None:
    """Use up the code of this grant. Raises Refused beside `code`. Call it outside any transaction."""
    outbox.check_code(holder_id=grant.pk, purpose=PURPOSE, about=grant.about, code=code)


@transaction.atomic
def remember_device(*, grant: Grant, token: str, factors: int, user_agent: str) -> GrantDevice:
    """Let this browser in: its cookie will hold `token`, of which only the hash is kept. Twice the same is one device."""
    device, new = GrantDevice.objects.get_or_create(
        token_hash=entry.hash_token(token),
        defaults={"grant": grant, "factors": factors, "label": entry.device_label(user_agent)},
    )
    if new:
        audit.record(
            actor=actor_for(grant, device), action="grant.enter", about=grant.about, patient_id=grant.patient_id
        )
    return device


@transaction.atomic
def forget_devices(*, tokens: list[str]) -> int:
    """Forget every way in that a browser remembers; returns how many there were."""
    hashes = [entry.hash_token(token) for token in tokens]
    return GrantDevice.objects.filter(token_hash__in=hashes, revoked_at=None).update(revoked_at=timezone.now())


def ask_lost_link(*, typed: str, address: str) -> None:
    """Send new secrets to the live ways in with this e-mail or telephone. Nothing tells whether there are any (B1.2).

    The same work is done for nobody as for three. Beyond 3 requests an hour for a contact nothing more is sent;
    beyond 10 from a network address, Refused. Raises Refused too for what is neither e-mail nor telephone.
    """
    if not typed.strip():
        raise Refused(_("Saisissez votre adresse e-mail ou votre téléphone."), field="contact")
    by_email = "@" in typed
    known = contact.clean_email(typed, field="contact") if by_email else contact.clean_phone(typed, field="contact")
    if note("lost.address", address, entry.LOST_WINDOW) > entry.LOST_ADDRESS:
        raise Refused(_("Trop de demandes depuis cette connexion. Réessayez dans une heure."))
    if note("lost.contact", known.lower(), entry.LOST_WINDOW) > entry.LOST_CONTACT:
        return
    with transaction.atomic():
        live = Grant.objects.live().exclude(holder=Holder.GUEST)
        mine = live.filter(email__iexact=known) if by_email else live.filter(phone=known)
        found = list(mine.select_related("patient", "establishment").order_by("-created_at", "pk")[: entry.LOST_GRANTS])
        for grant in found:
            messages.send_lost_link(grant, renew_secrets(actor=SYSTEM_ACTOR, grant=grant))
        for _nobody in range(entry.LOST_GRANTS - len(found)):
            make_password(entry.fold_secret(entry.new_password()))
