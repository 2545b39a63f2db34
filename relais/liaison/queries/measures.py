"""Vital signs of a request, taken once or again: what is asked for, and what they were before."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from relais.core.errors import NotFound
from relais.liaison import scores
from relais.liaison.models import Request
from relais.liaison.queries.missing import only
from relais.liaison.queries.sbar import signs_of
from relais.questionnaires.form import Form
from relais.questionnaires.models import Response

SECTION = "fg.section.constantes"
FRESH = timedelta(minutes=30)  # before the hour of a re-evaluation: signs taken since then are those for it


@dataclass(frozen=True)
class Measure:
    """Vital signs on one line, and what they add up to; `missing`: the sum is a least."""

    at: datetime
    signs: str
    news2: int
    missing: bool


def asked(form: Form) -> frozenset[str]:
    """The questions about vital signs."""
    return frozenset(one.link_id for one in form.by_id[SECTION].walk() if one.is_question)


def form_of(demand: Request) -> Form:
    """The vital signs alone, none required: what the nurse has. Raises NotFound for what was not sent."""
    if demand.response is None:
        raise NotFound
    form = demand.response.questionnaire.form
    return replace(form, items=only(form.items, set(asked(form))))


def fresh(demand: Request) -> bool:
    """Whether vital signs were taken shortly before the hour of a re-evaluation, or since."""
    if demand.review_at is None or demand.response is None:
        return False
    return demand.response.ended_at >= demand.review_at - FRESH


def measured(demand: Request) -> bool:
    """Whether the vital signs for the re-evaluation that was promised were taken: since it was, however soon it is.

    Of one whose signs are not `fresh`, without looking at its decisions.
    """
    if not (fresh(demand) and demand.response):
        return False
    return all(demand.response.ended_at >= one.created_at for one in demand.decisions.all())


def taken_again(demand: Request) -> set[UUID]:
    """The responses that are vital signs taken anew: none of them repeats an earlier one, even of the same value."""
    said = demand.dossier.events.filter(verb="measured").order_by().values_list("data__response", flat=True)
    return {UUID(pk) for pk in said}


def measures(demand: Request) -> list[Measure]:
    """The vital signs each time they were taken, the last first; what else was completed makes none anew."""
    found: list[Measure] = []
    before = None
    again = taken_again(demand)
    for one in Response.objects.filter(about=demand.pk).order_by("received_at", "id").only("answers", "ended_at"):
        line = signs_of(one.answers)
        if line and (line != before or one.pk in again):
            score = scores.score(one.answers)
            found.append(Measure(one.ended_at, line, score.news2, bool(score.missing)))
        before = line
    return found[::-1]
