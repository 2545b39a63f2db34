"""What an appointment that was held left in the record: documents that open, notes, and who read them."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from relais.accounts.models import Role
from relais.audit.models import Entry
from relais.core.actor import PROFESSIONAL
from relais.core.demo import new_id
from relais.core.paris import PARIS
from relais.dossiers.models import Document, DocumentKind, Note, Step
from relais.files.models import StoredFile
from relais.teleconsultation.demo.papers import PHOTO, PRESCRIPTION, REPORT, TEXTS
from relais.teleconsultation.models import ReportDraft
from relais.teleconsultation.workflow import State

if TYPE_CHECKING:
    from relais.teleconsultation.demo.story import Story

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOTES = [
    "Prévoir un créneau plus long la prochaine fois.",
    "La fille du patient souhaite être présente au prochain rendez-vous.",
    "Courrier du médecin traitant attendu.",
    "Rappeler l’infirmière pour la pesée.",
]


def begun(story: "Story") -> None:
    """In call: the doctor has begun to write, whatever the day and the hour."""
    first = next(iter(TEXTS[0].items()))
    _draft(story, dict([first]), story.now)


def documents(story: "Story", ended: datetime) -> None:
    """Report in 71 %, prescription in 46 % (domain.md §9.4); some patients send a photograph before."""
    rng, shown = story.rng, story.plan.shown
    last = story.dossier.closed_at or story.now
    texts = rng.choice(TEXTS)
    if rng.random() < 0.12 or shown:
        _photo(story)
    if shown or rng.random() < 0.71:
        at = min(ended + 6 * MINUTE, last)
        step = _step(story, "report", at, sections=texts)
        file = story.press.made_for(rng, REPORT, story.tele, texts, at, created_by=story.plan.practitioner.pk)
        _document(story, step, file, DocumentKind.REPORT, "Compte-rendu", at)
    elif story.plan.state == State.DONE and rng.random() < 0.3:
        _draft(story, texts, min(ended + DAY, story.now))
    if shown or rng.random() < 0.46:
        at = min(ended + 9 * MINUTE, last)
        step = _step(story, "prescription", at)
        file = story.press.made_for(rng, PRESCRIPTION, story.tele, texts, at, created_by=story.plan.practitioner.pk)
        title = f"Ordonnance du {at.astimezone(PARIS):%d/%m/%Y}"
        _document(story, step, file, DocumentKind.PRESCRIPTION, title, at)
    if shown or rng.random() < 0.15:
        _note(story, min(ended + 12 * MINUTE, last))


def _note(story: "Story", at: datetime) -> None:
    note = Note(
        id=new_id(story.rng), dossier=story.dossier, author=story.plan.practitioner, text=story.rng.choice(NOTES),
        created_at=at,
    )  # fmt: skip
    story.rows.notes.append(note)
    story.event(at, "note_added", note=str(note.pk))


def _step(story: "Story", kind: str, at: datetime, **data: Any) -> Step:
    step = Step(
        id=new_id(story.rng),
        dossier=story.dossier,
        author=story.plan.practitioner,
        kind=kind,
        data=data,
        created_at=at,
    )
    story.rows.steps.append(step)
    story.event(at, "step_added", step=str(step.pk), kind=kind)
    return step


def _document(story: "Story", step: Step, file: StoredFile, kind: str, title: str, at: datetime) -> None:
    row = Document(
        id=new_id(story.rng),
        dossier=story.dossier,
        step=step,
        file=file,
        kind=kind,
        title=title,
        author=story.plan.practitioner,
        created_at=at,
        shared_at=at,
    )
    story.rows.files.append(file)
    story.rows.documents.append(row)
    story.event(at, "document_added", document=str(row.pk), kind=kind, shared=True)
    story.post.document(at)


def _photo(story: "Story") -> None:
    at = story.booked + (story.plan.starts_at - story.booked) * 0.8
    file = story.press.specimen(story.rng, PHOTO, "photo.jpg", at, created_by=story.grant.pk)
    row = Document(
        id=new_id(story.rng), dossier=story.dossier, file=file, kind=DocumentKind.PATIENT, title="photo.jpg",
        author_grant_id=story.grant.pk, created_at=at,
    )  # fmt: skip
    story.rows.files.append(file)
    story.rows.documents.append(row)
    story.event(at, "document_added", by_patient=True, document=str(row.pk), kind=row.kind, shared=False)


def readings(story: "Story", ended: datetime) -> None:
    """Who has seen this file: the practitioner, before and after."""
    for at in (story.plan.starts_at - 5 * MINUTE, min(ended + 5 * MINUTE, story.now)):
        story.rows.entries.append(
            Entry(
                at=at,
                actor_kind=PROFESSIONAL,
                user_id=story.plan.practitioner.pk,
                establishment_id=story.plan.establishment.pk,
                roles=[Role.PRACTITIONER],
                action="dossier.read",
                about=story.dossier.pk,
                patient_id=story.plan.patient.pk,
                why="Consultation du télédossier",
            )
        )


def _draft(story: "Story", texts: dict[str, str], at: datetime) -> None:
    saved = {key: {"text": texts[key], "version": 1, "by": str(story.plan.practitioner.pk)} for key in texts}
    story.rows.drafts.append(
        ReportDraft(teleconsultation=story.tele, sections=saved, version=len(saved), updated_at=at)
    )
