"""The DLU and the transfer sheet on paper: what an ambulance carries (domain.md §3.5). Pure but for the rows it reads."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone, translation

from relais.core import pdf
from relais.core.times import stamp
from relais.directory.models import Establishment
from relais.liaison.models import HospitalTransfer
from relais.liaison.queries.dlu import Brief, brief_of, dlu_of, left_at
from relais.patients.identity import printed
from relais.patients.models import Patient
from relais.questionnaires.models import Response
from relais.questionnaires.queries import Section, shown

TEMPLATE = Path(__file__).parent / "typst" / "dlu.typ"
# The back of a sheet that the emergency department fills by hand: (question, lines).
BY_HAND = (
    ("Date et heure du retour", 1), ("Service, médecin, téléphone", 1), ("Diagnostic retenu", 3),
    ("Examens et actes réalisés", 4), ("Traitement : inchangé, ou ce qui change", 4),
    ("Suivi : surveillance, rendez-vous, résultats attendus", 3), ("Qui a été appelé, à quelle heure", 1),
    ("Nom et signature", 1),
)  # fmt: skip
LONG = 40  # characters
NO_DLU = "Aucun document de liaison d’urgence n’est enregistré pour ce résident."


@dataclass(frozen=True)
class Part:
    """A part of the paper, on a page of its own."""

    title: str
    lead: str
    alarm: str = ""
    flags: tuple[str, ...] = ()
    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    blanks: tuple[tuple[str, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What typst reads."""
        return dict(vars(self))


def dlu_pdf(found: Brief, *, at: datetime) -> bytes:
    """The DLU alone."""
    with translation.override("fr"):
        return _printed(
            found.dlu.patient, found.dlu.establishment, [_document(found)], "Document de liaison d’urgence", at
        )


def transfer_pdf(transfer: HospitalTransfer, *, at: datetime, until: datetime | None = None) -> bytes:
    """Front, back (filled, or to fill by hand) and DLU; `until`: as in `dlu_of`."""
    patient = transfer.patient
    dlu = dlu_of(patient, until)
    # The departure that this sheet accompanies does not make the DLU stale.
    left = left_at([patient.pk], before=transfer.departed_at).get(patient.pk)
    with translation.override("fr"):
        document = _document(brief_of(dlu, left, at)) if dlu else Part("Document de liaison d’urgence", "", NO_DLU)
        parts = [_front(transfer), _back(transfer), document]
        return _printed(patient, transfer.establishment, parts, "Fiche de liaison d’urgence", at)


def _printed(patient: Patient, place: Establishment, parts: list[Part], title: str, at: datetime) -> bytes:
    born = f"{patient.birth_date:%d/%m/%Y}" if patient.birth_date else "date de naissance inconnue"
    data = {
        "author": place.name,
        "footer": f"{patient.full_name} · {born} · imprimé le {stamp(at)}",
        "place": {"name": place.name, "lines": _place(place)},
        "patient": {
            "name": patient.full_name,
            "rows": [*printed(patient, timezone.localdate(at)), *_insurance(patient)],
        },
        "parts": [one.as_json() for one in parts],
    }
    return pdf.render(TEMPLATE, data, title=title, at=at, own=())  # it leaves with the ambulance, whoever wrote what


def _front(transfer: HospitalTransfer) -> Part:
    return Part(
        "Transfert vers les urgences",
        f"Départ le {stamp(transfer.departed_at)}. Fiche remplie par {transfer.by.full_name}.",
        sections=_sections(transfer.front),
    )


def _back(transfer: HospitalTransfer) -> Part:
    if transfer.back and transfer.returned_at:
        return Part(
            "Retour des urgences", f"Retour le {stamp(transfer.returned_at)}.", sections=_sections(transfer.back)
        )
    return Part("Retour des urgences", "À remplir par le service qui rend le résident à l’EHPAD.", blanks=BY_HAND)


def _document(found: Brief) -> Part:
    dlu = found.dlu
    return Part(
        "Document de liaison d’urgence",
        f"Mis à jour le {stamp(dlu.updated_at)} par {dlu.by.full_name}, {dlu.establishment.name}.",
        alarm=f"À vérifier. {found.stale}" if found.stale else "",
        flags=(f"Allergies : {found.allergies}", *found.flags),
        sections=_sections(dlu.response),
    )


def _sections(response: Response) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    return tuple((one.title, _rows(one)) for one in shown(response))


def _rows(section: Section) -> tuple[tuple[str, str], ...]:
    """Question and answer; of files, how many there are in Relais."""
    return tuple(
        (line.label, f"{len(line.files)} dans Relais" if line.files else _lines(line.words)) for line in section.lines
    )


def _lines(words: tuple[str, ...]) -> str:
    """Words on one line; sentences, and people with their telephone, each on its own."""
    return ("\n" if any(len(one) > LONG or "," in one for one in words) else ", ").join(words)


def _place(place: Establishment) -> list[str]:
    town = f"{place.postal_code} {place.city}".strip()
    lines = [
        place.address,
        town,
        f"Tél. {place.phone}" if place.phone else "",
        f"FINESS {place.finess}" if place.finess else "",
    ]
    return [line for line in lines if line]


def _insurance(patient: Patient) -> list[tuple[str, str]]:
    """What the admissions of the hospital ask for."""
    rows = [("Sécurité sociale", patient.social_security_number), ("Régime", patient.insurance_scheme)]
    return [row for row in rows if row[1]]
