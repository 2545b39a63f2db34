"""Many patients at once, in a few statements whatever their number: what an import writes, with the same traces."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.patients import entry
from relais.patients import permissions as may
from relais.patients.actions.identities import INS_KNOWN, _test_matricules
from relais.patients.models import Basis, CareLink, Grant, Holder, Patient

BATCH = 500  # rows of one statement


@dataclass(frozen=True)
class Person:
    """`fields` of identities.Traits.cleaned(); the matricule as identity.clean_ins gives it."""

    fields: dict[str, Any]
    ins: str = ""
    ins_oid: str = ""


@whole
def create_patients(*, actor: Actor, people: Sequence[Person]) -> list[Patient]:
    """New patients, provisional, in the care of the actor's establishment, in the order given.

    Raises NotFound for who may not create one, Refused when somebody has one of these matricules already.
    """
    if not may.can_create(actor):
        raise NotFound
    synthetic = _test_matricules()
    try:
        with transaction.atomic():
            made = Patient.objects.bulk_create(
                [Patient(**one.fields, ins=one.ins, ins_oid=one.ins_oid, synthetic=synthetic) for one in people],
                batch_size=BATCH,
            )
    except IntegrityError as error:
        if "patient_ins_unique" in str(error):
            raise Refused(_(INS_KNOWN), field="ins") from None
        raise
    if actor.establishment_id:
        grant_care_to(actor=actor, links=[(one, one.pk) for one in made], establishment_id=actor.establishment_id)
    audit.record_many(actor=actor, entries=[audit.Trace("patient.create", patient_id=one.pk) for one in made])
    return made


@whole
def grant_care_to(
    *,
    actor: Actor,
    links: Iterable[tuple[Patient, UUID]],
    establishment_id: UUID | None = None,
    user_id: UUID | None = None,
) -> None:
    """Let one establishment or one professional see these patients, each because of an `about` of its own (basis episode).

    Once per holder and `about`: a link that had ended is open again. The workflow that calls has checked why.
    """
    wanted = list(links)
    CareLink.objects.bulk_create(
        [
            CareLink(
                patient=patient, establishment_id=establishment_id, user_id=user_id, basis=Basis.EPISODE, about=about
            )
            for patient, about in wanted
        ],
        batch_size=BATCH,
        update_conflicts=True,
        update_fields=["until"],
        unique_fields=["patient", "establishment_id", "user_id", "service_id", "basis", "about"],
    )
    audit.record_many(
        actor=actor,
        entries=[
            audit.Trace("care.grant", about=about, patient_id=patient.pk, why=Basis.EPISODE)
            for patient, about in wanted
        ],
    )


@whole
def end_care_of(*, actor: Actor, abouts: Iterable[UUID] | QuerySet[Any, Any], user_id: UUID) -> int:
    """End at once what these `abouts` opened to a professional; returns how many links."""
    live = CareLink.objects.live().filter(about__in=abouts, user_id=user_id)
    ended = list(live.select_for_update(of=("self",)).values_list("pk", "about", "patient_id"))
    CareLink.objects.filter(pk__in=[pk for pk, _about, _patient in ended]).update(until=timezone.now())
    audit.record_many(
        actor=actor,
        entries=[audit.Trace("care.end", about=about, patient_id=patient) for _pk, about, patient in ended],
    )
    return len(ended)


@dataclass(frozen=True)
class WayIn:
    """A way in to open: to `about`, until `valid_until`, for the patient or who answers for them."""

    patient: Patient
    about: UUID
    valid_until: datetime
    holder: str = Holder.SELF
    holder_name: str = ""
    email: str = ""
    phone: str = ""


@whole
def open_grants(*, actor: Actor, ways: Sequence[WayIn]) -> list[Grant]:
    """Ways in whose password is made later, by `renew_secrets`: until then they open nothing.

    Hashing a password takes longer than everything else that an import does for a person. `has_no_secret` tells them.
    """
    made = Grant.objects.bulk_create(
        [
            Grant(
                **vars(one),
                establishment_id=actor.establishment_id,
                login=login,
                password_hash=make_password(None),
            )
            for one, login in zip(ways, _logins(len(ways)), strict=True)
        ],
        batch_size=BATCH,
    )
    audit.record_many(
        actor=actor,
        entries=[audit.Trace("grant.open", about=one.about, patient_id=one.patient_id) for one in made],
    )
    return made


def has_no_secret(grant: Grant) -> bool:
    """Whether nobody has made its password yet."""
    return grant.password_hash.startswith("!")


def _logins(count: int) -> list[str]:
    """Logins that nobody has: 40 bits each, those that are taken drawn again."""
    found: set[str] = set()
    while len(found) < count:
        fresh = {entry.new_login() for _each in range(count - len(found))} - found
        found |= fresh - set(Grant.objects.filter(login__in=fresh).values_list("login", flat=True))
    return list(found)
