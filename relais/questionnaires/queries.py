"""Questionnaires and responses as screens need them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from relais.core.errors import NotFound
from relais.questionnaires.form import Item
from relais.questionnaires.logic import Answers
from relais.questionnaires.logic.sentences import day, figure
from relais.questionnaires.models import Questionnaire, Response


def current(name: str) -> Questionnaire:
    """The newest version of a questionnaire. NotFound when none was loaded."""
    return _one(Questionnaire.objects.filter(name=name).order_by("-rank"))


def version(name: str, number: str) -> Questionnaire:
    """That version of a questionnaire: a page answers the version that it showed. NotFound when there is none."""
    return _one(Questionnaire.objects.filter(name=name, version=number).order_by("-rank"))


def _one(found: QuerySet[Questionnaire]) -> Questionnaire:
    questionnaire = found.first()
    if questionnaire is None:
        raise NotFound
    return questionnaire


def responses(about: UUID, name: str = "") -> QuerySet[Response]:
    """What was answered about something (to that questionnaire), newest first, what was corrected left out.

    The caller has opened `about` for whoever asks.
    """
    found = Response.objects.filter(about=about, replaced_by=None).select_related("questionnaire")
    return (found.filter(questionnaire__name=name) if name else found).order_by("-received_at", "-id")


def response(about: UUID, pk: UUID) -> Response:
    """One response about something, corrected or not. NotFound when it is about something else."""
    found = Response.objects.filter(about=about, pk=pk).select_related("questionnaire").order_by("id").first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Line:
    """A question with its answers as words; `files` are ids of stored files, for the owner's door."""

    link_id: str
    label: str
    words: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A group, or one row of a repeating group, with what was answered in it."""

    title: str
    lines: tuple[Line, ...]


def shown(response: Response) -> list[Section]:
    """A response to read: questions in the voice in which they were put, answers in French with their unit.

    What was not asked or not answered is left out, and so is what the site answered itself unseen (hidden).
    """
    return _sections(response.questionnaire.form.in_order(response.voice), response.answers, response.voice, "")


def _sections(items: Any, answers: Answers, voice: str, title: str) -> list[Section]:
    """Lines that follow each other under one title stay together; a group begins a section of its own."""
    found: list[Section] = []
    lines: list[Line] = []

    def close() -> None:
        if lines:
            found.append(Section(title, tuple(lines)))
            lines.clear()

    for item in items:
        if item.hidden:
            continue
        if item.is_question:
            lines += _line(item, answers, voice)
        elif item.is_rows:
            close()
            for number, row in enumerate(answers.get(item.link_id, []), start=1):
                found += _sections(item.items, row, voice, f"{item.sentence(voice)} ({number})")
        elif item.type == "group":
            close()
            found += _sections(item.items, answers, voice, item.sentence(voice) or title)
    close()
    return found


def _line(item: Item, answers: Answers, voice: str) -> list[Line]:
    values = answers.get(item.link_id, [])
    if not values:
        return []
    label = item.sentence(voice)
    if item.type == "attachment":
        return [Line(item.link_id, label, files=tuple(values))]
    return [Line(item.link_id, label, tuple(words(item, value, voice) for value in values))]


def words(item: Item, value: Any, voice: str = "patient") -> str:
    """One answer as French words: the option's label, the number with its unit, the day, yes or no."""
    if item.type == "boolean":
        return _("Oui") if value else _("Non")
    if item.type in ("integer", "decimal"):
        return f"{figure(value)}{f' {item.unit.label}' if item.unit else ''}"
    if item.type == "date":
        return day(value)
    if isinstance(value, dict):
        return str(value["text"])
    option = item.option(value)
    return option.sentence(voice) if option else str(value)
