"""Every write in a dossier: one verb, one transaction, one Event, one ping."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core import live
from relais.core.actor import Actor
from relais.core.doors import the_one
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.core.transactions import leave, whole
from relais.core.written import written
from relais.directory.models import Establishment, Service
from relais.dossiers import messages, sequels
from relais.dossiers import permissions as may
from relais.dossiers.models import Document, Dossier, Event, Note, Participant, Phase, Step
from relais.dossiers.registry import KINDS
from relais.files import actions as files
from relais.files.models import StoredFile
from relais.patients.actions import end_care, grant_care, grant_care_to
from relais.patients.models import Basis, Patient

NOTE_MAX, WHY_MAX = 5000, 300  # characters
MANY = 500  # rows of one statement
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0/O, 1/I: a reference is read on the telephone


def new_reference(prefix: str) -> str:
    """A reference such as TC-7KQ4-M2XD: 40 random bits, never an order or a count."""
    text = "".join(secrets.choice(ALPHABET) for _index in range(8))
    return f"{prefix}-{text[:4]}-{text[4:]}"


def topic(dossier_id: UUID) -> str:
    return f"dossier:{dossier_id}"


@whole
def create(
    *, actor: Actor, kind: str, patient: Patient, establishment: Establishment, origin_id: UUID | None = None
) -> Dossier:
    """Open a dossier of a registered kind; the establishment gets a care link of basis *episode* (TC-20).

    `origin_id`: the dossier from which this one is opened, kept with it. Raises NotFound for one that the actor does not
    know, or that is another patient's.
    """
    origin = None
    if origin_id:
        origin = Dossier.objects.known_to(actor).filter(pk=origin_id, patient=patient).first()
        if origin is None:
            raise NotFound
    dossier = Dossier.objects.create(
        kind=kind,
        reference=new_reference(KINDS[kind].prefix),
        patient=patient,
        establishment=establishment,
        opened_by=actor.user_id,
        origin=origin,
    )
    grant_care(actor=actor, patient=patient, establishment_id=establishment.pk, basis=Basis.EPISODE, about=dossier.pk)
    record(dossier, "created", actor)
    if origin:
        record(origin, "sequel_opened", actor, sequel=str(dossier.pk), kind=kind)
    return dossier


@whole
def create_many(*, actor: Actor, kind: str, patients: Sequence[Patient], establishment: Establishment) -> list[Dossier]:
    """As `create`, one dossier a patient in the order given, in a few statements: nobody watches them yet, so no ping."""
    made = Dossier.objects.bulk_create(
        [
            Dossier(
                kind=kind,
                reference=new_reference(KINDS[kind].prefix),
                patient=patient,
                establishment=establishment,
                opened_by=actor.user_id,
            )
            for patient in patients
        ],
        batch_size=MANY,
    )
    grant_care_to(actor=actor, links=[(one.patient, one.pk) for one in made], establishment_id=establishment.pk)
    Event.objects.bulk_create(
        [
            Event(dossier=one, verb="created", actor_kind=actor.kind, user_id=actor.user_id, grant_id=actor.grant_id)
            for one in made
        ],
        batch_size=MANY,
    )
    audit.record_many(
        actor=actor,
        entries=[audit.Trace("dossier.created", about=one.pk, patient_id=one.patient_id) for one in made],
    )
    return made


def open_dossier(*, actor: Actor, dossier_id: Any, why: str) -> Dossier:
    """The dossier, with the trace of who read it and why; NotFound for what the actor may not see."""
    wanted = read_id(str(dossier_id))
    dossier = the_one(_seen(actor, wanted) if wanted else [])
    audit.record(actor=actor, action="dossier.read", about=dossier.pk, patient_id=dossier.patient_id, why=why)
    return dossier


@written
def _seen(actor: Actor, dossier_id: UUID) -> QuerySet[Dossier]:
    rows = Dossier.objects.visible_to(actor).filter(pk=dossier_id)
    return rows.select_related("patient", "establishment").order_by("pk")


def lock(dossier_id: UUID) -> Dossier:
    """The dossier's row, held until the transaction ends: nothing is added while another closes it."""
    return Dossier.objects.select_for_update(of=("self",)).get(pk=dossier_id)


def record(dossier: Dossier, verb: str, actor: Actor, **data: Any) -> None:
    """Write the one Event of what just happened, its audit entry and its ping. `data`: ids and states only."""
    event = Event(
        dossier=dossier, verb=verb, actor_kind=actor.kind, user_id=actor.user_id, grant_id=actor.grant_id, data=data
    )
    leave(event)
    audit.record(actor=actor, action=f"dossier.{verb}", about=dossier.pk, patient_id=dossier.patient_id)
    live.ping(topic(dossier.pk))


def moved(dossier: Dossier, state: str, verb: str, actor: Actor, source: str) -> None:
    """Follow the workflow's change of state: phase, times, Event."""
    now = timezone.now()
    dossier.phase = KINDS[dossier.kind].phases[state]
    if dossier.phase == Phase.DONE:
        dossier.done_at = now
    if dossier.phase == Phase.CLOSED:
        dossier.closed_at = now
    if dossier.phase == Phase.OPEN:
        dossier.done_at = None
    dossier.save(update_fields=["phase", "done_at", "closed_at"])
    record(dossier, verb, actor, source=source, state=state)
    if dossier.origin_id:
        live.ping(topic(dossier.origin_id))  # whose page shows how this one stands


def follow_return(actor: Actor, patient: Patient) -> None:
    """A death was noted by mistake: each dossier in which it was written says so, and whoever worked there is told. Nothing
    begins again by itself."""
    said = Event.objects.filter(dossier=OuterRef("pk"), verb__in=("died", "alive")).order_by("-at", "-pk")
    ended = Dossier.objects.filter(patient=patient).annotate(said=Subquery(said.values("verb")[:1])).filter(said="died")
    for dossier in ended.order_by("pk"):
        record(dossier, "alive", actor)
        messages.tell_stopped(dossier, said_by=actor.user_id)


@whole
def add_participant(
    *, actor: Actor, dossier: Dossier, user: User, role: str, establishment: Establishment
) -> Participant:
    """Let a professional take part as a member of `establishment`; once.

    Members of the dossier's own establishment see the patient by its care link, for as long as they are members.
    """
    participant, new = Participant.objects.get_or_create(
        dossier=dossier, user=user, until=None, defaults={"role": role, "establishment": establishment}
    )
    if new:
        if establishment.pk != dossier.establishment_id:
            grant_care(actor=actor, patient=dossier.patient, user_id=user.pk, basis=Basis.EPISODE, about=dossier.pk)
        record(dossier, "participant_added", actor, user=str(user.pk), role=role)
    return participant


@whole
def add_service(*, actor: Actor, dossier: Dossier, service: Service, role: str) -> Participant:
    """Let a service take part: whoever answers for it sees the dossier and its patient, for as long as they do; once."""
    participant, new = Participant.objects.get_or_create(
        dossier=dossier, service=service, until=None, defaults={"role": role, "establishment": service.establishment}
    )
    if new:
        grant_care(actor=actor, patient=dossier.patient, service_id=service.pk, basis=Basis.EPISODE, about=dossier.pk)
        record(dossier, "service_added", actor, service=str(service.pk), role=role)
    return participant


@whole
def end_service(*, actor: Actor, dossier: Dossier, service: Service) -> None:
    """A service takes part no more, and its care link ends with it; nothing when it did not."""
    ended = Participant.objects.filter(dossier=dossier, service=service, until=None).update(until=timezone.now())
    if ended:
        end_care(actor=actor, about=dossier.pk, service_id=service.pk)
        record(dossier, "service_ended", actor, service=str(service.pk))


@whole
def add_step(*, actor: Actor, dossier: Dossier, kind: str, data: dict[str, Any] | None = None) -> Step:
    """Add a typed step; only an addendum after closing. Refused once the dossier is closed or cancelled."""
    locked = lock(dossier.pk)
    allowed = may.can_add_addendum if kind == "addendum" else may.can_add
    if not may.can_read_clinical(actor, locked):
        raise NotFound
    if not allowed(actor, locked):
        raise Refused(_("Ce dossier est clôturé : il n’accepte plus qu’un complément daté."))
    step = Step.objects.create(dossier=locked, kind=kind, data=data or {}, author_id=actor.user_id)
    record(locked, "step_added", actor, step=str(step.pk), kind=kind)
    return step


@whole
def add_document(
    *,
    actor: Actor,
    dossier: Dossier,
    file: StoredFile,
    kind: str,
    title: str,
    step: Step | None = None,
    shared: bool = False,
    replaces: Document | None = None,
) -> Document:
    """File a stored document; a patient's deposit is seen by both sides at once (TC-26, TC-30, TC-45)."""
    locked = lock(dossier.pk)
    if not (may.can_add(actor, locked) or may.can_deposit(actor, locked)):
        if actor.is_patient or may.can_read_clinical(actor, locked):
            raise Refused(_("Ce dossier est clôturé : il n’accepte plus de document."))
        raise NotFound
    document = Document.objects.create(
        dossier=locked,
        file=file,
        kind=kind,
        title=title[:200],
        step=step,
        author_id=actor.user_id,
        author_grant_id=actor.grant_id,
        shared_at=timezone.now() if shared else None,
        replaces=replaces,
    )
    record(locked, "document_added", actor, document=str(document.pk), kind=kind, shared=shared)
    return document


@whole
def copy_documents(*, actor: Actor, source: Dossier, target: Dossier) -> int:
    """File what one dossier holds, withdrawn documents left out, in another of the same patient that goes on from it; how
    many. The workflow that calls has checked who may and why.
    """
    if source.patient_id != target.patient_id:
        raise NotFound
    held = source.documents.filter(withdrawn_at=None).select_related("file").order_by("created_at", "id")
    copied = [
        Document(
            dossier=target, file=files.copy(actor=actor, file=one.file), kind=one.kind, title=one.title,
            author_id=one.author_id,
        )
        for one in held
    ]  # fmt: skip
    Document.objects.bulk_create(copied)
    if copied:
        record(target, "documents_copied", actor, source=str(source.pk), count=len(copied))
    return len(copied)


@whole
def copy_document(*, actor: Actor, document: Document, target: Dossier, title: str) -> Document:
    """File one document in another dossier of the same patient, whatever its phase. The workflow that calls has checked who
    may and why."""
    if document.dossier.patient_id != target.patient_id:
        raise NotFound
    made = Document.objects.create(
        dossier=target, file=files.copy(actor=actor, file=document.file), kind=document.kind, title=title[:200],
        author_id=document.author_id,
    )  # fmt: skip
    record(target, "document_added", actor, document=str(made.pk), kind=made.kind, shared=False)
    return made


@whole
def share_document(*, actor: Actor, document: Document, shared: bool) -> Document:
    """Show or hide a document in the patient space (TC-47); nothing when it is so already. The caller tells the patient."""
    locked = lock(document.dossier_id)
    document.refresh_from_db(fields=["shared_at", "withdrawn_at"])
    if document.withdrawn_at or not may.can_read_clinical(actor, locked):
        raise NotFound
    if not may.can_add(actor, locked):
        raise Refused(_("Ce dossier est clôturé : son partage ne peut plus changer."))
    if bool(document.shared_at) == shared:
        return document
    document.shared_at = timezone.now() if shared else None
    document.save(update_fields=["shared_at"])
    record(locked, "document_shared" if shared else "document_hidden", actor, document=str(document.pk))
    return document


@whole
def withdraw_document(*, actor: Actor, document: Document, why: str) -> Document:
    """Withdraw a document filed by mistake: nobody sees it any more at once, it is sealed, and the trace says why."""
    lock(document.dossier_id)
    document.refresh_from_db(fields=["withdrawn_at"])
    if not may.can_withdraw(actor, document):
        raise NotFound
    if not why.strip():
        raise Refused(_("Indiquez pourquoi ce document est retiré."), field="why")
    if len(why.strip()) > WHY_MAX:
        raise Refused(_("Ce motif est trop long : 300 caractères au plus."), field="why")
    _withdraw(actor, document, why)
    sequels.tell_withdrawn(actor=actor, document=document, why=why)
    return document


@whole
def withdraw_copy(*, actor: Actor, document: Document, why: str) -> None:
    """The copy of a document goes with it, by whoever withdrew that one."""
    _withdraw(actor, document, why)


def _withdraw(actor: Actor, document: Document, why: str) -> None:
    document.withdrawn_at = timezone.now()
    document.withdrawn_by_id = actor.user_id
    document.withdrawn_why = why.strip()
    document.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
    files.seal(document.file)
    record(document.dossier, "document_withdrawn", actor, document=str(document.pk))


@whole
def add_note(*, actor: Actor, dossier: Dossier, text: str) -> Note:
    """A note for professionals."""
    locked = lock(dossier.pk)
    if not may.can_read_clinical(actor, locked):
        raise NotFound
    if not may.can_add(actor, locked):
        raise Refused(_("Ce dossier est clôturé : il n’accepte plus de note."))
    if not text.strip():
        raise Refused(_("Écrivez la note avant de l’ajouter."), field="text")
    if len(text.strip()) > NOTE_MAX:
        raise Refused(_("Cette note est trop longue : 5 000 caractères au plus."), field="text")
    note = Note.objects.create(dossier=locked, text=text.strip(), author_id=actor.user_id)
    record(locked, "note_added", actor, note=str(note.pk))
    return note
