"""What goes into the report and the prescription: sections, model texts, and the facts gathered for the PDF."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core import times
from relais.core.actor import Actor
from relais.dossiers.facts import Facts
from relais.dossiers.models import Document, Dossier
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.models import Response
from relais.rooms.models import Invitation
from relais.teleconsultation import papers, pdf, prescribing
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.workflow import State

SECTION_MAX = 8000
SECTIONS = {
    "history": "Antécédents, traitements, allergies",
    "findings": "Constatations",
    "conclusion": "Conclusion",
    "actions": "Actes et prescriptions",
    "follow_up": "Suivi",
}
MODELS: dict[str, dict[str, Any]] = {
    "suivi": {
        "label": "Consultation de suivi",
        "sections": {
            "history": "Antécédents : \nTraitements en cours : \nAllergies : ",
            "findings": "Motif et plaintes : \nÉtat général : \nConstantes rapportées : ",
            "conclusion": "État stable / en amélioration / à surveiller.",
            "actions": "Traitement poursuivi sans changement.",
            "follow_up": "Revoir le : \nConsulter plus tôt en cas de : ",
        },
    },
    "respiratoire": {
        "label": "Symptômes respiratoires",
        "sections": {
            "history": "Facteurs de risque : \nTraitements en cours : \nAllergies : ",
            "findings": "Début des signes : \nParle par phrases complètes : \nFréquence respiratoire comptée en vidéo : \n"
            "SpO2 si disponible : \nTempérature : ",
            "conclusion": "Pas de signe de gravité constaté en vidéo. / Signes de gravité : ",
            "actions": "Test prescrit : \nSurveillance à domicile : ",
            "follow_up": "Appeler le 15 en cas d’essoufflement au repos, de confusion ou de malaise.\nRevoir le : ",
        },
    },
    "ehpad": {
        "label": "Résident d’EHPAD, soignant présent",
        "sections": {
            "history": "Autonomie : \nTraitements en cours : \nAllergies : \nDirectives anticipées : ",
            "findings": "Soignant présent : \nConstantes : \nExamen guidé : ",
            "conclusion": "",
            "actions": "Consignes à l’équipe : ",
            "follow_up": "Réévaluation le : ",
        },
    },
}


# Which section of the report takes which question of the COVID form; a question that stands nowhere is a finding.
COVID_SECTIONS = {
    "tk.contage": "history",
    "tk.j0": "history",
    "tk.symptomes": "history",
    "tk.facteurs": "history",
    "tk.diag": "conclusion",
    "tk.cat": "actions",
    "tk.arret": "actions",
    "tk.suivi": "follow_up",
}
# What the patient said before and the doctor would write alike: only where the meaning is the same. « Fièvre ou frissons »
# is no measured fever, « Depuis 2 à 7 jours » no day, « Fatigue inhabituelle » no severe fatigue.
SAME_SYMPTOMS = {"toux": "toux", "souffle": "dyspnee"}


def covid_model(response: Response) -> dict[str, Any]:
    """The lines of the COVID form as a model text of the report, by section (TE-09)."""
    lines: dict[str, list[str]] = {}
    for section in questionnaires.shown(response):
        for line in section.lines:
            where = COVID_SECTIONS.get(line.link_id, "findings")
            lines.setdefault(where, []).append(f"{line.label} : {', '.join(line.words)}")
    return {
        "label": _("Formulaire COVID-19 de cette consultation"),
        "sections": {key: "\n".join(lines[key]) for key in SECTIONS if key in lines},
        "adds": True,
    }


def known_of_covid(said: Response | None) -> dict[str, list[Any]]:
    """Answers of the COVID form that the patient's preparation gives already; a temperature of today alone."""
    if said is None:
        return {}
    found: dict[str, list[Any]] = {}
    symptoms = [SAME_SYMPTOMS[code] for code in said.answers.get("tp.symptomes", []) if code in SAME_SYMPTOMS]
    if symptoms:
        found["tk.symptomes"] = symptoms
    if "tp.temp" in said.answers and timezone.localdate(said.ended_at) == timezone.localdate():
        found["tk.temp"] = said.answers["tp.temp"]
    return found


DIAGNOSES = {"covid-confirme": "confirme", "covid-suspect": "suspect"}
SIGNS = {"breaths": "tk.fr", "spo2": "tk.spo2", "pulse": "tk.fc", "temperature": "tk.temp"}


def facts_of(actor: Actor, dossier: Dossier) -> Facts | None:
    """What the COVID form of a teleconsultation says to the form of a dossier that is opened from it (TE-09)."""
    said = questionnaires.responses(dossier.pk, "tlc-covid").first()
    return covid_facts(said.answers, said.received_at) if said else None


def covid_facts(answers: Mapping[str, list[Any]], at: datetime) -> Facts:
    """The same of these answers."""
    onset = next(iter(answers.get("tk.j0", [])), None)
    signs = {name: next(iter(answers.get(link, [])), None) for name, link in SIGNS.items()}
    return Facts(
        source=_("du formulaire COVID-19 de la téléconsultation"),
        at=at,
        signs={name: value for name, value in signs.items() if value is not None},
        covid=DIAGNOSES.get(next(iter(answers.get("tk.diag", [])), ""), ""),
        onset=date.fromisoformat(onset) if onset else None,
        symptoms=tuple(answers.get("tk.symptomes", [])),
        factors=tuple(answers.get("tk.facteurs", [])),
    )


def words_of_known(said: Response | None) -> str:
    """What `known_of_covid` took over, as the labels of its questions."""
    if said is None:
        return ""
    form = questionnaires.current("tlc-covid").form
    return ", ".join(form.by_id[link_id].text.lower() for link_id in known_of_covid(said))


@dataclass(frozen=True)
class Written:
    """A prescription written in the page."""

    lines: list[Any]
    weight_kg: Decimal | None = None
    height_cm: int | None = None
    allergies: str = ""


def name_of(user_id: str) -> str:
    """The name of a professional by id text; empty for nobody."""
    user = User.objects.filter(pk=user_id).first() if user_id else None
    return user.full_name if user else ""


def report(
    actor: Actor, tele: Teleconsultation, texts: dict[str, str], *, version: int, replaces: Document | None
) -> papers.Report:
    """Everything that the report prints (domain.md §2.3), from the appointment and the sections written."""
    author = User.objects.get(pk=actor.me)
    return papers.Report(
        patient=papers.PatientBlock.of(tele.dossier.patient),
        professional=papers.ProfessionalBlock.of(author, tele.establishment),
        reference=tele.dossier.reference,
        started_at=tele.started_at or tele.starts_at,
        ended_at=tele.ended_at,
        written_at=timezone.now(),
        reason=tele.get_reason_display(),
        participants=_participants(tele, author),
        means=_means(tele),
        consent=_("Donné par %(who)s") % {"who": tele.consent_by} if tele.consent_at else "",
        incident=tele.incident,
        version=version,
        replaces=f"version {version - 1} du {times.stamp(replaces.created_at)}" if replaces else "",
        **{key: texts.get(key, "") for key in SECTIONS},
    )


def _means(tele: Teleconsultation) -> str:
    """By what the consultation was held, or that it was not."""
    if tele.incident:
        return _("Poursuivie par téléphone")
    return {
        State.ABSENT_PATIENT: _("Non réalisée : patient absent"),
        State.ABSENT_DOCTOR: _("Non réalisée : médecin absent"),
    }.get(State(tele.state), _("Visioconférence par la plateforme Relais"))


def _participants(tele: Teleconsultation, author: User) -> list[str]:
    """Those who were let into the room, but the author."""
    guests = Invitation.objects.filter(room__about=tele.pk, admitted_at__isnull=False).exclude(holder_id=author.pk)
    return [
        one.name if one.authenticated else f"{one.name} ({_('non authentifié')})"
        for one in guests.order_by("admitted_at", "pk")
    ]


def findings(tele: Teleconsultation, written: Written, actor: Actor) -> list[prescribing.Finding]:
    """What the rules refuse or want looked at again before the prescription is signed (domain.md §2.4)."""
    patient = tele.dossier.patient
    about = prescribing.Patient(
        named=bool(patient.family_name and patient.given_name),
        sex=patient.sex,
        birth_date=patient.birth_date,
        weight_kg=written.weight_kg,
        allergies=written.allergies,
    )
    rpps = User.objects.get(pk=actor.me).rpps or ""
    return prescribing.check(written.lines, patient=about, on=timezone.localdate(), prescriber_rpps=rpps)


def prescription(
    actor: Actor, tele: Teleconsultation, written: Written, checked_at: datetime | None
) -> tuple[papers.Prescription, papers.Signature]:
    """The content of a written prescription and the proof of who signed it."""
    author = User.objects.get(pk=actor.me)
    content = papers.Prescription(
        patient=papers.PatientBlock.of(tele.dossier.patient),
        prescriber=papers.ProfessionalBlock.of(author, tele.establishment),
        reference=tele.dossier.reference,
        on=timezone.localdate(),
        place=tele.establishment.city or tele.establishment.name,
        lines=written.lines,
        weight_kg=written.weight_kg,
        height_cm=written.height_cm,
    )
    signature = papers.Signature(
        name=author.full_name,
        rpps=author.rpps or "",
        signed_at=timezone.now(),
        digest=pdf.content_digest(content),
        code_verified_at=checked_at,
    )
    return content, signature
