"""Vital signs taken again: for a re-evaluation that is due, or a resident who worsens (domain.md §3.3, step 8)."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.files.models import StoredFile
from relais.liaison import permissions as may
from relais.liaison import scores
from relais.liaison.actions import notes, owning
from relais.liaison.actions.states import OVER_NOW, lock, tell_pages
from relais.liaison.models import Request
from relais.liaison.queries.measures import asked
from relais.liaison.queries.missing import FLOW
from relais.liaison.queries.sbar import in_words, signs_of
from relais.liaison.workflow import OPEN
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.logic.values import is_blank
from relais.questionnaires.models import Relation, Response

OTHERS = "fg.comorb"  # decides which scale the SpO2 is read on
FILES = "fg.pieces"


@whole
def measure(
    *, actor: Actor, demand: Request, answers: dict[str, list[Any]], times: Times, request_key: UUID
) -> Request:
    """Keep vital signs taken anew, scored as at the sending; those of before stay readable, none of them is mixed in.

    A note says them; it is urgent when they are worse (a higher NEWS2, of all signs or of those that were given both
    times, or FG-R1), and FG-R1 calls the SAMU in when it fires only now. Incomplete signs reassure nobody: what FG-R1 said
    before them stands. Sent twice they are kept once. Raises Wrong for what is impossible, Refused when nothing is given
    or the request is over.
    """
    locked = lock(actor, demand.pk)
    before = answers_before(actor, locked, request_key)
    if before is None:
        return locked
    if locked.patient.deceased_on:
        raise Refused(_("Ce résident est décédé : aucune constante n’est plus attendue."))
    wanted = asked(before.questionnaire.form)
    new = {name: values for name, values in answers.items() if name in wanted and not is_blank(values)}
    if not new:
        raise Refused(_("Donnez au moins une constante, ou revenez à la demande."))
    kept = replace(actor, before, new, times, request_key, without=wanted)
    was = locked.news2 or 0
    newly_red = rescore(actor, locked, kept, reassuring=not scores.score(kept.answers).missing)
    dossiers.record(locked.dossier, "measured", actor, response=str(kept.pk))
    told = _("Constantes reprises : %(signs)s. NEWS2 %(news2)s (%(before)s avant).") % {
        "signs": signs_of(kept.answers) or _("à lire dans la demande"), "news2": in_words(kept.answers), "before": in_words(before.answers),
    }  # fmt: skip
    owning.add_to_hand_over(locked, told)
    worse = (locked.news2 or 0) > was or _worse(before.answers, kept.answers, set(new))
    notes.write(actor=actor, demand=locked, text=told, urgent=newly_red or worse)
    tell_pages(locked, urgent=True)
    return locked


def answers_before(actor: Actor, locked: Request, request_key: UUID) -> Response | None:
    """The answers that others may stand beside; None when these were kept already, by the same page sent before.

    Raises NotFound for who may not complete the request, Refused once it is over.
    """
    if not may.can_complete(actor, locked):
        raise NotFound
    if Response.objects.filter(about=locked.pk, request_key=request_key).exists():
        return None
    if locked.response is None or locked.state not in OPEN:
        raise Refused(_(OVER_NOW))
    return locked.response


def replace(
    actor: Actor,
    before: Response,
    new: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
    *,
    without: Collection[str] = (),
) -> Response:
    """The answers of before, but those to the questions `without`, with the new ones: kept beside what was sent."""
    held = {name: values for name, values in _still_held(before.answers).items() if name not in without}
    return questionnaires.answer(
        actor=actor, about=before.about, questionnaire=before.questionnaire, answers={**held, **new}, times=times,
        request_key=request_key, who=Who(relation=Relation.PROFESSIONAL), replaces=before, unfinished=True,
    ).response  # fmt: skip


def _still_held(answers: dict[str, Any]) -> dict[str, Any]:
    """These answers without the files that were withdrawn since: what is given now is not held back by them."""
    pks = answers.get(FILES)
    if not pks:
        return answers
    sealed = StoredFile.objects.filter(pk__in=pks, sealed_at__isnull=False).order_by().values_list("pk", flat=True)
    gone = {str(pk) for pk in sealed}
    return {**answers, FILES: [pk for pk in pks if pk not in gone]}


def _worse(before: dict[str, Any], after: dict[str, Any], given: set[str]) -> bool:
    """Whether those signs that were given both times add up to more now: the others would hide it. No flow before: none."""
    both = {name for name in given if before.get(name) or name == FLOW} | {OTHERS}
    was, now = ({name: answers[name] for name in both if name in answers} for answers in (before, after))
    return scores.score(now).news2 > scores.score(was).news2


def rescore(actor: Actor, demand: Request, kept: Response, *, reassuring: bool = True) -> bool:
    """These answers count from now on; the SAMU is called in when FG-R1 fires only with them: whether it did.

    Not `reassuring`: FG-R1 that fired before is not lifted by them.
    """
    found, was_red = scores.score(kept.answers), demand.red
    demand.red = bool(found.red) or (was_red and not reassuring)
    demand.response, demand.news2, demand.qsofa = kept, found.news2, found.qsofa
    demand.motive = scores.first(kept.answers, "fg.motif") or ""
    demand.save(update_fields=["response", "red", "news2", "qsofa", "motive"])
    if demand.red and not was_red:
        owning.call_in_samu(actor, demand)
    return demand.red and not was_red
