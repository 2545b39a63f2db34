"""The doctor's side: a complement asked, a decision with its reasons, the closing (domain.md §3.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import messages
from relais.liaison import permissions as may
from relais.liaison.actions import notes, owning, rooming
from relais.liaison.actions.states import lock, move
from relais.liaison.models import ELSEWHERE, Closing, Code, Decision, Note, Request
from relais.liaison.queries.people import still_there
from relais.liaison.queries.sbar import signs
from relais.liaison.workflow import State

DEATHS = (Closing.DIED_HERE, Closing.DIED_IN_HOSPITAL)
WITHOUT_OPINION = (Closing.DUPLICATE, Closing.NO_FOLLOW_UP, *DEATHS)
LATEST_REVIEW = timedelta(days=30)


@dataclass(frozen=True)
class Advice:
    """What a decision stores beside who made it and when."""

    code: str
    care_level: str
    justification: str
    family: str
    plan: str = ""
    review_at: datetime | None = None


@whole
def ask(*, actor: Actor, demand: Request, text: str) -> Request:
    """Ask the nursing home, which is told, for what is missing; the question stands among the notes."""
    moved = move(actor=actor, demand=demand, verb="ask")
    notes.write(actor=actor, demand=moved, text=text, kind=Note.Kind.ASKED)
    _tell_home(actor, moved, messages.QUESTION)
    return moved


@whole
def give(*, actor: Actor, demand: Request, text: str) -> Request:
    """Give what was asked; the request goes back to the doctor who has it, and who is told."""
    moved = move(actor=actor, demand=demand, verb="give")
    owning.drop_hand_overs(moved, timezone.now())  # its text says less than is known now: it is proposed anew
    notes.write(actor=actor, demand=moved, text=text, kind=Note.Kind.GIVEN)
    if moved.responsible and moved.responsible_id != actor.user_id:
        messages.tell(messages.GIVEN, moved, moved.responsible)
    return moved


def _tell_home(actor: Actor, demand: Request, key: str) -> None:
    for user in still_there(demand, timezone.now()):
        if user.pk != actor.user_id:
            messages.tell(key, demand, user)


@whole
def decide(*, actor: Actor, demand: Request, advice: Advice, read: str | None = None) -> Decision:
    """The opinion: decision of the vocabulary, level of care, reasons, family, when to look again (FG-08, FG-09). The nursing
    home is told.

    With an hour to look again the request is to be re-evaluated; a decision that takes the resident elsewhere leaves it
    open until they are there, and has such an hour: otherwise no clock says that they did not leave. `read`: the id of the
    answers that the doctor had before their eyes. Raises Refused for what is missing, a re-evaluation in the past or of
    somebody who died, a death that was not noted (`leaving.died`), or answers that changed since they were read.
    """
    now = timezone.now()
    locked = lock(actor, demand.pk)
    _check(advice, locked, now)
    if read not in (None, str(locked.response_id)):
        raise Refused(
            _("Les réponses de l’EHPAD ont changé depuis que vous lisez : %(signs)s. Relisez, puis rendez l’avis.")
            % {"signs": signs(locked)}
        )
    moved = move(
        actor=actor, demand=locked, verb="advise", advised_at=locked.advised_at or now, review_at=advice.review_at,
        review_told_at=None,
    )  # fmt: skip
    decision = Decision.objects.create(
        demand=moved, by_id=actor.me, responsible_id=actor.me, service=moved.service, code=advice.code,
        care_level=advice.care_level, justification=advice.justification.strip(), plan=advice.plan.strip(),
        family=advice.family, review_at=advice.review_at,
    )  # fmt: skip
    owning.drop_hand_overs(moved, now)  # as in `give`
    dossiers.record(moved.dossier, "decided", actor, decision=str(decision.pk), code=advice.code)
    _tell_home(actor, moved, messages.OPINION)
    if advice.code in ELSEWHERE:
        move(actor=actor, demand=moved, verb="orient")
    elif advice.review_at:
        move(actor=actor, demand=moved, verb="plan")
    if advice.code == Code.SAMU:
        owning.call_in_samu(actor, moved)
    return decision


def _note_first(demand: Request, field: str) -> None:
    """A death is said in one way, which ends all that was planned; here it only ends a request."""
    if demand.patient.deceased_on is None:
        raise Refused(
            _("Enregistrez d’abord le décès, par « Le résident est décédé » : ce qui était prévu s’arrête avec lui."),
            field=field,
        )


def _check(advice: Advice, demand: Request, now: datetime) -> None:
    if advice.code not in Code.values:
        raise Refused(_("Choisissez la décision."), field="code")
    if advice.code == Code.DEATH:
        _note_first(demand, "code")
    if not advice.justification.strip():
        raise Refused(_("Écrivez pourquoi : la décision figure au dossier avec ses raisons."), field="justification")
    if advice.review_at and not now < advice.review_at <= now + LATEST_REVIEW:
        raise Refused(_("La prochaine évaluation se place entre maintenant et dans 30 jours."), field="review")
    if advice.review_at and (advice.code in (Code.DEATH, Code.NOTHING) or demand.patient.deceased_on):
        raise Refused(
            _("Après un décès ou « Sans suite », plus rien n’est à réévaluer : choisissez « Aucune »."),
            field="review",
        )
    if advice.review_at is None and advice.code in ELSEWHERE and demand.patient.deceased_on is None:
        raise Refused(
            _(
                "Le résident doit partir : choisissez quand vérifier où il en est. Un délai est proposé, changez-le au besoin."
            ),
            field="review",
        )


@whole
def close(*, actor: Actor, demand: Request, why: str) -> Request:
    """End a request for one of Closing: by its doctor, or by the nursing home once the opinion is given.

    Raises Refused without a reason, without an opinion, or for a death that was not noted.
    """
    now = timezone.now()
    if why not in Closing.values:
        raise Refused(_("Choisissez le motif de la clôture."), field="why")
    locked = lock(actor, demand.pk)
    if not may.can_close(actor, locked):
        raise NotFound
    if why in DEATHS:
        _note_first(locked, "why")
    owning.drop_hand_overs(locked, now)
    if locked.state == State.TAKEN and locked.advised_at is None and why not in WITHOUT_OPINION:
        raise Refused(
            _("Rendez d’abord l’avis : sans avis, une demande se clôt pour un décès, un doublon ou sans suite.")
        )
    rooming.end(actor=actor, demand=locked)
    return move(
        actor=actor, demand=locked, verb="close", closing=why, closed_at=now, review_at=None, unowned_since=None
    )
