"""Opening a patient's way in, changing its secrets, its end, and closing it. Workflows call these; they have checked who may."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.audit import actions as audit
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import Refused
from relais.core.transactions import whole
from relais.patients import contact, entry
from relais.patients.models import Grant, Holder, Patient

Secrets = dict[str, str]
_hashing = ThreadPoolExecutor(2, "hash")  # Argon2 lets other threads work


@dataclass(frozen=True)
class Password:
    """A new password and its hash, which is still being computed."""

    text: str
    hash: "Future[str]"


def new_password() -> Password:
    """Begin to hash a new password, while the caller goes on: it takes as long as twenty rows to write."""
    text = entry.new_password()
    return Password(text, _hashing.submit(make_password, entry.fold_secret(text)))


@whole
def open_grant(
    *,
    actor: Actor,
    patient: Patient,
    about: UUID,
    holder: str = Holder.SELF,
    holder_name: str = "",
    email: str = "",
    phone: str = "",
    valid_until: datetime,
    establishment_id: UUID | None = None,
    password: Password | None = None,
) -> tuple[Grant, Secrets]:
    """A way in to `about` until `valid_until` (included), and its secrets `{login, password}`: known here and never again.

    `phone` in E.164. `establishment_id`: who sends it (default: the actor's), named on the entry page. `password`: made before by
    `new_password`, when there was other work to do meanwhile. TC-21, TC-22.
    Raises Refused beside `holder_name` when the holder is not the patient and has no name, and beside `phone` when a
    landline is all there is: no message would arrive.
    """
    if holder != Holder.SELF and not holder_name.strip():
        raise Refused(
            _("Indiquez le nom de la personne qui aide le patient : il figure sur ses pages."), field="holder_name"
        )
    if phone and not email and not contact.is_mobile(phone):
        raise Refused(
            _("Ce numéro est un fixe : les SMS n’y arrivent pas. Indiquez un mobile ou une adresse e-mail."),
            field="phone",
        )
    password = password or new_password()
    grant = _insert(
        patient=patient,
        establishment_id=establishment_id or actor.establishment_id,
        about=about,
        holder=holder,
        holder_name=holder_name.strip(),
        email=email,
        phone=phone,
        password_hash=password.hash.result(),
        valid_until=valid_until,
    )
    audit.record(actor=actor, action="grant.open", about=about, patient_id=patient.pk)
    return grant, {"login": grant.login, "password": password.text}


def _insert(**fields: object) -> Grant:
    """The row under a login that nobody has: the database decides."""
    for _try in range(5):
        try:
            with transaction.atomic():
                return Grant.objects.create(login=entry.new_login(), **fields)
        except IntegrityError as error:
            if "login" not in str(error):
                raise
    raise RuntimeError("five logins in a row were taken")


@whole
def renew_secrets(*, actor: Actor, grant: Grant) -> Secrets:
    """A new password; the old one opens nothing any more, the login stays (it may be in another message), locks are lifted.

    Browsers already let in stay. `grant` is changed in place.
    """
    password = entry.new_password()
    locked = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    locked.password_hash = make_password(entry.fold_secret(password))
    locked.secrets_at, locked.failed_tries, locked.locked_until = timezone.now(), 0, None
    locked.save(update_fields=["password_hash", "secrets_at", "failed_tries", "locked_until"])
    grant.password_hash, grant.secrets_at = locked.password_hash, locked.secrets_at
    grant.failed_tries, grant.locked_until = 0, None
    audit.record(actor=actor, action="grant.renew", about=grant.about, patient_id=grant.patient_id)
    return {"login": grant.login, "password": password}


@whole
def extend(*, grant: Grant, valid_until: datetime, actor: Actor = SYSTEM_ACTOR) -> None:
    """Set the end of a way in (TC-28: 30 days from done, renewed by a later sharing). Revoked ones stay revoked."""
    Grant.objects.filter(pk=grant.pk).update(valid_until=valid_until)
    grant.valid_until = valid_until
    audit.record(actor=actor, action="grant.extend", about=grant.about, patient_id=grant.patient_id)


@whole
def revoke(*, actor: Actor, about: UUID, holders: tuple[str, ...] = ()) -> int:
    """Close every way in to `about` at once (only those of `holders`, when given); returns how many (TC-22)."""
    open_ones = Grant.objects.filter(about=about, revoked_at=None)
    if holders:
        open_ones = open_ones.filter(holder__in=holders)
    patients = set(open_ones.values_list("patient_id", flat=True))
    count = open_ones.update(revoked_at=timezone.now())
    for patient_id in sorted(patients):
        audit.record(actor=actor, action="grant.revoke", about=about, patient_id=patient_id)
    return count


@whole
def revoke_grant(*, actor: Actor, grant: Grant) -> None:
    """Close one way in (a guest who leaves, a wrong number) and leave the others."""
    now = timezone.now()
    if Grant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=now):
        grant.revoked_at = now
        audit.record(actor=actor, action="grant.revoke", about=grant.about, patient_id=grant.patient_id)
