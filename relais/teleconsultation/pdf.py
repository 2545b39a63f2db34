"""The PDF of a report and of a prescription. Pure functions.

`printing` turns a content of `papers` into the strings that the typst templates print
(typst/report.typ, typst/prescription.typ), in French and in Paris time whoever reads.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from django.utils import translation

from relais.core import pdf
from relais.teleconsultation import printing
from relais.teleconsultation.papers import Prescription, Report, Signature

TEMPLATES = Path(__file__).parent / "typst"


def report_pdf(content: Report) -> bytes:
    """The report as PDF/A. Raises Refused for a character that cannot be printed, names of guests aside."""
    own = (
        content.history, content.findings, content.conclusion, content.actions, content.follow_up, content.incident,
    )  # fmt: skip
    with translation.override("fr"):
        data = printing.report_data(content)
        return pdf.render(TEMPLATES / "report.typ", data, title=data["heading_title"], at=content.written_at, own=own)


def prescription_pdf(content: Prescription, signature: Signature) -> bytes:
    """The signed prescription as PDF/A. Raises Refused for a character that cannot be printed."""
    with translation.override("fr"):
        data = printing.prescription_data(content, signature)
        return pdf.render(TEMPLATES / "prescription.typ", data, title=data["heading_title"], at=signature.signed_at)


def content_digest(content: Report | Prescription) -> str:
    """SHA-256 of the content, whatever its layout: the same content always has the same one."""
    return hashlib.sha256(json.dumps(asdict(content), default=str, sort_keys=True).encode()).hexdigest()
