"""The documents of the demo region: every one of them opens.

Those of the personas' hospital are made for their patient. The others share a few specimens that say so: each is
encrypted once, and every document that shows it is a hard link of its own (a copy where the disk has none).
"""

import hashlib
import io
import os
import random
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image, ImageDraw

from relais.core.demo import new_id
from relais.core.paris import PARIS
from relais.files import vault
from relais.files.models import StoredFile
from relais.teleconsultation import papers, pdf
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.prescribing import Line

REPORT, PRESCRIPTION, PHOTO = "report", "prescription", "photo"
SPECIMENS = {REPORT: 5, PRESCRIPTION: 4, PHOTO: 3}
TYPES = {REPORT: "application/pdf", PRESCRIPTION: "application/pdf", PHOTO: "image/jpeg"}
LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)

# What reports say: invented, plain, without anything rare enough to be somebody's.
TEXTS: list[dict[str, Any]] = [
    {
        "history": "Hypertension artérielle traitée. Pas d’allergie connue.",
        "findings": "Patient assis, parle par phrases complètes. Tension mesurée à domicile : 134/78. Poids stable.",
        "conclusion": "État stable, traitement bien toléré.",
        "actions": "Traitement poursuivi sans changement.",
        "follow_up": "Revoir dans trois mois. Consulter plus tôt en cas de vertiges.",
    },
    {
        "history": "Diabète de type 2. Allergie à la pénicilline notée au dossier.",
        "findings": "Toux sèche depuis quatre jours, sans essoufflement. Température rapportée : 37,8 °C.",
        "conclusion": "Infection respiratoire haute sans signe de gravité constaté en vidéo.",
        "actions": "Paracétamol si besoin. Hydratation.",
        "follow_up": "Appeler le 15 en cas d’essoufflement au repos. Revoir à 72 h si la fièvre persiste.",
    },
    {
        "history": "Insuffisance cardiaque suivie. Anticoagulant oral.",
        "findings": "Œdèmes des chevilles stables. Soignante présente : pouls 76, SpO2 96 %.",
        "conclusion": "Pas de décompensation.",
        "actions": "Pesée deux fois par semaine par l’équipe.",
        "follow_up": "Téléconsultation de suivi dans un mois.",
    },
    {
        "history": "Plaie chronique de jambe, soins infirmiers à domicile.",
        "findings": "Plaie bourgeonnante, sans rougeur autour, vue à la caméra avec l’infirmière.",
        "conclusion": "Évolution favorable.",
        "actions": "Poursuite des pansements, un jour sur deux.",
        "follow_up": "Photographie de contrôle dans deux semaines.",
    },
    {
        "history": "Anxiété ancienne, suivie. Pas de traitement en cours.",
        "findings": "Sommeil amélioré depuis la dernière fois. Reprise des activités.",
        "conclusion": "Amélioration.",
        "actions": "Conseils de sommeil remis.",
        "follow_up": "Nouveau rendez-vous dans six semaines.",
    },
]
LINES = [
    Line(
        dci="paracétamol", dosage="500 mg", form="comprimé", route="orale", dose=Decimal(1), as_needed=True,
        max_per_day=Decimal(4), interval_hours=Decimal(6), days=5,
    ),
    Line(
        dci="amlodipine", dosage="5 mg", form="comprimé", route="orale", dose=Decimal(1), per_day=Decimal(1),
        moments="le matin", days=30, renewals=2,
    ),
    Line(dci="metformine", dosage="500 mg", form="comprimé", route="orale", dose=Decimal(1), per_day=Decimal(2),
         moments="pendant le repas", days=30, renewals=2),
    Line(dci="chlorure de sodium", dosage="0,9 %", form="solution", route="nasale", posology="Un lavage matin et soir",
         quantity="20 unidoses"),
]  # fmt: skip
NOBODY = papers.PatientBlock("Spécimen", "Patient", birth_date=date(1970, 1, 1), sex="F")
NO_DOCTOR = papers.ProfessionalBlock("Dr Spécimen", "89900000000", "Médecin", establishment="Région de démonstration")
NOTICE = "Document d’exemple, commun à plusieurs dossiers de la région de démonstration."


@dataclass
class Press:
    """Makes the files of one region. `left` counts the documents that are still made for their patient."""

    left: int
    masters: dict[tuple[str, int], Path] = field(default_factory=dict)

    def specimen(self, rng: random.Random, kind: str, name: str, at: datetime, **row: Any) -> StoredFile:
        """A file that shows one of the specimens of `kind`."""
        number = rng.randrange(SPECIMENS[kind])
        content = _specimen(kind, number)
        file = _row(new_id(rng), content, kind, name, at, **row)
        path = vault.path_of(file.pk)
        if (kind, number) not in self.masters:
            vault.write(io.BytesIO(content), path)
            self.masters[kind, number] = path
        else:
            _same(self.masters[kind, number], path)
        return file

    def made_for(
        self, rng: random.Random, kind: str, tele: Teleconsultation, texts: dict[str, Any], at: datetime, **row: Any
    ) -> StoredFile:
        """A file that was made for this appointment, while there are some left; else a specimen."""
        name = f"{'compte-rendu' if kind == REPORT else 'ordonnance'}-{tele.dossier.reference}.pdf"
        if self.left <= 0 or not tele.dossier.patient.birth_date:
            return self.specimen(rng, kind, name, at, **row)
        self.left -= 1
        content = _report(tele, texts, at) if kind == REPORT else _prescription(tele, at, rng.randrange(len(LINES)))
        file = _row(new_id(rng), content, kind, name, at, **row)
        vault.write(io.BytesIO(content), vault.path_of(file.pk))
        return file


def _row(pk: UUID, content: bytes, kind: str, name: str, at: datetime, **row: Any) -> StoredFile:
    digest = hashlib.sha256(content).hexdigest()
    return StoredFile(
        pk=pk, name=name, content_type=TYPES[kind], size=len(content), sha256=digest, created_at=at, **row
    )


def _same(master: Path, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        os.link(master, path)
    except OSError:
        shutil.copyfile(master, path)
        path.chmod(0o600)


@lru_cache(maxsize=32)
def _specimen(kind: str, number: int) -> bytes:
    if kind == PHOTO:
        return _picture(number)
    if kind == REPORT:
        return pdf.report_pdf(
            papers.Report(
                patient=NOBODY,
                professional=NO_DOCTOR,
                reference=f"SPÉCIMEN-{number + 1}",
                started_at=LONG_AGO,
                ended_at=LONG_AGO + timedelta(minutes=17),
                written_at=LONG_AGO + timedelta(minutes=24),
                reason="Consultation",
                copies_to=[NOTICE],
                **TEXTS[number],
            )
        )
    content = papers.Prescription(
        patient=NOBODY,
        prescriber=NO_DOCTOR,
        reference=f"SPÉCIMEN-{number + 1}",
        on=LONG_AGO.date(),
        place="Paris",
        lines=[LINES[number]],
        extra=[NOTICE],
    )
    return _signed(content, NO_DOCTOR, LONG_AGO)


def _report(tele: Teleconsultation, texts: dict[str, Any], at: datetime) -> bytes:
    return pdf.report_pdf(
        papers.Report(
            patient=papers.PatientBlock.of(tele.dossier.patient),
            professional=papers.ProfessionalBlock.of(tele.practitioner, tele.establishment),
            reference=tele.dossier.reference,
            started_at=tele.started_at or tele.starts_at,
            ended_at=tele.ended_at,
            written_at=at,
            reason=tele.get_reason_display(),
            means="Poursuivie par téléphone" if tele.incident else "Visioconférence par la plateforme Relais",
            consent=f"Donné par {tele.consent_by}" if tele.consent_by else "",
            incident=tele.incident,
            **texts,
        )
    )


def _prescription(tele: Teleconsultation, at: datetime, number: int) -> bytes:
    prescriber = papers.ProfessionalBlock.of(tele.practitioner, tele.establishment)
    content = papers.Prescription(
        patient=papers.PatientBlock.of(tele.dossier.patient),
        prescriber=prescriber,
        reference=tele.dossier.reference,
        on=at.astimezone(PARIS).date(),
        place=tele.establishment.city,
        lines=[LINES[0], LINES[number]] if number else LINES[:1],
    )
    return _signed(content, prescriber, at)


def _signed(content: papers.Prescription, prescriber: papers.ProfessionalBlock, at: datetime) -> bytes:
    signature = papers.Signature(
        name=prescriber.name,
        rpps=prescriber.rpps,
        signed_at=at,
        digest=pdf.content_digest(content),
        code_verified_at=at - timedelta(minutes=1),
    )
    return pdf.prescription_pdf(content, signature)


def _picture(number: int) -> bytes:
    """A photograph of nobody: a disc on a plain ground."""
    image = Image.new("RGB", (960, 720), [(214, 226, 233), (233, 222, 208), (219, 230, 214)][number])
    draw = ImageDraw.Draw(image)
    draw.ellipse((300, 180, 660, 540), fill=[(176, 137, 120), (150, 116, 98), (198, 160, 140)][number])
    draw.ellipse((440, 330, 520, 400), fill=(150, 74, 70))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=80)
    return target.getvalue()
