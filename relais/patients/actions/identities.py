"""Making a patient, correcting what is written about them, and finding one again by their matricule."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.audit import actions as audit
from relais.core.actor import SYSTEM, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.patients import contact, deaths, identity
from relais.patients import permissions as may
from relais.patients.actions.care import grant_care
from relais.patients.models import Basis, MistakenDeath, Patient, Sex

CLAIM_OPEN = timedelta(
    days=1
)  # time to book for a patient found by matricule; the dossier then gives a link of its own
INS_KNOWN = "Ce matricule est déjà celui d’un patient connu : retrouvez-le au lieu d’en créer un second."


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What is written about a person, as typed. Only the two birth names must be there (TC-17)."""

    birth_family_name: str
    birth_given_names: str
    used_family_name: str = ""
    used_given_name: str = ""
    birth_date: date | None = None
    sex: str = ""
    birth_place: str = ""
    email: str = ""
    phone: str = ""
    social_security_number: str = ""
    insurance_scheme: str = ""

    def cleaned(self) -> dict[str, Any]:
        """The fields as they are stored. Raises Refused beside the first field that is wrong."""
        number = self.social_security_number.strip()
        return {
            "birth_family_name": identity.clean_name(self.birth_family_name, field="birth_family_name")[:100],
            "birth_given_names": identity.clean_name(self.birth_given_names, field="birth_given_names")[:200],
            "used_family_name": identity.clean_name(self.used_family_name, field="used_family_name", required=False)[
                :100
            ],
            "used_given_name": identity.clean_name(self.used_given_name, field="used_given_name", required=False)[:100],
            "birth_date": identity.clean_birth_date(self.birth_date, today=timezone.localdate()),
            "sex": self.sex if self.sex in Sex.values else "",
            "birth_place": identity.clean_birth_place(self.birth_place),
            "email": contact.clean_email(self.email),
            "phone": contact.clean_phone(self.phone),
            "social_security_number": (
                identity.clean_matricule(number, field="social_security_number") if number else ""
            ),
            "insurance_scheme": self.insurance_scheme.strip()[:60],
        }


def _test_matricules() -> bool:
    return settings.DEMO or settings.TESTING


@transaction.atomic
def create_patient(
    *,
    actor: Actor,
    traits: Traits,
    ins: str = "",
    ins_oid: str = "",
    document_checked: bool = False,
    request_key: UUID | None = None,
) -> Patient:
    """A new patient, in the care of the actor's establishment. The same `request_key` sent twice makes one.

    A matricule typed by hand is kept but was not retrieved from INSi: the status is PROV, or VALI when the document
    was seen. Raises Refused beside a field; for a matricule that somebody has, `field` is "ins" (see `claim`).
    """
    if not may.can_create(actor):
        raise NotFound
    if request_key and (done := Patient.objects.filter(request_key=request_key).first()):
        return done
    fields = traits.cleaned()
    number, oid = identity.clean_ins(ins.strip(), ins_oid, allow_test=_test_matricules())
    if number and Patient.objects.filter(ins=number, ins_oid=oid).exists():
        raise Refused(_(INS_KNOWN), field="ins")
    checked = document_checked and may.can_mark_checked(actor)
    try:
        with transaction.atomic():
            patient = Patient.objects.create(
                **fields,
                ins=number,
                ins_oid=oid,
                identity_status=identity.status_of(retrieved=False, checked=checked),
                synthetic=_test_matricules(),
                request_key=request_key,
            )
    except IntegrityError as error:
        if request_key and "request_key" in str(error):  # the other of two clicks was first
            return Patient.objects.get(request_key=request_key)
        if "patient_ins_unique" in str(error):
            raise Refused(_(INS_KNOWN), field="ins") from None
        raise
    if actor.establishment_id:
        grant_care(
            actor=actor,
            patient=patient,
            basis=Basis.EPISODE,
            about=patient.pk,
            establishment_id=actor.establishment_id,
        )
    audit.record(actor=actor, action="patient.create", patient_id=patient.pk)
    return patient


@transaction.atomic
def correct_traits(
    *,
    actor: Actor,
    patient: Patient,
    traits: Traits,
    document_checked: bool = False,
    marks: list[str] | None = None,
) -> Patient:
    """Write traits again; the status falls when a strict one changes (EXI SI 07). `marks` None leaves them as they are.

    A matricule stays for matching, but is no longer shown or exchanged once the identity is not qualified. The
    trace names the fields, never the values. Returns the changed row; raises Refused beside a field.
    """
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    if not may.can_correct(actor, locked):
        raise NotFound
    fields = traits.cleaned()
    wanted = sorted(set(locked.identity_marks if marks is None else marks) & set(identity.MARKS))
    status = identity.status_after_edit(
        locked.identity_status,
        strict_trait_changed=any(getattr(locked, name) != fields[name] for name in identity.STRICT_TRAITS),
        document_checked=document_checked and may.can_mark_checked(actor),
        marks=wanted,
    )
    fields |= {"identity_marks": wanted, "identity_status": status}
    changed = sorted(name for name, value in fields.items() if getattr(locked, name) != value)
    if not changed:
        return locked
    for name in changed:
        setattr(locked, name, fields[name])
    locked.save(update_fields=changed)
    locked.refresh_from_db()
    audit.record(actor=actor, action="patient.correct", patient_id=locked.pk, why=", ".join(changed)[:300])
    return locked


@whole
def record_death(*, actor: Actor, patient: Patient, on: date) -> Patient:
    """Note the day of a death, once: what was planned for this person anywhere ends with it (see `deaths`).

    Raises NotFound for who may not correct the identity, Refused for a day to come or before the birth.
    """
    locked = Patient.objects.select_for_update(of=("self",), no_key=True).get(pk=patient.pk)
    if not may.can_correct(actor, locked):
        raise NotFound
    if on > timezone.localdate():
        raise Refused(_("Ce jour n’est pas encore venu : vérifiez la date du décès."), field="day")
    if locked.birth_date and on < locked.birth_date:
        raise Refused(_("Ce jour précède la naissance : vérifiez la date du décès."), field="day")
    if locked.deceased_on is None:
        locked.deceased_on = on
        locked.save(update_fields=["deceased_on"])
        audit.record(actor=actor, action="patient.death", patient_id=locked.pk)
    deaths.tell(actor, locked)
    return locked


@whole
def withdraw_death(*, actor: Actor, patient: Patient, why: str) -> Patient:
    """A death noted by mistake is erased, so that help can be asked for again; what ended with it does not begin again by
    itself, and those who worked there are told (see `deaths`).

    `why` is a MistakenDeath: nothing typed goes to the trace. Raises NotFound for who may not correct the identity, Refused
    without a reason, or when no death is noted (any more).
    """
    locked = Patient.objects.select_for_update(of=("self",), no_key=True).get(pk=patient.pk)
    if not may.can_correct(actor, locked):
        raise NotFound
    if locked.deceased_on is None:
        raise Refused(_("Aucun décès n’est enregistré pour cette personne."))
    if why not in MistakenDeath.values:
        raise Refused(_("Choisissez la raison."), field="why")
    locked.deceased_on = None
    locked.save(update_fields=["deceased_on"])
    audit.record(actor=actor, action="patient.death_withdrawn", patient_id=locked.pk, why=why)
    deaths.tell_return(actor, locked)
    return locked


@transaction.atomic
def retrieve_ins(*, actor: Actor, patient: Patient, ins: str, ins_oid: str) -> Patient:
    """The matricule that INSi answered for these traits: PROV becomes RECUP, VALI becomes QUAL. Connectors only.

    Refused for an identity marked *douteux* or *fictif* (no call to INSi is allowed), or a matricule of somebody else.
    """
    if actor.kind != SYSTEM:
        raise NotFound
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    if identity.UNTRUSTED.intersection(locked.identity_marks):
        raise Refused(_("Une identité douteuse ou fictive n’interroge pas INSi."))
    locked.ins, locked.ins_oid = identity.clean_ins(ins, ins_oid, allow_test=_test_matricules())
    _retrieved, checked = identity.facts_of(locked.identity_status)
    locked.identity_status = identity.status_of(retrieved=True, checked=checked)
    try:
        with transaction.atomic():
            locked.save(update_fields=["ins", "ins_oid", "identity_status"])
    except IntegrityError:
        raise Refused(_(INS_KNOWN), field="ins") from None
    audit.record(actor=actor, action="patient.retrieve_ins", patient_id=locked.pk)
    return locked


@transaction.atomic
def claim(*, actor: Actor, ins: str, ins_oid: str, birth_date: date) -> Patient:
    """Find again a patient of another establishment by exact matricule and birth date, and see them for a day.

    One answer (Refused) for a matricule that nobody has and for a birth date that differs.
    """
    if not may.can_create(actor) or not actor.establishment_id:
        raise NotFound
    number, oid = identity.clean_ins(ins.strip(), ins_oid, allow_test=_test_matricules())
    patient = Patient.objects.filter(ins=number, ins_oid=oid, birth_date=birth_date).exclude(ins="").first()
    if patient is None:
        raise Refused(_("Aucun patient ne porte ce matricule et cette date de naissance ensemble."), field="birth_date")
    if not Patient.objects.visible_to(actor).filter(pk=patient.pk).exists():
        grant_care(
            actor=actor,
            patient=patient,
            basis=Basis.EPISODE,
            about=patient.pk,
            establishment_id=actor.establishment_id,
            until=timezone.now() + CLAIM_OPEN,
        )
    audit.record(actor=actor, action="patient.claim", patient_id=patient.pk)
    return patient
