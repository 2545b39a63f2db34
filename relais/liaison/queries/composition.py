"""The DLU and the two sides of a transfer sheet as FHIR R4 documents (standards.md §1.9: DLU, FLUDT, FLUDR; domain.md §3.5).

A Bundle of type *document*: a Composition whose sections are the headings of the form, each to read as it stands and with the
QuestionnaireResponse and the vital signs that it was made from.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from relais.directory.models import Establishment
from relais.dossiers import fhir
from relais.dossiers.fhir import Entries, Resource
from relais.files.models import StoredFile
from relais.liaison.models import HospitalTransfer
from relais.liaison.queries.bundle import authors_of
from relais.liaison.queries.dlu import Brief
from relais.patients.models import Patient
from relais.questionnaires.fhir import observation_id
from relais.questionnaires.models import Response
from relais.questionnaires.queries import Section, shown

Row = tuple[str, str]


def dlu(found: Brief) -> Resource:
    """The version in force, with what the paper says first: whether it is stale, allergies, flags. It replaces the one before."""
    row = found.dlu
    first = [(_("À vérifier"), found.stale)] if found.stale else []
    first += [(_("Allergies"), found.allergies), *((_("Attention"), flag) for flag in found.flags)]
    sections = shown(row.response, lambda pk: reverse("liaison:dlu_file", args=[row.patient_id, pk]))
    return _document(
        row.response, row.patient, sections, keeper=row.establishment, at=row.updated_at,
        kind=fhir.loinc(fhir.DLU, "Document de liaison d’urgence"), first=first,
    )  # fmt: skip


def departure(transfer: HospitalTransfer) -> Resource:
    """The front of the sheet: the resident leaves for the emergency department."""
    kind = fhir.loinc(fhir.TO_EMERGENCY, "Fiche de transfert vers le service des urgences")
    return _side(transfer, transfer.front, kind)


def arrival(transfer: HospitalTransfer) -> Resource | None:
    """The back: what came home with the resident; None as long as nobody wrote it."""
    kind = fhir.loinc(fhir.FROM_EMERGENCY, "Fiche de retour du service des urgences")
    return _side(transfer, transfer.back, kind) if transfer.back else None


def _side(transfer: HospitalTransfer, response: Response, kind: Resource) -> Resource:
    return _document(
        response, transfer.patient, shown(response), keeper=transfer.establishment, at=response.received_at, kind=kind
    )


def _document(
    response: Response,
    patient: Patient,
    sections: list[Section],
    *,
    keeper: Establishment,
    at: datetime,
    kind: Resource,
    first: Iterable[Row] = (),
) -> Resource:
    entries = Entries()
    subject = entries.patient(patient)
    by = authors_of(entries, [response])[response.pk]
    kept = entries.answers(response, subject=subject, author=by)
    files = _files(entries, sections, subject, at)
    parts = [_section(_("À savoir d’abord"), first, [kept])] if first else []
    for one in sections:
        signs = [f"Observation/{observation_id(response, line.link_id)}" for line in one.lines]
        joined = [files[file.pk] for line in one.lines for file in line.files if file.pk in files]
        found = [{"reference": name} for name in signs if name in entries]
        parts.append(_section(one.title, _rows(one), [kept, *found, *joined]))
    composition: dict[str, Any] = {
        "resourceType": "Composition",
        "id": str(response.pk),
        "language": "fr-FR",
        "identifier": fhir.uuid_of(response.pk),
        "status": "amended" if response.replaces_id else "final",
        "type": kind,
        "subject": subject,
        "date": fhir.moment(at),
        "author": [by],
        "title": kind["text"],
        "confidentiality": "N",
        "custodian": entries.place(keeper),
        "section": parts,
    }
    if response.replaces_id:
        composition["relatesTo"] = [{"code": "replaces", "targetIdentifier": fhir.uuid_of(response.replaces_id)}]
    return entries.bundle(fhir.uuid_of(response.pk), composition)


def _files(entries: Entries, sections: list[Section], subject: Resource, at: datetime) -> dict[UUID, Resource]:
    """A DocumentReference for each file that is joined and that a door leads to."""
    joined = {one.pk: one for section in sections for line in section.lines for one in line.files if one.url}
    rows = StoredFile.objects.filter(pk__in=joined, sealed_at=None).order_by("created_at", "pk") if joined else []
    return {
        row.pk: entries.add(
            fhir.document(row, pk=row.pk, title=joined[row.pk].label, url=joined[row.pk].url, subject=subject, at=at)
        )
        for row in rows
    }


def _section(title: str, rows: Iterable[Row], entry: list[Resource]) -> Resource:
    lines = format_html_join("", "<li><b>{}</b> : {}</li>", rows)
    div = format_html('<div xmlns="http://www.w3.org/1999/xhtml"><ul>{}</ul></div>', lines)
    made: Resource = {"text": {"status": "generated", "div": str(div)}, "entry": entry}
    return ({"title": title} if title else {}) | made


def _rows(section: Section) -> list[Row]:
    """Question and answer in words; of files, their labels."""
    return [(one.label, ", ".join((*one.words, *(file.label for file in one.files)))) for one in section.lines]
