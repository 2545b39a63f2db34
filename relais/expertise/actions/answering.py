"""What experts do with a request: take it, ask for more, answer, refuse, send it on, convert it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core import live, times
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Service, Way
from relais.dossiers import actions as dossiers
from relais.dossiers import sequels
from relais.dossiers.models import DocumentKind
from relais.expertise import delays, messages, printing
from relais.expertise import permissions as may
from relais.expertise.actions import meeting
from relais.expertise.actions.drafting import askable, chosen, named, refuse_deceased
from relais.expertise.actions.states import lock, move
from relais.expertise.models import EXPERT, MOST_OPINIONS, WARD, Expertise, Opinion, Refusal
from relais.expertise.queries import pool
from relais.expertise.queries.request import joined_by
from relais.expertise.topics import service_topic
from relais.expertise.workflow import HELD, State
from relais.files import actions as files
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Answered, Times, Who, Wrong
from relais.questionnaires.models import Questionnaire, Relation, Response
from relais.rooms import actions as rooms
from relais.rooms.models import MESH_MAX
from relais.rooms.queries import most_people, who_is_inside

TEXT_MAX, REASON_MAX = 5000, 300
PRESCRIBES = "tr.prescription"


@whole
def take(*, actor: Actor, asked: Expertise) -> Expertise:
    """Have a request that nobody has. Of two in the same second one has it, the other reads who; twice, nothing happens."""
    locked = lock(asked)
    if not may.can_take(actor, locked):
        raise NotFound
    if locked.expert_id == actor.user_id and locked.state in HELD:
        return locked
    if locked.state in HELD and locked.expert:
        told = {"who": locked.expert.full_name, "at": times.near(locked.taken_at or timezone.now())}
        raise Refused(_("%(who)s a pris cette demande en charge %(at)s.") % told)
    return _have(actor, locked, "take")


@whole
def take_over(*, actor: Actor, asked: Expertise) -> Expertise:
    """Have the overdue request of another expert, or of one who left the pool; they are told. Its room is closed.

    Refused while somebody is in that room: an expert is with the patient's nurse, however late it is.
    """
    locked = lock(asked)
    before, met = locked.expert_id, locked.state == State.VISIO
    inside = who_is_inside(locked.pk) if met and may.can_take_over(actor, locked) else []
    if inside:
        told = {"who": ", ".join(inside)}
        raise Refused(
            _("Un appel est en cours pour cette demande (%(who)s) : reprenez-la quand il sera terminé.") % told
        )
    moved = _have(actor, locked, "take_over")
    if met:
        meeting.end_call(actor=actor, asked=moved)
    messages.tell(moved, messages.TAKEN_OVER, before)
    return moved


def _have(actor: Actor, asked: Expertise, verb: str) -> Expertise:
    changes: dict[str, Any] = {"expert_id": actor.user_id, "taken_at": timezone.now(), "called": None}
    return move(actor=actor, asked=asked, verb=verb, **changes, **_running_again(asked))


def _running_again(asked: Expertise, now: datetime | None = None) -> dict[str, Any]:
    """The clock that stood still while a complement was awaited goes on."""
    if asked.left is None:
        return {}
    due = delays.due_again(asked.urgency, asked.left, now or timezone.now())
    return {"due_at": due, "rank": delays.rank(asked.urgency, due), "left": None, "level": 0}


@whole
def give_back(*, actor: Actor, asked: Expertise) -> Expertise:
    """Leave it to the others of the pool, who are told; its clock goes on."""
    moved = move(actor=actor, asked=asked, verb="give_back", expert=None, taken_at=None)
    messages.tell_pool(moved)
    return moved


@whole
def ask_complement(*, actor: Actor, asked: Expertise, text: str, now: datetime | None = None) -> Expertise:
    """Ask the side that asks for what is missing; the clock stands still until they give it."""
    words = words_of(text, _("Écrivez ce qui manque : le requérant le lit dans les échanges."))
    moment = now or timezone.now()
    moved = move(
        actor=actor, asked=asked, verb="ask_complement", left=(asked.due_at or moment) - moment, called=None, level=0
    )
    dossiers.add_step(actor=actor, dossier=moved.dossier, kind="complement", data={"text": words, "asked": True})
    messages.tell_asking(moved, messages.COMPLEMENT, actor)
    return moved


@whole
def give_complement(*, actor: Actor, asked: Expertise, text: str, now: datetime | None = None) -> Expertise:
    """Give what the expert asked for; the clock goes on with what was left."""
    words = words_of(text, _("Écrivez le complément, ou dites quel document vous avez ajouté."))
    locked = lock(asked)
    moved = move(actor=actor, asked=locked, verb="give_complement", **_running_again(locked, now))
    dossiers.add_step(actor=actor, dossier=moved.dossier, kind="complement", data={"text": words, "asked": False})
    messages.tell_expert(moved, messages.GIVEN)
    return moved


@dataclass(frozen=True)
class Page:
    """What the page of an opinion brings when it is signed; the `prescription` is a file."""

    questionnaire: Questionnaire
    answers: dict[str, Any]
    request_key: UUID
    times: Times
    prescription: Any = None


@whole
def answer(*, actor: Actor, asked: Expertise, page: Page, now: datetime | None = None) -> Opinion:
    """Sign an opinion: answers kept, PDF filed with RPPS, time and digest, both sides told; sent twice it is signed once.

    Raises Wrong for answers that cannot be kept, Refused for an expert without RPPS number or a state that moved on.
    """
    moment = now or timezone.now()
    locked = lock(asked)
    done = Opinion.objects.filter(expertise=locked, response__request_key=page.request_key).first()
    if done:
        return done
    if not may.can_answer(actor, locked):
        raise NotFound
    expert = signer(actor)
    given = said_on(actor, locked, page)
    said = given.response.answers
    moved = move(
        actor=actor, asked=locked, verb="answer", answered_at=locked.answered_at or moment, left=None, called=None,
        orientation=one_of(said, "tr.orientation"), review_on=one_of(said, "tr.suivi") or None, reviewed_at=None,
    )  # fmt: skip
    service = moved.service
    if service is None:
        raise NotFound
    draft = Opinion(
        expertise=moved, number=moved.opinions.filter(version=1).count() + 1, service=service, expert=expert,
        response=given.response, rpps=expert.rpps or "", asked_at=_asked_at(moved), signed_at=moment,
    )  # fmt: skip
    opinion = sign(actor=actor, asked=moved, opinion=draft, taken_at=moved.taken_at)
    meeting.end_call(actor=actor, asked=moved)
    messages.tell_asking(moved, messages.ANSWERED, actor)
    head = _("Avis rendu par %s.") if opinion.number == 1 else _("Second avis rendu par %s.")
    told = "\n".join([head % named(service), *printing.own_words(given.response)])
    sequels.tell(actor=actor, sequel=moved.dossier, text=told, document=opinion.document)
    return opinion


def said_on(actor: Actor, asked: Expertise, page: Page, replaces: Response | None = None) -> Answered:
    """Keep what a page of an opinion says, and file the prescription that comes with it.

    Raises Wrong for answers that cannot be kept, among them a prescription that is said and not there.
    """
    says = page.answers | ({PRESCRIBES: [True]} if page.prescription else {})
    given = questionnaires.answer(
        actor=actor, about=asked.pk, questionnaire=page.questionnaire, answers=says, replaces=replaces,
        request_key=page.request_key, times=page.times, who=Who(relation=Relation.PROFESSIONAL),
    )  # fmt: skip
    if page.prescription:
        stored = files.store(actor=actor, upload=page.prescription)
        dossiers.add_document(
            actor=actor, dossier=asked.dossier, file=stored, kind=DocumentKind.PRESCRIPTION, title=_("Ordonnance")
        )
    elif given.response.answers.get(PRESCRIBES) == [True] and not joined_by(asked.dossier, actor.me).exists():
        raise Wrong({PRESCRIBES: _("Joignez l’ordonnance, en bas de cette page, ou répondez « Non ».")})
    return given


def signer(actor: Actor) -> User:
    """The actor as who signs. Raises Refused without an RPPS number."""
    expert = User.objects.get(pk=actor.me)
    if not expert.rpps:
        raise Refused(
            _("Un avis se signe avec un numéro RPPS, qui manque à votre compte : demandez à l’assistance de l’ajouter.")
        )
    return expert


@whole
def sign(*, actor: Actor, asked: Expertise, opinion: Opinion, taken_at: datetime | None) -> Opinion:
    """Print, file and keep an opinion, or a version that corrects one, whose request is locked."""
    report = printing.report(asked, opinion, taken_at=taken_at)
    title = _("Avis de l’expert") if opinion.number == 1 else _("Second avis")
    name = f"avis-{asked.dossier.reference}"
    if opinion.replaces:
        title, name = (
            _("%(title)s, version %(n)s") % {"title": title, "n": opinion.version},
            f"{name}-v{opinion.version}",
        )
    step = dossiers.add_step(
        actor=actor, dossier=asked.dossier, kind="opinion",
        data={"response": str(opinion.response_id), "number": opinion.number, "why": opinion.reason},
    )  # fmt: skip
    stored = files.store(actor=actor, upload=printing.report_pdf(report), name=f"{name}.pdf")
    opinion.document = dossiers.add_document(
        actor=actor, dossier=asked.dossier, file=stored, kind=DocumentKind.REPORT, step=step, title=title,
        replaces=opinion.replaces.document if opinion.replaces else None,
    )  # fmt: skip
    opinion.digest = report.digest
    opinion.save(force_insert=True)
    return opinion


def _asked_at(asked: Expertise) -> datetime:
    """When the request came to the service asked now."""
    rows = asked.dossier.participants.filter(service=asked.service, role=EXPERT, until=None)
    return rows.values_list("created_at", flat=True).get()


def one_of(said: dict[str, Any], link_id: str) -> str:
    return str(next(iter(said.get(link_id, [])), ""))


@whole
def refuse(*, actor: Actor, asked: Expertise, reason: str, note: str = "") -> Expertise:
    """Refuse, with a reason of Refusal; the side that asks is told, and may ask another service."""
    if reason not in Refusal.values:
        raise Refused(_("Choisissez le motif du refus."), field="reason")
    if len(note.strip()) > REASON_MAX:
        raise Refused(_("Précisez en 300 caractères au plus."), field="note")
    moved = move(
        actor=actor, asked=asked, verb="refuse", refusal=reason, refusal_note=note.strip(), left=None, called=None
    )
    messages.tell_asking(moved, messages.REFUSED, actor)
    if moved.service:
        told = _("%(service)s ne donne pas d’avis : %(why)s.") % {
            "service": named(moved.service), "why": moved.get_refusal_display().lower(),
        }  # fmt: skip
        sequels.tell(actor=actor, sequel=moved.dossier, text=f"{told} {moved.refusal_note}".strip())
    return moved


@whole
def redirect(*, actor: Actor, asked: Expertise, service_id: UUID | None, now: datetime | None = None) -> Expertise:
    """Give the request to another service: the thread is kept, the new pool sees all of it, the old one nothing more.

    The delay goes on, with what was left of it when a complement was awaited; a refused request, or one whose hour has
    passed, gets a whole one. The expert who had it is told.
    """
    moment = now or timezone.now()
    locked = lock(asked)
    if not may.can_redirect(actor, locked):
        raise NotFound
    old, new = locked.service, chosen(actor, service_id, locked.urgency, moment)
    if old is None or new.pk == old.pk:
        raise Refused(_("C’est déjà ce service qui est sollicité : choisissez-en un autre."), field="service")
    _refuse_who_answered(locked, new)
    before = locked.expert_id
    moved = _pass_on(actor, locked, "redirect", new, moment)
    if not Opinion.objects.filter(expertise=moved, service=old).exists():
        dossiers.end_service(actor=actor, dossier=moved.dossier, service=old)
    meeting.send_out(actor=actor, asked=moved)
    messages.tell_asking(moved, messages.NEWS, actor)
    if actor.user_id != before:
        messages.tell(moved, messages.MOVED, before, path=reverse("expertise:worklist"))
    return moved


@whole
def second_opinion(
    *, actor: Actor, asked: Expertise, service_id: UUID | None, now: datetime | None = None
) -> Expertise:
    """Ask another service for a second opinion in the same thread; the first expert goes on seeing it. Two at most."""
    moment = now or timezone.now()
    locked = lock(asked)
    if not may.can_ask_second(actor, locked):
        raise NotFound
    if locked.opinions.filter(version=1).count() >= MOST_OPINIONS:
        raise Refused(_("Deux avis ont déjà été rendus : ouvrez une nouvelle demande."))
    new = chosen(actor, service_id, locked.urgency, moment)
    _refuse_who_answered(locked, new)
    return _pass_on(actor, locked, "second_opinion", new, moment)


def _refuse_who_answered(asked: Expertise, service: Service) -> None:
    if asked.opinions.filter(service=service).exists():
        raise Refused(_("Ce service a déjà rendu un avis : choisissez-en un autre."), field="service")


def _pass_on(actor: Actor, asked: Expertise, verb: str, service: Any, now: datetime) -> Expertise:
    refuse_deceased(asked.dossier.patient)
    due = _due_elsewhere(asked, now)
    moved = move(
        actor=actor, asked=asked, verb=verb, service=service, expert=None, taken_at=None, called=None, level=0,
        left=None, due_at=due, rank=delays.rank(asked.urgency, due), refusal="", refusal_note="",
    )  # fmt: skip
    moved.opinions.update(passed_on=True)
    dossiers.add_service(actor=actor, dossier=moved.dossier, service=service, role=EXPERT)
    messages.tell_pool(moved)
    words = _("Second avis demandé à %s.") if verb == "second_opinion" else _("Demande d’avis réorientée vers %s.")
    sequels.tell(actor=actor, sequel=moved.dossier, text=words % named(service))
    return moved


def _due_elsewhere(asked: Expertise, now: datetime) -> datetime:
    whole_one = now + delays.DELAYS[asked.urgency]
    if asked.state in (State.ANSWERED, State.REFUSED) or asked.due_at is None:
        return whole_one
    if asked.left is not None:
        return delays.due_again(asked.urgency, asked.left, now) if asked.left > timedelta(0) else whole_one
    return asked.due_at if asked.due_at > now else whole_one


@whole
def to_visio(*, actor: Actor, asked: Expertise, many: bool = False) -> Expertise:
    """Open a room that stays joined to the request; the side that asks is called (urgency: by SMS).

    It is for four people, from page to page: two ends depend on nothing between them. `many`: for more, through the
    video relay, where this installation has one; the choice holds until the request is converted to video again.
    """
    locked = lock(asked)
    moved = move(actor=actor, asked=locked, verb="to_visio", **_running_again(locked))
    meeting.open_room(actor, moved, most_people() if many else MESH_MAX)
    rooms.reopen_room(actor=actor, about=moved.pk)
    messages.tell_asking(moved, messages.VISIO, actor)
    return moved


@whole
def to_admission(*, actor: Actor, asked: Expertise, service_id: UUID | None, text: str) -> Expertise:
    """Admit the patient: a service that takes direct admissions joins the dossier with what it must know, and is told to
    read it; the side that asks is told as of an answer."""
    words = words_of(text, _("Écrivez quand et comment le patient est attendu."))
    service = askable(actor, service_id, way=Way.ADMISSION)
    if service is None:
        raise Refused(_("Choisissez le service qui accueille le patient."), field="service")
    admitting = list(pool.members(service.pk).values_list("pk", flat=True))
    if not admitting:
        raise Refused(
            _("Personne ne serait prévenu dans ce service : appelez-le, ou choisissez-en un autre."), field="service"
        )
    locked = lock(asked)
    moved = move(
        actor=actor, asked=locked, verb="to_admission", answered_at=locked.answered_at or timezone.now(),
        orientation="admission", left=None, called=None,
    )  # fmt: skip
    dossiers.add_step(
        actor=actor, dossier=moved.dossier, kind="admission", data={"service": str(service.pk), "text": words}
    )
    dossiers.add_service(actor=actor, dossier=moved.dossier, service=service, role=WARD)
    meeting.end_call(actor=actor, asked=moved)
    live.ping(service_topic(service.pk))
    messages.tell_asking(moved, messages.ANSWERED, actor)
    messages.tell(moved, messages.ADMISSION, *admitting)
    told = _("Admission proposée : %(service)s.\n%(text)s") % {"service": named(service), "text": words}
    sequels.tell(actor=actor, sequel=moved.dossier, text=told)
    return moved


def words_of(text: str, missing: str) -> str:
    """What was typed. Raises Refused where it is too long, or, with the sentence `missing`, where there is none."""
    words = text.strip()
    if not words and missing:
        raise Refused(missing, field="text")
    if len(words) > TEXT_MAX:
        raise Refused(_("Ce texte est trop long : 5 000 caractères au plus."), field="text")
    return words
