"""Correcting an opinion that was signed: a version replaces it, and what was signed stays."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import times
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.dossiers import sequels
from relais.expertise import messages, printing
from relais.expertise import permissions as may
from relais.expertise.actions.answering import REASON_MAX, Page, one_of, said_on, sign, signer
from relais.expertise.actions.drafting import named
from relais.expertise.actions.states import lock, tell_lists
from relais.expertise.models import Expertise, Opinion
from relais.expertise.queries import pool
from relais.expertise.workflow import State


@whole
def correct(*, actor: Actor, asked: Expertise, opinion: Opinion, page: Page, why: str) -> Opinion:
    """Sign a version that replaces this one, with a reason: PDF, both sides told; sent twice it is signed once.

    The state, the hour of the first answer and the figures stay. Of two pages at a time one wins. Raises NotFound for who
    has not signed it, Wrong for answers that cannot be kept, Refused once it was corrected or the dossier closed.
    """
    moment, words = timezone.now(), why.strip()
    locked = lock(asked)
    former = Opinion.objects.select_related("service__establishment", "response", "document").get(pk=opinion.pk)
    if former.expertise_id != locked.pk or not may.has_signed(actor, former):
        raise NotFound
    later = Opinion.objects.filter(replaces=former).select_related("response").first()
    if later and later.response.request_key == page.request_key:
        return later
    if later:
        told = {"when": times.near(later.signed_at), "n": later.version}
        raise Refused(
            _("Cet avis a déjà été corrigé, %(when)s : relisez sa version %(n)s avant de recommencer.") % told
        )
    if not may.can_correct(actor, locked, former):
        raise Refused(_("Ce dossier est clôturé : ajoutez-y un complément daté, dans les échanges."))
    if not words:
        raise Refused(_("Écrivez ce qui change et pourquoi : le requérant le lit."), field="why")
    if len(words) > REASON_MAX:
        raise Refused(_("Ce motif est trop long : 300 caractères au plus."), field="why")
    expert = signer(actor)
    given = said_on(actor, locked, page, former.response)
    draft = Opinion(
        expertise=locked, number=former.number, version=former.version + 1, replaces=former, reason=words,
        service=former.service, expert=expert, response=given.response, rpps=expert.rpps or "",
        asked_at=former.asked_at, signed_at=moment, passed_on=former.passed_on,
    )  # fmt: skip
    made = sign(actor=actor, asked=locked, opinion=draft, taken_at=_taken_at(locked, former))
    _follow(locked, made)
    dossiers.record(locked.dossier, "correct", actor, number=made.number, version=made.version)
    tell_lists(locked)
    messages.tell(locked, messages.CORRECTED, *_readers(locked, actor.me))
    said = {"who": named(made.service), "when": times.stamp(former.signed_at), "why": words}
    head = _("Avis corrigé par %(who)s, qui remplace celui du %(when)s. Motif : %(why)s") % said
    text = "\n".join([head, *printing.own_words(made.response)])
    sequels.tell(actor=actor, sequel=locked.dossier, text=text, document=made.document)
    return made


def _taken_at(asked: Expertise, former: Opinion) -> datetime | None:
    """When the one who signed took the request, which somebody else may have now."""
    if asked.expert_id == former.expert_id and asked.service_id == former.service_id:
        return asked.taken_at
    took = asked.dossier.events.filter(user=former.expert_id, verb__in=["take", "take_over"], at__lte=former.signed_at)
    return took.order_by("-at").values_list("at", flat=True).first()


def _follow(asked: Expertise, made: Opinion) -> None:
    """What the request keeps of its last opinion, and that something in it is unread."""
    said = made.response.answers
    if not asked.opinions.filter(number__gt=made.number).exists():
        if asked.state != State.ADMISSION:
            asked.orientation = one_of(said, "tr.orientation")
        review = one_of(said, "tr.suivi")
        if review != (asked.review_on.isoformat() if asked.review_on else ""):
            asked.review_on, asked.reviewed_at = datetime.fromisoformat(review).date() if review else None, None
    asked.noted_at, asked.noted_by = made.signed_at, made.expert_id
    asked.save(update_fields=["orientation", "review_on", "reviewed_at", "noted_at", "noted_by"])


def _readers(asked: Expertise, me: UUID) -> set[UUID]:
    """Who may have read the former version to act on it: who asked, the other expert, the service that admits."""
    found = {*messages.asking(asked), asked.expert_id, *asked.opinions.values_list("expert_id", flat=True)}
    if asked.state == State.ADMISSION and asked.expected_at:
        found |= set(pool.members(UUID(asked.expected_at)).values_list("pk", flat=True))
    return {one for one in found if one and one != me}
