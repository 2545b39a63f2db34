"""A vital request leaves with what the nurse has: what it still lacks, and the form that asks for that alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from relais.core.errors import NotFound
from relais.liaison import scores
from relais.liaison.models import Request, Urgency
from relais.questionnaires import logic
from relais.questionnaires.actions import Wrong
from relais.questionnaires.form import Form, Item
from relais.questionnaires.logic import Answers
from relais.questionnaires.logic.values import is_blank

ENOUGH = ("fg.urgence", "fg.motif")  # what even a vital request cannot do without: how urgent, and why
ENOUGH_RED = ("fg.urgence",)  # where FG-R1 fires on the signs, they say why
FLOW = "fg.o2debit"  # never required, but NEWS2 is wrong without it where the SpO2 is given afterwards
HELP = ".aide"  # a text that stands below its question
LONGEST = 60  # characters of a value that was put aside


@dataclass(frozen=True)
class Sent:
    """What leaves of a vital request, and in words what was typed and cannot be."""

    answers: Answers
    put_aside: tuple[str, ...]


def enough() -> dict[str, str]:
    """For form.js (data-enough): the answer with which only what is wrong at the questions after it holds the page back;
    `enough_red` where FG-R1 fires on the signs."""
    vital = f"fg.urgence={Urgency.VITAL}"
    return {"enough": " ".join([vital, *ENOUGH]), "enough_red": " ".join([vital, *ENOUGH_RED])}


def is_vital(answers: Mapping[str, Any]) -> bool:
    return bool(scores.first(answers, "fg.urgence") == Urgency.VITAL)


def to_send(form: Form, answers: Answers, today: date) -> Sent:
    """What is possible of the answers of a vital request. Raises Wrong without ENOUGH (ENOUGH_RED), and for nothing else."""
    checked = logic.check(form, answers, today, draft=True)
    needed = ENOUGH_RED if scores.score(checked.answers).red_by_signs else ENOUGH
    if any(name not in checked.answers for name in needed):
        errors = logic.check(form, answers, today).errors
        raise Wrong({name: errors[name] for name in needed if name in errors})
    wrong = [(form.by_id[name], sentence) for name, sentence in checked.errors.items() if name in form.by_id]
    return Sent(
        checked.answers,
        tuple(f"{item.text} : « {_typed(answers.get(item.link_id))} ». {sentence}" for item, sentence in wrong),
    )


def _typed(given: Any) -> str:
    values = given if isinstance(given, list) else [given]
    return ", ".join(str(one)[:LONGEST] for one in values if not is_blank(one))[: 3 * LONGEST]


def missing(demand: Request) -> list[Item]:
    """The questions to which a sent request owes an answer, in the order of the form; none but of a vital one."""
    if demand.response is None or demand.urgency != Urgency.VITAL:
        return []
    form, given = demand.response.questionnaire.form, demand.response.answers
    asked = logic.enabled(form, given)
    return [one for one in form.walk() if one.required and one.link_id in asked and not given.get(one.link_id)]


def form_of(demand: Request) -> Form:
    """The form that asks for what is missing, and nothing else. Raises NotFound for what was not sent."""
    if demand.response is None:
        raise NotFound
    form = demand.response.questionnaire.form
    wanted = {one.link_id for one in missing(demand)}
    if "fg.spo2" in wanted and not demand.response.answers.get(FLOW):
        wanted.add(FLOW)
    return replace(form, items=only(form.items, wanted))


def only(items: Iterable[Item], wanted: set[str]) -> tuple[Item, ...]:
    """These questions in their groups, with the texts below them, none required."""
    kept = []
    for item in items:
        if item.type == "group":
            below = only(item.items, wanted)
            kept += [replace(item, items=below)] if any(one.is_question for one in below) else []
        elif item.link_id.removesuffix(HELP) in wanted:
            kept.append(replace(item, conditions=(), required=False))
    return tuple(kept)
