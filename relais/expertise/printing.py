"""The printed opinion (CSP R6316-4, domain.md §2.3): its content, its words, its PDF. Pure but for the rows it reads."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.utils import translation

from relais.accounts.models import User
from relais.core import pdf
from relais.core.times import stamp
from relais.directory.models import Establishment
from relais.dossiers.models import DocumentKind
from relais.expertise.models import Expertise, Opinion
from relais.patients.identity import printed
from relais.patients.models import Basis, CareLink
from relais.questionnaires.models import Response
from relais.questionnaires.queries import words
from relais.rooms import queries as rooms

TEMPLATE = Path(__file__).parent / "typst" / "opinion.typ"
SECTIONS = (
    ("Question posée", ("tg.motif", "tg.question")),
    ("Histoire, antécédents, traitements, allergies", ("tg.histoire", "tg.antecedents", "tg.traitements", "tg.allergies")),
    (
        "Constatations transmises",
        ("tg.pa.sys", "tg.pa.dia", "tg.fc", "tg.fr", "tg.spo2", "tg.o2", "tg.temp", "tg.glasgow", "tg.eva", "tg.examen",
         "tg.poids", "tg.autonomie"),
    ),
    (
        "COVID-19",
        ("tc.statut", "tc.j", "tc.test", "tc.test.date", "tc.scanner", "tc.symptomes", "tc.gravite", "tc.spo2aa",
         "tc.facteurs", "tc.oxygene", "tc.ttt", "tc.nts", "tc.da", "tc.isolement", "tc.attendu"),
    ),
)  # fmt: skip
ANSWER = (
    ("Conclusion", ("tr.conclusion",)),
    ("Conduite à tenir, actes et prescriptions", ("tr.cat", "tr.orientation", "tr.prescription")),
    ("Suite à donner", ("tr.suivi",)),
)
Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Report:
    """What is signed, as it is printed."""

    reference: str
    number: int
    version: int
    replaces: str  # "version 1 du 21/11/2026 à 14:52"; empty for the first
    reason: str
    signed_at: datetime
    sent_at: datetime
    patient_name: str
    patient: Rows
    expert_name: str
    expert: Rows
    rpps: str
    place: tuple[str, ...]
    act: Rows
    sections: Rows
    incident: str
    copies: tuple[str, ...]
    circle: tuple[str, ...]  # who else cares for the patient: Relais sends them nothing

    @property
    def digest(self) -> str:
        """SHA-256 of the content, whatever its layout."""
        return hashlib.sha256(json.dumps(asdict(self), default=str, sort_keys=True).encode()).hexdigest()


def report(asked: Expertise, opinion: Opinion, *, taken_at: datetime | None) -> Report:
    """The content of an opinion about to be signed: the question as it was sent, and the answer. `taken_at`: when its expert
    took the request."""
    answer, expert, number = opinion.response, opinion.expert, opinion.number
    said, request, service, signed_at = answer.answers, asked.response, opinion.service, opinion.signed_at
    if request is None or asked.sent_at is None:
        raise ValueError("Only a request that was sent is answered.")
    patient, place = asked.dossier.patient, service.establishment
    visio = _line(answer, "tr.visio") == "Oui"
    asker = asked.requester
    title = "Second avis" if number > 1 else "Avis"
    former = opinion.replaces
    first_at = asked.opinions.get(number=number, version=1).signed_at if former else signed_at
    return Report(
        reference=asked.dossier.reference,
        number=number,
        version=opinion.version,
        replaces=f"version {former.version} du {stamp(former.signed_at)}" if former else "",
        reason=opinion.reason,
        signed_at=signed_at,
        sent_at=asked.sent_at,
        patient_name=patient.full_name,
        patient=tuple(printed(patient)),
        expert_name=expert.full_name,
        expert=_filled(
            ("Qualité", " · ".join(part for part in (expert.profession, expert.specialty) if part)),
            ("N° RPPS", expert.rpps or ""),
            ("Service", service.name),
            ("Téléphone", service.phone),
        ),
        rpps=expert.rpps or "",
        place=_place(place),
        act=_filled(
            ("Type", f"Télé-expertise ({title.lower()})"),
            ("Demandée", f"le {stamp(asked.sent_at)}, urgence {asked.get_urgency_display().lower()}"),
            ("Prise en charge", f"le {stamp(taken_at)}" if taken_at else ""),
            ("Rendue", f"le {stamp(first_at)}"),
            ("Corrigée", f"le {stamp(signed_at)} (version {opinion.version})" if former else ""),
            ("Moyen technique", "Plateforme Relais, échange écrit" + (" et visioconférence" if visio else "")),
            ("Requérant", _asker(asker, asked)),
            ("Autres participants", "\n".join(_others(asked, opinion))),
            ("Documents transmis", ", ".join(_documents(asked))),
            ("Lieu où se trouve le patient", _line(request, "tg.lieu")),
            ("Information du patient", _line(request, "tg.consentement")),
            ("Durée de la visio", _line(answer, "tr.visio.duree")),
        ),
        sections=tuple(
            (title, text)
            for form, parts in ((request, SECTIONS), (answer, ANSWER))
            for title, links in parts
            if (text := _section(form, links))
        ),
        incident=_line(answer, "tr.incident") if said.get("tr.incident") else "",
        copies=(f"{asker.full_name}, {asked.establishment.name}",),
        circle=tuple(_circle(asked, opinion)),
    )


def own_words(answer: Response) -> list[str]:
    """What the expert answered, a line each with its label: what is told where the opinion was asked from."""
    form = answer.questionnaire.form.by_id
    said = [(form[link].text, _line(answer, link)) for _title, links in ANSWER for link in links if link in form]
    return [f"{label} : {text}" for label, text in said if text]


def report_pdf(content: Report) -> bytes:
    """The opinion as PDF/A. Raises Refused for a character of the expert that cannot be printed."""
    own = [content.incident, content.reason, *(text for title, text in content.sections if title in dict(ANSWER))]
    with translation.override("fr"):
        heading = "Second avis de télé-expertise" if content.number > 1 else "Avis de télé-expertise"
        if content.version > 1:
            heading = f"{heading}, version {content.version}"
        data = {
            "heading": heading,
            "author": content.expert_name,
            "reference": content.reference,
            "when": f"{'Corrigé' if content.replaces else 'Rendu'} le {stamp(content.signed_at)}",
            "replaces": f"Cet avis remplace la {content.replaces}." if content.replaces else "",
            "reason": f"Motif : {content.reason}" if content.reason else "",
            "footer": f"{content.patient_name} · dossier {content.reference}",
            "place": {"name": content.place[0], "lines": list(content.place[1:])},
            "patient": {"name": content.patient_name, "rows": content.patient},
            "expert": {"name": content.expert_name, "rows": content.expert},
            "act": content.act,
            "sections": content.sections,
            "incident": content.incident,
            "copies": list(content.copies),
            "circle": list(content.circle),
            "signature": {"name": content.expert_name, "lines": _proof(content)},
        }
        return pdf.render(TEMPLATE, data, title=f"{heading} {content.reference}", at=content.signed_at, own=own)


def _proof(content: Report) -> list[str]:
    digest = content.digest
    return [
        f"N° RPPS {content.rpps}",
        f"Signé le {stamp(content.signed_at)}",
        f"Empreinte {' '.join(digest[at : at + 8] for at in range(0, 32, 8))}",
        " ".join(digest[at : at + 8] for at in range(32, 64, 8)),
    ]


def _section(response: Response, links: tuple[str, ...]) -> str:
    """The answers to these questions: one alone without its label, several a line each."""
    form = response.questionnaire.form.by_id
    said = [(form[link].text, _line(response, link)) for link in links if link in form and response.answers.get(link)]
    if len(links) == 1:
        return said[0][1] if said else ""
    return "\n".join(f"{label} : {text}" for label, text in said)


def _line(response: Response, link: str) -> str:
    item = response.questionnaire.form.by_id.get(link)
    given = response.answers.get(link, [])
    return ", ".join(words(item, value) for value in given) if item else ""


def _asker(asker: User, asked: Expertise) -> str:
    quality = " · ".join(part for part in (asker.profession, asker.specialty) if part)
    role = asked.get_asked_as_display() if asked.asked_as else ""
    number = f"RPPS {asker.rpps}" if asker.rpps else ""
    return ", ".join(part for part in (asker.full_name, quality, role, number, asked.establishment.name) if part)


def _others(asked: Expertise, opinion: Opinion) -> list[str]:
    """Who else took part (R6316-4): who gave the other opinion, and who was in the room beside the two."""
    others = asked.opinions.filter(version=1).exclude(number=opinion.number).select_related("expert", "service")
    gave = [f"{one.expert.full_name}, {one.service.name} (avis n° {one.number})" for one in others.order_by("number")]
    two = {opinion.expert.full_name, asked.requester.full_name}
    return [*gave, *(f"{name} (visioconférence)" for name in rooms.who_came(asked.pk) if name not in two)]


def _circle(asked: Expertise, opinion: Opinion) -> list[str]:
    """The professionals of the patient's care circle (domain.md §2.3), who do not read this dossier by themselves."""
    links = CareLink.objects.live().filter(patient=asked.dossier.patient_id, basis=Basis.CIRCLE, user_id__isnull=False)
    others = User.objects.filter(pk__in=links.values("user_id"), is_active=True)
    known = others.exclude(pk__in=[asked.requester_id, opinion.expert_id]).order_by("family_name", "given_name", "id")
    return [", ".join(part for part in (one.full_name, one.profession, one.specialty) if part) for one in known]


def _documents(asked: Expertise) -> list[str]:
    """The titles of what was filed with the request, reports aside."""
    filed = asked.dossier.documents.filter(withdrawn_at=None).exclude(kind=DocumentKind.REPORT)
    return list(filed.order_by("created_at", "id").values_list("title", flat=True))


def _place(place: Establishment) -> tuple[str, ...]:
    town = f"{place.postal_code} {place.city}".strip()
    address = ", ".join(part for part in (place.address, town) if part)
    contact = " · ".join(part for part in (place.phone, f"FINESS {place.finess}") if part)
    return tuple(part for part in (place.name, address, contact) if part)


def _filled(*rows: tuple[str, str]) -> Rows:
    return tuple(row for row in rows if row[1].strip())
