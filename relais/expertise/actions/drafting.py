"""Asking: a draft saved as one types, its documents, and sending it to a service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import times
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Establishment, Service, Way
from relais.dossiers import actions as dossiers
from relais.dossiers import facts, sequels
from relais.dossiers.models import Document, DocumentKind, Dossier
from relais.expertise import delays, messages
from relais.expertise import permissions as may
from relais.expertise.actions.states import lock, move, tell_lists
from relais.expertise.actions.thread import noted
from relais.expertise.models import EXPERT, AskedAs, Expertise, Form, Urgency
from relais.expertise.queries import pool
from relais.expertise.queries.prefill import known
from relais.expertise.workflow import State
from relais.files import actions as files
from relais.patients.contact import clean_phone
from relais.patients.models import Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who, Wrong
from relais.questionnaires.models import Questionnaire, Relation

CARRIED = (
    "tg.lieu", "tg.histoire", "tg.antecedents", "tg.traitements", "tg.allergies", "tg.autonomie", "tg.poids", "tg.rappel",
)  # fmt: skip
HURRIED = (Urgency.IMMEDIATE, Urgency.URGENT)
MOST_FILES = 30


@dataclass(frozen=True)
class Page:
    """What the page of a request brings when it is sent."""

    questionnaire: Questionnaire
    answers: dict[str, Any]
    request_key: UUID
    times: Times
    service_id: UUID | None
    asked_as: str = ""


@whole
def start(
    *,
    actor: Actor,
    patient: Patient,
    form: str,
    request_key: UUID,
    origin_id: UUID | None = None,
    draft: dict[str, Any] | None = None,
    service: Service | None = None,
) -> Expertise:
    """Begin a draft about a patient, from another dossier, with what that one says already, or not; the same page sent
    twice begins it once.

    Raises NotFound for who may not ask, Refused for a form that is none or a patient who died.
    """
    if not may.can_ask(actor):
        raise NotFound
    if form not in Form.values:
        raise Refused(_("Choisissez le formulaire."), field="form")
    done = Expertise.objects.filter(request_key=request_key, establishment_id=actor.here).first()
    if done:
        return done
    refuse_deceased(patient)
    origin = Dossier.objects.known_to(actor).filter(pk=origin_id, patient=patient).first() if origin_id else None
    told = facts.of(actor, origin, _("Demande d’avis")) if draft is None else None
    dossier = dossiers.create(
        actor=actor,
        kind="expertise",
        patient=patient,
        establishment=Establishment.objects.get(pk=actor.here),
        origin_id=origin_id,
    )
    try:
        with transaction.atomic():
            made = Expertise.objects.create(
                dossier=dossier, establishment_id=actor.here, requester_id=actor.me, form=form,
                request_key=request_key, service=service, draft=known(form, told) if told else draft or {},
            )  # fmt: skip
    except IntegrityError:
        raise Refused(_("Cette demande est déjà commencée : rechargez la page.")) from None
    tell_lists(made)
    return made


def refuse_deceased(patient: Patient) -> None:
    """Of a patient who died nothing is asked any more. Raises Refused."""
    if patient.deceased_on:
        raise Refused(_("Ce patient est décédé : aucun avis ne peut plus être demandé."))


@whole
def follow_up(*, actor: Actor, asked: Expertise) -> Expertise:
    """Begin a draft that follows a request whose date to look again has come, with what does not change (TE-10).

    Two clicks of the same person begin one; once it is abandoned, another. The date waits until it is sent.
    """
    if not may.can_follow(actor, asked):
        raise NotFound
    said = asked.response.answers if asked.response else {}
    carried = {link: said[link] for link in CARRIED if link in said} | {"tg.motif": ["suivi"]}
    abandoned = Expertise.objects.filter(dossier__origin=asked.pk, requester=actor.me, state=State.CANCELLED).count()
    return start(
        actor=actor, patient=asked.dossier.patient, form=asked.form, origin_id=asked.pk, draft=carried,
        service=asked.service, request_key=uuid5(asked.pk, f"{asked.review_on} {actor.me} {abandoned}"),
    )  # fmt: skip


@whole
def save(*, actor: Actor, asked: Expertise, answers: dict[str, Any], service_id: UUID | None, asked_as: str) -> None:
    """Keep what is typed so far, unchecked. Raises NotFound for another's draft, Refused once it is sent."""
    locked = _own_draft(actor, asked)
    locked.draft = answers
    locked.service = askable(actor, service_id)
    locked.asked_as = asked_as if asked_as in AskedAs.values else ""
    locked.save(update_fields=["draft", "service", "asked_as"])


def askable(actor: Actor, service_id: UUID | None, way: str = Way.EXPERTISE) -> Service | None:
    """The service of this id, when it can be asked in this way at all."""
    if service_id is None:
        return None
    found = Service.objects.visible_to(actor).filter(pk=service_id, active=True, ways__contains=[way])
    return found.select_related("establishment").first()


def _own_draft(actor: Actor, asked: Expertise) -> Expertise:
    locked = lock(asked)
    if not may.can_write(actor, locked):
        raise NotFound
    if locked.state != State.DRAFT:
        raise Refused(_("Cette demande est déjà envoyée : ajoutez-y une note."))
    return locked


def _refuse_file(actor: Actor, asked: Expertise) -> None:
    if asked.state == State.DRAFT and not may.can_write(actor, asked):
        raise NotFound
    if not may.can_read_clinical(actor):
        raise NotFound
    if asked.dossier.documents.filter(withdrawn_at=None).count() >= MOST_FILES:
        raise Refused(_("Trente documents au plus : envoyez une série d’images en un seul fichier ZIP."), field="file")


@whole
def attach(*, actor: Actor, asked: Expertise, upload: Any, title: str = "") -> Document:
    """File a document: of a draft its author's, later of whoever reads the request, until it is closed.

    The request is held once the file is read: a scan may last a minute, and whoever takes it does not wait.
    """
    _refuse_file(actor, asked)
    stored = files.store(actor=actor, upload=upload)
    locked = lock(asked)
    _refuse_file(actor, locked)
    document = dossiers.add_document(
        actor=actor, dossier=locked.dossier, file=stored, kind=DocumentKind.OTHER, title=title.strip() or stored.name
    )
    if locked.state != State.DRAFT:
        noted(actor, locked, document.created_at, messages.DOCUMENT)
    tell_lists(locked)
    return document


@whole
def detach(*, actor: Actor, asked: Expertise, document: Document) -> None:
    """Take a document out of one's draft: nobody else has seen it."""
    locked = _own_draft(actor, asked)
    if document.dossier_id != locked.pk:
        raise NotFound
    if document.withdrawn_at is None:
        document.withdrawn_at, document.withdrawn_by_id = timezone.now(), actor.user_id
        document.withdrawn_why = _("Retiré avant l’envoi")
        document.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
        files.seal(document.file)
        dossiers.record(locked.dossier, "document_withdrawn", actor, document=str(document.pk))


@whole
def send(*, actor: Actor, asked: Expertise, page: Page, now: datetime | None = None) -> Expertise:
    """Send a draft to a service: answers checked and kept, its delay begins, its pool takes part and is told.

    Sent twice it is sent once. Raises Wrong for answers that cannot be kept, Refused for a service that cannot answer.
    """
    moment = now or timezone.now()
    locked = lock(asked)
    if not may.can_write(actor, locked):
        raise NotFound
    if locked.response and locked.response.request_key == page.request_key:
        return locked
    refuse_deceased(locked.dossier.patient)
    if locked.state != State.DRAFT:
        raise Refused(_("Cette demande est déjà envoyée : ajoutez-y une note."))
    service = chosen(actor, page.service_id, str(next(iter(page.answers.get("tg.urgence", [])), "")), moment)
    attached = locked.dossier.documents.filter(
        withdrawn_at=None, file__created_by=actor.user_id,
        file__content_type__in=page.questionnaire.form.by_id["tg.pieces"].mime_types,
    )  # fmt: skip
    given = questionnaires.answer(
        actor=actor, about=locked.pk, questionnaire=page.questionnaire, answers=_with_number(page.answers),
        request_key=page.request_key, times=page.times, who=Who(relation=Relation.PROFESSIONAL),
        context={
            "tg.specialite": [_label(service)],
            "tg.pieces": [str(pk) for pk in attached.order_by("created_at", "id").values_list("file_id", flat=True)],
        },
    )  # fmt: skip
    said = given.response.answers
    urgency, due = said["tg.urgence"][0], moment + delays.DELAYS[said["tg.urgence"][0]]
    moved = move(
        actor=actor, asked=locked, verb="send", service=service, response=given.response, urgency=urgency,
        motive=said["tg.motif"][0], sent_at=moment, due_at=due, rank=delays.rank(urgency, due), draft={},
        asked_as=page.asked_as if page.asked_as in AskedAs.values else "",
    )  # fmt: skip
    dossiers.add_service(actor=actor, dossier=moved.dossier, service=service, role=EXPERT)
    messages.tell_pool(moved)
    told = _("Avis demandé à %(service)s, urgence %(hurry)s.\nQuestion : %(question)s") % {
        "service": named(service), "hurry": moved.get_urgency_display().lower(), "question": said["tg.question"][0],
    }  # fmt: skip
    sequels.tell(actor=actor, sequel=moved.dossier, text=told)
    origin = Expertise.objects.filter(pk=moved.dossier.origin_id).first()
    if origin and may.can_follow(actor, origin):
        reviewed(actor, lock(origin), "review_asked")
    return moved


def reviewed(actor: Actor, asked: Expertise, verb: str) -> None:
    """The date to look again leaves the lists; `asked` is locked."""
    if asked.review_on and asked.reviewed_at is None:
        asked.reviewed_at = timezone.now()
        asked.save(update_fields=["reviewed_at"])
        dossiers.record(asked.dossier, verb, actor)
        tell_lists(asked)


def chosen(actor: Actor, service_id: UUID | None, urgency: str, now: datetime) -> Service:
    """The service that will answer: one that takes requests, whose pool is not empty, open now when minutes count."""
    service = askable(actor, service_id)
    if service is None:
        raise Refused(_("Choisissez le service à qui demander cet avis."), field="service")
    if not pool.experts(service.pk).exists():
        raise Refused(_("Personne ne répond pour ce service en ce moment : choisissez-en un autre."), field="service")
    if urgency in HURRIED and not Service.objects.open_at(now).filter(pk=service.pk).exists():
        raise Refused(
            _("%(service)s est fermé et répond %(when)s : choisissez un service ouvert, ou appelez le 15.")
            % {"service": service.name, "when": times.near(service.opens_after(now))},
            field="service",
        )
    return service


def named(service: Service) -> str:
    """A service and where it is."""
    return f"{service.name} ({service.establishment.name})"


def _label(service: Service) -> str:
    named = f"{service.specialty}, {service.name}" if service.specialty else service.name
    return f"{named} ({service.establishment.name})"[:300]


def _with_number(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers with the direct line as E.164. Raises Wrong beside it."""
    typed = next(iter(answers.get("tg.rappel", [])), "")
    if not isinstance(typed, str) or not typed.strip():
        return answers
    try:
        return {**answers, "tg.rappel": [clean_phone(typed)]}
    except Refused as refused:
        raise Wrong({"tg.rappel": refused.message}) from None
