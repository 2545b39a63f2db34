"""The thread of a request, and its end: notes, cancelling, closing, addenda, the date to look again."""

from django.utils.translation import gettext as _

from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.dossiers import sequels
from relais.dossiers.models import Document, Note, Step
from relais.expertise import messages
from relais.expertise import permissions as may
from relais.expertise.actions import meeting
from relais.expertise.actions.answering import REASON_MAX, words_of
from relais.expertise.actions.drafting import reviewed
from relais.expertise.actions.states import lock, move, tell_lists
from relais.expertise.actions.thread import noted
from relais.expertise.models import Expertise, Recourse
from relais.expertise.workflow import TRANSITIONS, State
from relais.patients.models import Patient


@whole
def add_note(*, actor: Actor, asked: Expertise, text: str) -> Note:
    """Write in the thread; the other side sees it marked unread, and is told once until it has looked."""
    locked = lock(asked)
    note = dossiers.add_note(actor=actor, dossier=locked.dossier, text=text)
    noted(actor, locked, note.created_at, messages.NOTE)
    tell_lists(locked)
    return note


@whole
def cancel(*, actor: Actor, asked: Expertise, why: str) -> Expertise:
    """Cancel before an answer, with a reason once it was sent; the expert who has it is told."""
    locked = lock(asked)
    words = why.strip()
    if not may.can_cancel(actor, locked):
        raise NotFound
    if locked.state != State.DRAFT and not words:
        raise Refused(_("Indiquez pourquoi la demande est annulée : l’expert le lit."), field="why")
    if len(words) > REASON_MAX:
        raise Refused(_("Ce motif est trop long : 300 caractères au plus."), field="why")
    moved = move(actor=actor, asked=locked, verb="cancel", cancel_reason=words, left=None, called=None, draft={})
    meeting.end_call(actor=actor, asked=moved)
    messages.tell(moved, messages.CANCELLED, moved.expert_id)
    if moved.sent_at:
        sequels.tell(actor=actor, sequel=moved.dossier, text=_("Demande d’avis annulée : %s") % words)
    return moved


def follow_death(actor: Actor, patient: Patient) -> None:
    """What awaits an answer about a person who died is cancelled, drafts with it; the expert who has it is told.

    What was answered, refused or admitted stays: its requester reads it and closes it.
    """
    ends = TRANSITIONS["died"].sources
    for asked in Expertise.objects.filter(dossier__patient=patient, state__in=ends).order_by("pk"):
        if lock(asked).state not in ends:  # answered in the meantime
            continue
        moved = move(
            actor=SYSTEM_ACTOR, asked=asked, verb="died", cancel_reason=str(_("Décès du patient")), left=None,
            called=None, draft={},
        )  # fmt: skip
        meeting.end_call(actor=SYSTEM_ACTOR, asked=moved)
        if moved.expert_id != actor.user_id:
            messages.tell(moved, messages.CANCELLED, moved.expert_id)


@whole
def close(*, actor: Actor, asked: Expertise, recourse: str) -> Expertise:
    """Close for good, saying what became of the recourse to hospital (TE-03); only an addendum after."""
    if recourse not in Recourse.values:
        raise Refused(_("Indiquez ce qu’il est advenu du recours à l’hôpital."), field="recourse")
    moved = move(actor=actor, asked=asked, verb="close", recourse=recourse)
    meeting.end_call(actor=actor, asked=moved)
    return moved


@whole
def addendum(*, actor: Actor, asked: Expertise, text: str) -> Step:
    """A dated complement to a closed dossier, by a practitioner of either side."""
    words = words_of(text, _("Écrivez le complément avant de l’ajouter."))
    return dossiers.add_step(actor=actor, dossier=asked.dossier, kind="addendum", data={"text": words})


@whole
def set_review_aside(*, actor: Actor, asked: Expertise) -> Expertise:
    """A date to look again leaves the list: nothing more is to be asked (TE-10)."""
    locked = lock(asked)
    if not may.can_follow(actor, locked):
        raise NotFound
    reviewed(actor, locked, "review_set_aside")
    return locked


@whole
def withdraw(*, actor: Actor, asked: Expertise, document: Document, why: str) -> None:
    """*Retirer (erreur)*: a document of the wrong patient, even after closing."""
    if document.dossier_id != asked.pk:
        raise NotFound
    dossiers.withdraw_document(actor=actor, document=document, why=why)
    tell_lists(asked)
