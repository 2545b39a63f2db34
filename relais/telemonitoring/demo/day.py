"""A day of the people followed, drawn before it begins: who answers when and what, who gets worse, who stays silent."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from relais.patients.models import Grant, Holder
from relais.questionnaires.models import Questionnaire, Reason, Relation
from relais.questionnaires.queries import current
from relais.telemonitoring.demo import courses
from relais.telemonitoring.demo.courses import CONTACT, FEBRILE, MILD, WORSE
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import Window, form_for
from relais.telemonitoring.workflow import State

HOUR = timedelta(hours=1)
FIRST, LAST = 7, 22  # hours of the day in which something happens
ADHERENCE, GETS_WORSE, FEVERISH = 0.86, 0.03, 0.12
BAD_DAY = 9  # of the course of somebody who gets worse
WORDS = {True: "true", False: "false"}


@dataclass(frozen=True)
class Turn:
    """One window of one patient. `hour`: of the day, when the answer comes, or when the window ends without one."""

    hour: float
    follow_up: UUID
    grant: Grant
    worse: bool
    answers: dict[str, str] | None  # as the page sends them; None: nothing comes


def plan(rng: random.Random, count: int) -> list[Turn]:
    """The turns of today of `count` people followed now, in the order of the day."""
    rows = FollowUp.objects.filter(state=State.ACTIVE).select_related("dossier__patient").prefetch_related("pauses")
    rows = rows.filter(dossier__patient__synthetic=True).order_by("pk")
    picked = list(rows)
    rng.shuffle(picked)
    grants = {one.about: one for one in Grant.objects.live().filter(about__in=[row.pk for row in picked[:count]])}
    turns = [turn for row in picked[:count] if row.pk in grants for turn in _turns(rng, row, grants[row.pk])]
    return sorted(turns, key=lambda one: (one.hour, str(one.follow_up)))


def _turns(rng: random.Random, row: FollowUp, grant: Grant) -> Iterator[Turn]:
    worse = rng.random() < GETS_WORSE
    for window in row.plan.windows(timezone.localdate(), timezone.localdate()):
        opens, closes = window.opens.hour, window.closes.hour
        late = rng.lognormvariate(4, 1) / 60
        comes = worse or rng.random() < ADHERENCE
        hour = min(opens + late, closes - 0.1) if comes else float(closes)
        yield Turn(hour, row.pk, grant, worse, _posted(rng, row, grant, window, worse=worse) if comes else None)


def _posted(rng: random.Random, row: FollowUp, grant: Grant, window: Window, *, worse: bool) -> dict[str, str]:
    born, contact = row.dossier.patient.birth_date, row.status == CONTACT
    form = current(form_for(contact=contact, born=born, on=window.day))
    day = BAD_DAY if worse else max(0, row.day(window.day))
    kind = WORSE if worse else FEBRILE if rng.random() < FEVERISH else MILD
    who: dict[str, str] = {}
    if grant.holder != Holder.SELF:
        child = "enfant" in form.name
        who = {
            "relation": Relation.PARENT if grant.holder == Holder.PARENT else Relation.CARER,
            "reason": Reason.CHILD if child else Reason.DEPENDENT,
        }
    return {"form": form.name, "version": form.version, **who, **typed(_answers(rng, row, form, kind, day))}


def _answers(
    rng: random.Random, row: FollowUp, form: Questionnaire, kind: str, day: int
) -> dict[str, list[Any]]:  # fmt: skip
    asked = {item.link_id for item in form.form.walk()}
    if form.name.endswith("contact"):
        return courses.contact(rng, day)
    if "enfant" in form.name:
        return courses.Child(kind, rng).answers(min(day, 8), form.name[-1], asked)
    return courses.Course(kind, rng, oximeter="oxymetre" in row.equipment).answers(day)


def typed(answers: dict[str, list[Any]]) -> dict[str, str]:
    """Answers as a page sends them; a question of several answers gives its first."""
    first = {name: values[0] for name, values in answers.items()}
    return {f"q-{name}": WORDS[value] if isinstance(value, bool) else str(value) for name, value in first.items()}
