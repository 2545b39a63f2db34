"""What a report and a prescription hold: frozen dataclasses, filled by `content`, worded by `printing`, made by `pdf`.

Sources: CSP R6316-4 and domain.md §2.3 (report), CSP R5132-3 and domain.md §2.4 (prescription), RNIV (identity).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from relais.teleconsultation.prescribing import Line


@dataclass(frozen=True)
class PatientBlock:
    """The identity as the RNIV wants it on a document; `ins` is printed only when `identity_status` is QUAL."""

    birth_family_name: str
    birth_given_names: str
    used_family_name: str = ""
    used_given_name: str = ""
    birth_date: date | None = None
    sex: str = ""
    birth_place: str = ""  # INSEE code
    identity_status: str = "PROV"
    ins: str = ""
    ins_oid: str = ""

    @classmethod
    def of(cls, patient: Any) -> "PatientBlock":
        """The block of a patients.Patient."""
        return cls(**{name: getattr(patient, name) for name in cls.__dataclass_fields__})

    @property
    def name(self) -> str:
        family = self.used_family_name or self.birth_family_name
        given = self.used_given_name or self.birth_given_names.split(" ")[0]
        return f"{family.upper()} {given}".strip()


@dataclass(frozen=True)
class ProfessionalBlock:
    """Who acts, and where."""

    name: str  # "Dr Claire Martin"
    rpps: str
    profession: str = ""
    specialty: str = ""
    establishment: str = ""
    finess: str = ""
    address: str = ""
    phone: str = ""

    @classmethod
    def of(cls, user: Any, establishment: Any) -> "ProfessionalBlock":
        """The block of an accounts.User in a directory.Establishment."""
        town = f"{establishment.postal_code} {establishment.city}".strip()
        return cls(
            name=user.full_name,
            rpps=user.rpps or "",
            profession=user.profession,
            specialty=user.specialty,
            establishment=establishment.name,
            finess=establishment.finess,
            address=", ".join(part for part in (establishment.address, town) if part),
            phone=establishment.phone,
        )

    @property
    def quality(self) -> str:
        return " · ".join(part for part in (self.profession, self.specialty) if part)


@dataclass(frozen=True)
class Report:
    """The content of a report (domain.md §2.3). Empty texts are left out, except the conclusion."""

    patient: PatientBlock
    professional: ProfessionalBlock
    reference: str
    started_at: datetime
    written_at: datetime
    reason: str
    conclusion: str
    ended_at: datetime | None = None
    participants: Sequence[str] = ()  # "Mme Anne Petit, fille (non authentifiée)"
    act_type: str = "Téléconsultation"
    means: str = "Visioconférence par la plateforme Relais"
    patient_location: str = ""
    consent: str = ""
    history: str = ""  # history, treatments, allergies
    findings: str = ""
    actions: str = ""  # acts and prescriptions
    follow_up: str = ""
    incident: str = ""
    copies_to: Sequence[str] = ()
    version: int = 1
    replaces: str = ""  # "version 1 du 21/11/2026 à 14:52"


@dataclass(frozen=True)
class Signature:
    """Who signed and how it was proved. `code_verified_at`: when the 6-digit code was given back (TC-50)."""

    name: str
    rpps: str
    signed_at: datetime
    digest: str  # content_digest of what was signed
    code_verified_at: datetime | None = None
    code_channel: str = ""  # "SMS", "e-mail"


@dataclass(frozen=True)
class Prescription:
    """The content of a prescription (domain.md §2.4). Lines were checked by `prescribing.check`."""

    patient: PatientBlock
    prescriber: ProfessionalBlock
    reference: str
    on: date
    place: str
    lines: Sequence[Line]
    weight_kg: Decimal | None = None
    height_cm: int | None = None
    secured: bool = False
    extra: Sequence[str] = field(default=())  # further notes printed at the foot
