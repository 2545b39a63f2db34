"""The words of a printed report and prescription: what the typst templates receive, as strings and lists of them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from relais.core.times import stamp
from relais.patients.identity import printed
from relais.teleconsultation.papers import PatientBlock, Prescription, ProfessionalBlock, Report, Signature
from relais.teleconsultation.prescribing import NARCOTIC, REASONS, Line

NO_INTERACTIONS = "Contrôle d’interactions non réalisé par le logiciel."


def report_data(content: Report) -> dict[str, Any]:
    """What report.typ prints."""
    act = [
        ("Type", content.act_type),
        ("Moyen technique", content.means),
        ("Lieu où se trouve le patient", content.patient_location),
        ("Consentement", content.consent),
        ("Autres participants", "\n".join(content.participants)),
    ]
    sections = [
        ("Motif", content.reason),
        ("Antécédents, traitements, allergies", content.history),
        ("Constatations", content.findings),
        ("Conclusion", content.conclusion or "Non renseignée."),
        ("Actes et prescriptions", content.actions),
        ("Suite à donner", content.follow_up),
    ]
    professional = content.professional
    return {
        "heading": f"Compte-rendu de {content.act_type.lower()}",
        "heading_title": f"Compte-rendu de {content.act_type.lower()} {content.reference}",
        "author": professional.name,
        "footer": f"{content.patient.name} · {_born(content.patient)} · dossier {content.reference}",
        "place": _place(professional),
        "reference": content.reference,
        "version": f"Version {content.version} du {stamp(content.written_at)}",
        "replaces": f"Ce compte-rendu remplace la {content.replaces}." if content.replaces else "",
        "when": _span(content.started_at, content.ended_at),
        "patient": {"name": content.patient.name, "rows": printed(content.patient)},
        "professional": {
            "name": professional.name,
            "rows": [
                ("Qualité", professional.quality),
                ("N° RPPS", professional.rpps),
                ("Téléphone", professional.phone),
            ],
        },
        "act": [row for row in act if row[1]],
        "incident": content.incident,
        "sections": [section for section in sections if section[1].strip()],
        "copies": list(content.copies_to),
        "signature": {
            "name": professional.name,
            "lines": [
                f"N° RPPS {professional.rpps}" if professional.rpps else "Sans numéro RPPS",
                f"Validé le {stamp(content.written_at)}",
            ],
        },
    }


def prescription_data(content: Prescription, signature: Signature) -> dict[str, Any]:
    """What prescription.typ prints; lines are numbered across the two parts."""
    prescriber = content.prescriber
    size = [
        f"{number(content.weight_kg)} kg" if content.weight_kg is not None else "",
        f"{content.height_cm} cm" if content.height_cm is not None else "",
    ]
    rows = [*printed(content.patient, content.on), ("Poids, taille", " · ".join(part for part in size if part))]
    count = len(content.lines)
    return {
        "heading": "Ordonnance",
        "heading_title": f"Ordonnance {content.reference}",
        "author": prescriber.name,
        "footer": f"{content.patient.name} · {_born(content.patient)} · dossier {content.reference}",
        "prescriber": {
            "name": prescriber.name,
            "quality": prescriber.quality or "Prescripteur",
            "lines": [f"N° RPPS {prescriber.rpps}", prescriber.establishment, *_contact(prescriber)],
        },
        "patient": {"name": content.patient.name, "rows": rows},
        "made": f"Fait à {content.place}, le {date_format(content.on, 'j F Y')}",
        "mention": "Prescription établie en téléconsultation",
        "warning": _warning(content),
        "parts": _parts(content.lines),
        "count": f"{count} médicament prescrit." if count == 1 else f"{count} médicaments prescrits.",
        "notes": [NO_INTERACTIONS, *content.extra],
        "signature": {"name": signature.name, "lines": _proof(signature)},
    }


def _warning(content: Prescription) -> str:
    if any(line.kind == NARCOTIC for line in content.lines) and not content.secured:
        return "Stupéfiant : une ordonnance sécurisée est nécessaire pour la délivrance."
    return ""


def _parts(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One untitled part, or the two of a bizone form as soon as one line belongs to the long-term illness."""
    printed = [(line.ald, {"number": f"{index}.", **_drug(line)}) for index, line in enumerate(_ordered(lines), 1)]
    if not any(line.ald for line in lines):
        return [{"title": "", "lines": [each for _ald, each in printed]}]
    titles = (
        (True, "Prescriptions relatives au traitement de l’affection de longue durée (ALD)"),
        (False, "Prescriptions sans rapport avec l’affection de longue durée"),
    )
    return [{"title": title, "lines": [each for ald, each in printed if ald is part]} for part, title in titles]


def _ordered(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: not line.ald)


def _drug(line: Line) -> dict[str, Any]:
    renewals = f"À renouveler {line.renewals} fois" if line.renewals else ""
    marks = [
        f"Non substituable ({line.not_substitutable}) : {REASONS[line.not_substitutable]}"
        if line.not_substitutable
        else "",
        "Hors AMM, le patient en est informé" if line.off_label else "",
        "Prescription initiale hospitalière" if line.hospital_initiated else "",
        f"À délivrer par fractions de {line.fraction_days} jours" if line.fraction_days else "",
        renewals,
    ]
    return {
        "drug": " ".join(part for part in (line.dci.strip(), line.dosage.strip()) if part),
        "brand": f"({line.brand.strip()})" if line.brand.strip() else "",
        "form": ", ".join(part for part in (line.form, f"voie {line.route}" if line.route else "") if part),
        "posology": posology(line),
        "marks": [mark for mark in marks if mark],
    }


def posology(line: Line) -> list[str]:
    """Printed lines: how much, when and the limits of *si besoin*; the free text; for how long.

    "2 comprimés, 3 fois par jour (matin, midi et soir).", "Pendant 5 jours."
    """
    unit = line.unit or line.form
    taken = []
    if line.dose is not None:
        taken.append(counted(line.dose, unit))
        if line.per_day is not None:
            taken.append(f"{number(line.per_day)} fois par jour")
        if line.as_needed:
            taken.append("si besoin")
    first = ", ".join(taken)
    if line.moments:
        first = f"{first} ({line.moments})" if first else line.moments
    limits = []
    if line.max_per_day is not None:
        limits.append(f"au maximum {counted(line.max_per_day, unit)} par 24 h")
    if line.interval_hours is not None:
        limits.append(f"au moins {number(line.interval_hours)} h entre deux prises")
    length = [
        f"Pendant {line.days} jour{'s' if line.days > 1 else ''}" if line.days else "",
        f"Quantité : {line.quantity}" if line.quantity else "",
    ]
    return [
        text for text in (_sentences(first, ", ".join(limits)), _sentences(line.posology), _sentences(*length)) if text
    ]


def _sentences(*parts: str) -> str:
    texts = [part.strip(" .") for part in parts]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in texts if text)


def number(value: Decimal) -> str:
    """1,5 and 2: a decimal comma, no useless zero."""
    return f"{value.normalize():f}".replace(".", ",")


def counted(count: Decimal, unit: str) -> str:
    """*1,5 comprimé*, *2 comprimés pelliculés*, *10 ml*: plural from two on, words after a preposition unchanged."""
    words = unit.split()
    if count >= 2:
        for index, word in enumerate(words):
            if word in ("à", "de", "pour", "en", "au", "par", "sur"):
                break
            if len(word) > 3 and word.isalpha() and word[-1] not in "sxz":
                words[index] = word + "s"
    return " ".join([number(count), *words])


def _span(start: datetime, end: datetime | None) -> str:
    local = timezone.localtime(start)
    day = date_format(local, "l j F Y")
    if end is None:
        return f"{day[0].upper()}{day[1:]}, à {local:%H:%M}"
    return f"{day[0].upper()}{day[1:]}, de {local:%H:%M} à {timezone.localtime(end):%H:%M}"


def _born(patient: PatientBlock) -> str:
    born = {"M": "né", "F": "née"}.get(patient.sex, "né(e)")
    return f"{born} le {patient.birth_date:%d/%m/%Y}" if patient.birth_date else "date de naissance inconnue"


def _place(professional: ProfessionalBlock) -> dict[str, Any]:
    finess = f"FINESS {professional.finess}" if professional.finess else ""
    lines = [professional.address, " · ".join(part for part in (professional.phone, finess) if part)]
    return {"name": professional.establishment, "lines": [line for line in lines if line]}


def _contact(professional: ProfessionalBlock) -> list[str]:
    finess = f"FINESS {professional.finess}" if professional.finess else ""
    phone = f"Tél. {professional.phone}" if professional.phone else ""
    return [part for part in (professional.address, phone, finess) if part]


def _proof(signature: Signature) -> list[str]:
    digest = signature.digest
    code = ""
    if signature.code_verified_at:
        channel = f" par {signature.code_channel}" if signature.code_channel else ""
        code = f"Identité confirmée par un code reçu{channel}, le {stamp(signature.code_verified_at)}"
    lines = [
        f"N° RPPS {signature.rpps}",
        f"Le {stamp(signature.signed_at)}",
        code,
        f"Empreinte {' '.join(digest[at : at + 8] for at in range(0, 32, 8))}",
        f"{' '.join(digest[at : at + 8] for at in range(32, 64, 8))}",
    ]
    return [line for line in lines if line.strip()]
