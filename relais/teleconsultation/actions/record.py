"""What is written into the record: documents, the report, prescriptions, closing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, DocumentKind, Step
from relais.files import actions as files
from relais.notifications.models import Channel
from relais.rooms import actions as rooms
from relais.teleconsultation import content, messages, pdf, prescribing
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions.access import main_grant
from relais.teleconsultation.actions.call import finish, renew_space
from relais.teleconsultation.actions.states import move
from relais.teleconsultation.actions.writing import refuse_superseded
from relais.teleconsultation.models import ReportDraft, Teleconsultation
from relais.teleconsultation.topics import dashboard_topic, report_topic, space_topic
from relais.teleconsultation.workflow import State

NOTE_MAX = 5000  # characters
STEP_UP_MINUTES = 15  # after the code was right, the time to add one or several prescriptions (TC-50)


def _lines(text: str) -> str:
    """Forms and scripts send the ends of lines differently."""
    return text.replace("\r\n", "\n")


@dataclass(frozen=True)
class StaleSection:
    """Somebody else saved this section meanwhile: their text, so that the page shows both and loses neither."""

    text: str
    version: int
    by: str


def refuse_not_held(tele: Teleconsultation) -> None:
    """Raises Refused before anybody met the patient."""
    if tele.state == State.PLANNED:
        raise Refused(
            _(
                "La téléconsultation n’a pas encore eu lieu : rejoignez le patient, ou indiquez comment elle s’est passée."
            )
        )


def refuse_closed(tele: Teleconsultation) -> None:
    """Raises Refused once nothing is added to the record any more: said, since one comes by an old page (TC-55)."""
    if tele.state == State.CANCELLED:
        raise Refused(_("Ce rendez-vous est annulé : plus rien n’y est ajouté."))
    if not may.is_open(tele):
        raise Refused(_("Ce dossier est clôturé : il n’accepte plus qu’un complément daté."))


def _too_long(what: str, most: int) -> str:
    told = {"what": what, "most": f"{most:,}".replace(",", "\u202f")}
    return _("%(what)s : %(most)s caractères au plus. Raccourcissez le texte.") % told


@transaction.atomic
def add_document(
    *, actor: Actor, tele: Teleconsultation, upload: Any, title: str, shared: bool, kind: str = DocumentKind.OTHER
) -> Document:
    """Another document of the professional, before or after; the patient is told when it is shared (TC-26, TC-45)."""
    if not may.can_read_clinical(actor):
        raise NotFound
    stored = files.store(actor=actor, upload=upload)
    document = dossiers.add_document(
        actor=actor, dossier=tele.dossier, file=stored, kind=kind, title=title.strip() or stored.name, shared=shared
    )
    live.ping(dashboard_topic(tele.establishment_id))
    if shared:
        _shared(tele, [Channel.EMAIL, Channel.SMS])
    return document


def _shared(tele: Teleconsultation, channels: list[str]) -> None:
    """A document became visible: the space is renewed, the patient told (TC-28 settled, TC-48, TC-52)."""
    renew_space(tele)
    if grant := main_grant(tele):
        messages.tell_document(tele, grant, channels)
    live.ping(space_topic(tele))


@transaction.atomic
def save_section(
    *, actor: Actor, tele: Teleconsultation, key: str, text: str, version: int, known: str | None = None
) -> StaleSection | int:
    """Autosave one section of the report; the new version, or what another wrote since `version` (nothing is lost).

    Raises Refused once the dossier is closed (its row is held: nobody closes it meanwhile), and for a text too long;
    ReportAdded when the page knew `known` as the last report and another was added since (refuse_superseded).
    """
    if not may.can_write(actor, tele):
        raise NotFound
    refuse_closed(_lock(tele))
    refuse_superseded(tele, known)
    if key not in content.SECTIONS:
        raise Refused(_("Cette rubrique n’existe pas."))
    text = _lines(text)
    if len(text) > content.SECTION_MAX:
        raise Refused(_too_long(content.SECTIONS[key], content.SECTION_MAX))
    draft, _new = ReportDraft.objects.select_for_update(of=("self",)).get_or_create(teleconsultation=tele)
    saved = draft.sections.get(key, {"text": "", "version": 0, "by": ""})
    if saved["version"] != version and saved["text"] != text:
        return StaleSection(saved["text"], saved["version"], content.name_of(saved["by"]))
    if saved["text"] != text:
        saved = {"text": text, "version": saved["version"] + 1, "by": str(actor.user_id)}
        draft.sections[key] = saved
        draft.version += 1
        draft.updated_by_id = actor.user_id
        draft.save()
        live.ping(report_topic(tele))
    return saved["version"]


@transaction.atomic
def add_report(*, actor: Actor, tele: Teleconsultation, shared: bool) -> Document:
    """Make the draft the report: PDF, filed, shared or not; the room ends for both (TC-46 … TC-48, TC-54)."""
    locked = _lock(tele)
    if not may.can_write(actor, locked):
        raise NotFound
    refuse_closed(locked)
    refuse_not_held(locked)
    draft = ReportDraft.objects.select_for_update(of=("self",)).filter(teleconsultation=locked).first()
    texts = {key: saved["text"].strip() for key, saved in (draft.sections if draft else {}).items()}
    if not any(texts.values()):
        raise Refused(_("Le compte-rendu est vide : écrivez au moins la conclusion."), field="conclusion")
    ended = _end_call(actor, locked)
    previous = (
        ended.dossier.documents.filter(kind=DocumentKind.REPORT, withdrawn_at=None).order_by("-created_at").first()
    )
    number = ended.dossier.documents.filter(kind=DocumentKind.REPORT).count() + 1
    made = pdf.report_pdf(content.report(actor, ended, texts, version=number, replaces=previous))
    step = dossiers.add_step(actor=actor, dossier=ended.dossier, kind="report", data={"sections": texts})
    stored = files.store(actor=actor, upload=made, name=f"compte-rendu-{ended.dossier.reference}-v{number}.pdf")
    document = dossiers.add_document(
        actor=actor, dossier=ended.dossier, file=stored, kind=DocumentKind.REPORT, step=step, shared=shared,
        title=_("Compte-rendu") if number == 1 else _("Compte-rendu, version %(n)s") % {"n": number}, replaces=previous,
    )  # fmt: skip
    if draft:
        draft.delete()
    live.ping(report_topic(ended))
    if shared:
        _shared(ended, [Channel.EMAIL, Channel.SMS])
    return document


@transaction.atomic
def write_report(
    *,
    actor: Actor,
    tele: Teleconsultation,
    written: dict[str, tuple[str, int]],
    shared: bool,
    known: str | None = None,
) -> Document | dict[str, StaleSection]:
    """Save the sections of a page (text and version each), then make them the report; all or nothing when refused.

    Returns what others wrote meanwhile instead, by section. The same page sent twice makes one report.
    """
    texts = {key: _lines(text).strip() for key, (text, _version) in written.items()}
    if done := _same_report(actor, _lock(tele), texts, shared=shared):
        return done
    clashes = {}
    for key, (text, version) in written.items():
        saved = save_section(actor=actor, tele=tele, key=key, text=text, version=version, known=known)
        if isinstance(saved, StaleSection):
            clashes[key] = saved
    return clashes or add_report(actor=actor, tele=tele, shared=shared)


def _same_report(actor: Actor, tele: Teleconsultation, texts: dict[str, str], *, shared: bool) -> Document | None:
    """The last report, when it says just this, was written by this actor and is shared alike."""
    reports = tele.dossier.documents.filter(kind=DocumentKind.REPORT, withdrawn_at=None, author_id=actor.user_id)
    last = reports.select_related("step").order_by("-created_at").first()
    if not last or not last.step or bool(last.shared_at) != shared or not any(texts.values()):
        return None
    said = {key: text for key, text in last.step.data["sections"].items() if text}
    return last if said == {key: text for key, text in texts.items() if text} else None


def _lock(tele: Teleconsultation) -> Teleconsultation:
    return (
        Teleconsultation.objects.select_for_update(of=("self",))
        .select_related("dossier__patient", "establishment", "practitioner")
        .get(pk=tele.pk)
    )


def _end_call(actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    if tele.state == State.IN_CALL:
        finish(actor=actor, tele=tele)
        return _lock(tele)
    rooms.end_room(actor=actor, about=tele.pk)
    return tele


def stepped_up(since: datetime | None) -> bool:
    """Is the identity check of `since` still fresh?"""
    return since is not None and timezone.now() - since <= timedelta(minutes=STEP_UP_MINUTES)


def sent_before(tele: Teleconsultation, request_key: UUID | None) -> Step | None:
    """The step that this page, sent before, has made: of two clicks the second finds it."""
    steps = tele.dossier.steps.filter(kind="prescription", data__request_key=str(request_key))
    return steps.first() if request_key else None


@transaction.atomic
def add_prescriptions(
    *,
    actor: Actor,
    tele: Teleconsultation,
    items: list[Any],
    channel: str,
    checked_at: datetime | None,
    request_key: UUID | None = None,
) -> list[Document]:
    """One or several prescriptions, written (content.Prescription) or as files; told by the chosen channel (TC-49 … TC-54).

    The same `request_key` sent twice prescribes once.
    """
    locked = _lock(tele)
    if done := sent_before(locked, request_key):
        return list(done.documents.all())
    if not may.can_sign(actor, locked):
        raise NotFound
    refuse_closed(locked)
    refuse_not_held(locked)
    if not stepped_up(checked_at):
        raise Refused(_("Confirmez votre identité par le code avant de déposer une ordonnance."))
    if not items:
        raise Refused(_("Ajoutez au moins une ordonnance."))
    ended = _end_call(actor, locked)
    data = {"request_key": str(request_key)} if request_key else {}
    step = dossiers.add_step(actor=actor, dossier=ended.dossier, kind="prescription", data=data)
    documents = [_file_prescription(actor, ended, step, item, checked_at) for item in items]
    _shared(ended, [channel])
    return documents


def _file_prescription(actor: Actor, tele: Teleconsultation, step: Step, item: Any, checked_at: Any) -> Document:
    if isinstance(item, content.Written):
        refusals = [one for one in content.findings(tele, item, actor) if one.level == prescribing.REFUSE]
        if refusals:
            raise Refused(refusals[0].message)
        made = pdf.prescription_pdf(*content.prescription(actor, tele, item, checked_at))
        stored = files.store(actor=actor, upload=made, name=f"ordonnance-{tele.dossier.reference}.pdf")
    else:
        stored = files.store(actor=actor, upload=item)
    return dossiers.add_document(
        actor=actor, dossier=tele.dossier, file=stored, kind=DocumentKind.PRESCRIPTION, step=step, shared=True,
        title=_("Ordonnance du %(day)s") % {"day": timezone.localdate().strftime("%d/%m/%Y")},
    )  # fmt: skip


@transaction.atomic
def share(*, actor: Actor, tele: Teleconsultation, document: Document, shared: bool) -> None:
    """Tick or untick *Mettre à disposition dans l'espace patient* on a document (TC-47)."""
    if document.dossier_id != tele.pk:
        raise NotFound
    if document.author_grant_id:
        raise Refused(_("Ce document vient du patient : il le voit toujours."))
    before = document.shared_at
    dossiers.share_document(actor=actor, document=document, shared=shared)
    if document.shared_at == before:
        return
    if shared:
        _shared(tele, [Channel.EMAIL, Channel.SMS])
    live.ping(space_topic(tele))


@transaction.atomic
def withdraw(*, actor: Actor, tele: Teleconsultation, document: Document, why: str) -> None:
    """*Retirer (erreur)*: a document of the wrong patient, even after closing; pages that show it look again."""
    if document.dossier_id != tele.pk:
        raise NotFound
    dossiers.withdraw_document(actor=actor, document=document, why=why)
    live.ping(dashboard_topic(tele.establishment_id))
    live.ping(space_topic(tele), urgent=True)


@transaction.atomic
def close(*, actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    """*Clôturer le dossier*: read-only for good; only an addendum, or a withdrawal, after (TC-55)."""
    closed = move(actor=actor, tele=tele, verb="close")
    draft = ReportDraft.objects.filter(teleconsultation=closed).first()
    if draft and any(saved["text"].strip() for saved in draft.sections.values()):
        raise Refused(_("Un compte-rendu est en cours d’écriture : ajoutez-le ou videz-le avant de clôturer."))
    rooms.end_room(actor=actor, about=closed.pk)
    return closed


@transaction.atomic
def addendum(*, actor: Actor, tele: Teleconsultation, text: str) -> Step:
    """A dated complement to a closed dossier."""
    if not text.strip():
        raise Refused(_("Écrivez le complément avant de l’ajouter."), field="text")
    if len(text.strip()) > NOTE_MAX:
        raise Refused(_too_long(_("Complément"), NOTE_MAX), field="text")
    return dossiers.add_step(actor=actor, dossier=tele.dossier, kind="addendum", data={"text": text.strip()})


@transaction.atomic
def deposit(*, actor: Actor, tele: Teleconsultation, upload: Any, title: str = "") -> Document:
    """The patient deposits a document or a photograph from their space (TC-30)."""
    if not actor.is_patient or actor.about != tele.pk:
        raise NotFound
    stored = files.store(actor=actor, upload=upload)
    live.ping(dashboard_topic(tele.establishment_id))
    return dossiers.add_document(
        actor=actor, dossier=tele.dossier, file=stored, kind=DocumentKind.PATIENT, title=title.strip() or stored.name
    )


@transaction.atomic
def capture(*, actor: Actor, tele: Teleconsultation, upload: Any, capture_id: UUID | None) -> Document:
    """A photograph or clip of the call that its subject agreed to; nothing else is ever recorded (TC-42)."""
    agreed = rooms.keep_capture(actor=actor, about=tele.pk, capture_id=capture_id)
    moment = timezone.localtime().strftime("%d/%m/%Y à %H:%M")
    words = _("Photo du %(at)s") if agreed.kind == DocumentKind.PHOTO else _("Vidéo du %(at)s")
    document = add_document(
        actor=actor, tele=tele, upload=upload, title=words % {"at": moment}, shared=False, kind=agreed.kind
    )
    if not document.file.content_type.startswith("image/" if agreed.kind == DocumentKind.PHOTO else "video/"):
        raise Refused(_("Ce fichier n’est pas l’image pour laquelle un accord a été donné : rien n’est gardé."))
    return document
