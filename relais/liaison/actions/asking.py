"""The nursing home's side: a draft that is kept as one types, sent once, completed, cancelled (FG-01, FG-04)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from relais.accounts.models import Membership, User
from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.dossiers.models import DocumentKind, Dossier
from relais.files.models import StoredFile
from relais.liaison import permissions as may
from relais.liaison import scores
from relais.liaison.actions import alarming, measuring, notes, owning, rooming
from relais.liaison.actions.states import hold_resident, lock, move, tell_pages
from relais.liaison.models import Request
from relais.liaison.queries import missing as lacks
from relais.liaison.queries.sheet import last_sheet
from relais.liaison.workflow import State
from relais.oncall.queries import services_of
from relais.patients.models import CareLink, Patient
from relais.patients.queries.search import fold
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who, Wrong
from relais.questionnaires.logic.values import is_blank
from relais.questionnaires.models import Questionnaire, Relation, Response

KIND, FORM = "liaison", "filgeria-demande"
TYPING = timedelta(minutes=15)  # a draft that nobody touched for longer is taken over
READ_ONLY = "Dans cette région, les EHPAD lisent les dossiers sans y écrire : appelez l’astreinte."


@whole
def start(*, actor: Actor, patient: Patient, origin_id: UUID | None = None) -> Request:
    """The draft of a request about a resident, prefilled from their last sheet; one that is being written already comes back."""
    patient = get_visible(Patient, actor, pk=patient.pk)
    establishment = Establishment.objects.get(pk=actor.here)
    if not may.can_start(actor, establishment):
        if may.can_read(actor) and establishment.kind in may.HOMES:
            raise Refused(_(READ_ONLY))
        raise NotFound
    if patient.deceased_on:
        raise Refused(_("Ce résident est décédé : aucune demande ne peut plus être ouverte."))
    return _draft(actor, patient, establishment, origin_id)


def start_for(*, actor: Actor, home: Establishment, family_name: str, given_name: str, birth_date: date) -> Request:
    """The draft of a request that a doctor makes for a nursing home, after its telephone call.

    The resident is one of those in the home's care, by exact name and birth date; the doctor and whoever answers with
    them see the resident from now on. Raises NotFound for who may not, Refused when nobody or several are found: such a
    search is traced too, in a transaction of its own.
    """
    if not may.can_ask_for(actor, home):
        raise NotFound
    found = _sought(actor, home, family_name, given_name, birth_date)
    if not found:
        raise Refused(
            _("Aucun résident de cet EHPAD ne porte ce nom et cette date de naissance : vérifiez-les au téléphone."),
            field="family_name",
        )
    if len(found) > 1:
        raise Refused(_("Plusieurs résidents portent ce nom et cette date : précisez le prénom."), field="given_name")
    return _start_for(actor, home, found[0])


@whole
def _start_for(actor: Actor, home: Establishment, patient: Patient) -> Request:
    made = _draft(actor, patient, home, None)
    _nobody_loses(actor, made)
    held = services_of(actor).filter(need__in=may.ANSWERING, departments__contains=[home.department])
    for service in held.order_by("name", "pk")[:1]:
        owning.join(actor, made, service)
    if made.dossier.opened_by != actor.user_id:  # begun by a colleague, or by the home
        Dossier.objects.filter(pk=made.pk).update(opened_by=actor.me)
    return made


def _nobody_loses(actor: Actor, draft: Request) -> None:
    """Raises Refused while a colleague types it, whose saving would be lost without a word; a nursing home that may write
    keeps on writing in its own."""
    author_id, since = draft.dossier.opened_by, draft.drafted_at or draft.dossier.created_at
    if author_id == actor.user_id or since < timezone.now() - TYPING:
        return
    staff = Membership.objects.at_work(may.CLINICAL).filter(establishment_id=draft.establishment_id)
    if author_id and settings.NURSING_HOMES_WRITE and staff.filter(user_id=author_id).exists():
        return
    author = User.objects.filter(pk=author_id).first() if author_id else None
    raise Refused(
        _(
            "%(who)s écrit déjà une demande pour ce résident (%(at)s). Joignez cette personne pour qu’elle l’envoie. Sans "
            "nouvelle saisie, vous pourrez la reprendre %(minutes)d minutes après cette heure."
        )
        % {
            "who": author.full_name if author else _("Un collègue"),
            "at": date_format(timezone.localtime(since), "H:i"),
            "minutes": TYPING.total_seconds() // 60,
        }
    )


@whole
def _sought(actor: Actor, home: Establishment, family_name: str, given_name: str, birth_date: date) -> list[Patient]:
    """The residents of this name and date, with the trace."""
    links = CareLink.objects.live().filter(establishment_id=home.pk).values("patient_id")
    born = Patient.objects.filter(pk__in=links, birth_date=birth_date, deceased_on=None).order_by("pk")
    name, given = fold(family_name), fold(given_name)
    found = [one for one in born if name and name in (fold(one.birth_family_name), fold(one.used_family_name))]
    if len(found) > 1 and given:
        found = [one for one in found if given in (fold(one.given_name), *fold(one.birth_given_names).split())]
    audit.record(actor=actor, action="liaison.sought", about=home.pk, why=f"{len(found)}")
    return found


def _draft(actor: Actor, patient: Patient, establishment: Establishment, origin_id: UUID | None) -> Request:
    drafts = Request.objects.filter(patient=patient, establishment=establishment, state=State.DRAFT)
    if found := drafts.first():
        return found
    try:
        with transaction.atomic():  # a savepoint: the other tab's draft may come in between
            dossier = dossiers.create(
                actor=actor, kind=KIND, patient=patient, establishment=establishment, origin_id=origin_id
            )
            return Request.objects.create(
                dossier=dossier, patient=patient, establishment=establishment, draft=last_sheet(patient, establishment)
            )
    except IntegrityError:
        return drafts.get()


@dataclass(frozen=True)
class DraftPage:
    """A page on which a draft is typed: its id, and when what it was drawn with had been kept."""

    key: UUID
    seen: datetime | None


class TypedElsewhere(Refused):
    """Another page has kept since what this one would erase."""


@whole
def keep_draft(
    *, actor: Actor, demand: Request, answers: dict[str, list[Any]], page: DraftPage | None = None
) -> Request:
    """What is typed so far, whatever it is worth; nothing once the request was sent.

    Raises TypedElsewhere, with nothing kept, for a `page` that is older than what another one typed and would erase of it.
    """
    locked = lock(actor, demand.pk)
    if not may.can_speak(actor, locked):
        raise NotFound
    if locked.state != State.DRAFT:
        return locked
    older = page is not None and page.key != locked.draft_page and page.seen != locked.drafted_at
    if older and erased(locked.draft, answers):
        raise TypedElsewhere(_("Ce brouillon a aussi été rempli depuis une autre page : rechargez pour comparer."))
    locked.draft, locked.drafted_at = answers, timezone.now()
    locked.draft_page = page.key if page else None
    locked.save(update_fields=["draft", "drafted_at", "draft_page"])
    return locked


def erased(kept: dict[str, list[Any]], answers: dict[str, list[Any]]) -> list[str]:
    """The questions whose answer in `kept` is another, or none, in `answers`."""
    return [name for name, values in kept.items() if not is_blank(values) and answers.get(name) != values]


@whole
def submit(
    *,
    actor: Actor,
    demand: Request,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    uploads: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
) -> Request:
    """Send a demand: answers kept, scores noted, the first of the route asked, the SAMU called in when FG-R1 fires.

    Sent twice (the same `request_key`, or a page that is older than the sending) it is sent once. Raises Wrong with what
    is missing or impossible; a vital one needs its motive alone, and not even that where FG-R1 fires on the signs: the rest
    is completed afterwards, and what is impossible is put aside in a note.
    """
    hold_resident(demand.patient_id)  # a death that is noted meanwhile is read below
    locked = lock(actor, demand.pk)
    if not may.can_speak(actor, locked):
        raise NotFound
    if locked.state not in (State.DRAFT, State.CANCELLED):
        return locked
    if locked.patient.deceased_on:
        raise Refused(_("Ce résident est décédé : la demande n’est pas partie."))
    vital = lacks.is_vital(answers)
    sent = lacks.to_send(questionnaire.form, answers, timezone.localdate()) if vital else lacks.Sent(answers, ())
    kept, refused = _answer(
        vital=vital, uploads=uploads, actor=actor, about=locked.pk, questionnaire=questionnaire, answers=sent.answers,
        times=times, request_key=request_key, who=Who(relation=Relation.PROFESSIONAL), unfinished=vital,
    )  # fmt: skip
    now = timezone.now()
    found = scores.score(kept.answers)
    by_doctor = not may.in_home(actor, locked)
    duty = None if by_doctor else owning.next_of(locked, now)
    asked = owning.held_by(actor, locked, now) if by_doctor else owning.asking(locked, duty, now)
    moved = move(
        actor=actor, demand=locked, verb="submit", response=kept, draft={}, submitted_at=now,
        urgency=scores.first(kept.answers, "fg.urgence"), motive=scores.first(kept.answers, "fg.motif") or "",
        red=bool(found.red), news2=found.news2, qsofa=found.qsofa, **asked,
    )  # fmt: skip
    if duty:
        owning.join(actor, moved, duty.service)
    if by_doctor:
        moved = owning.take(actor=actor, demand=moved)
    else:
        owning.told(moved)
    if moved.red:
        owning.call_in_samu(actor, moved)
    if moved.responsible_id is None:
        alarming.sound(demand_id=moved.pk, now=now, called_in=moved.red)
    _file(actor, moved, kept.answers.get(measuring.FILES, []))
    if aside := [*sent.put_aside, *refused]:
        words = "\n".join([_("Saisi à l’envoi et écarté, à vérifier :"), *aside])
        notes.write(actor=actor, demand=moved, text=words[: notes.NOTE_MAX])
    tell_pages(moved, urgent=True)
    return moved


def _answer(*, vital: bool, uploads: dict[str, list[Any]], **given: Any) -> tuple[Response, list[str]]:
    """The response; a file that cannot be kept holds a vital request back no more than a wrong figure: its sentence."""
    if not (vital and uploads):
        return questionnaires.answer(uploads=uploads, **given).response, []
    try:
        with transaction.atomic():  # a savepoint: files that were stored before the wrong one go with it
            return questionnaires.answer(uploads=uploads, **given).response, []
    except Wrong as wrong:
        kept = questionnaires.answer(uploads={}, **given).response
        return kept, list(wrong.errors.values())


@whole
def complete(
    *, actor: Actor, demand: Request, answers: dict[str, list[Any]], times: Times, request_key: UUID
) -> Request:
    """Give what a vital request left without; what was sent stays as it was, beside the new answers.

    Scores are computed again, and the SAMU called in when FG-R1 fires only now. Sent twice it is kept once. Raises Wrong
    for what is impossible, Refused when nothing is given or the request is over.
    """
    locked = lock(actor, demand.pk)
    before = measuring.answers_before(actor, locked, request_key)
    if before is None:
        return locked
    wanted = {one.link_id for one in lacks.form_of(locked).walk() if one.is_question}
    new = {name: values for name, values in answers.items() if name in wanted and not is_blank(values)}
    if not new:
        raise Refused(_("Donnez au moins une réponse, ou revenez à la demande."))
    kept = measuring.replace(actor, before, new, times, request_key)
    dossiers.record(locked.dossier, "completed", actor, response=str(kept.pk))
    measuring.rescore(actor, locked, kept)
    tell_pages(locked, urgent=True)
    return locked


def _file(actor: Actor, demand: Request, pks: list[str]) -> None:
    """The files of the form stand among the documents of the request (FG-05)."""
    files = StoredFile.objects.in_bulk([UUID(pk) for pk in pks])
    for pk in pks:
        file = files[UUID(pk)]
        kind = DocumentKind.PHOTO if file.content_type.startswith("image/") else DocumentKind.OTHER
        dossiers.add_document(actor=actor, dossier=demand.dossier, file=file, kind=kind, title=file.name)


@whole
def discard(*, actor: Actor, demand: Request) -> Request:
    """Give up a draft. Raises Refused for what left meanwhile, by itself or by a colleague: that is cancelled knowingly."""
    if lock(actor, demand.pk).state not in (State.DRAFT, State.CANCELLED):
        raise Refused(_("Cette demande était déjà partie : elle n’est pas abandonnée. Vous pouvez l’annuler ici."))
    return cancel(actor=actor, demand=demand)


@whole
def cancel(*, actor: Actor, demand: Request) -> Request:
    """Give up a draft, or a request that nobody has taken."""
    now = timezone.now()
    locked = lock(actor, demand.pk)  # before its hand-overs, as everybody does
    owning.drop_hand_overs(locked, now)
    rooming.end(actor=actor, demand=locked)
    return move(
        actor=actor, demand=locked, verb="cancel", draft={}, responsible=None, unowned_since=None, closed_at=now
    )
