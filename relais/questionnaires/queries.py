"""Questionnaires and responses as screens need them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from relais.core.errors import NotFound
from relais.questionnaires.form import Form, Item
from relais.questionnaires.logic import Answers
from relais.questionnaires.logic.sentences import day, figure
from relais.questionnaires.models import Questionnaire, Response


def current(name: str) -> Questionnaire:
    """The newest version of a questionnaire. NotFound when none was loaded."""
    return _one(Questionnaire.objects.filter(name=name).order_by("-rank"))


def version(name: str, number: str) -> Questionnaire:
    """That version of a questionnaire: a page answers the version that it showed. NotFound when there is none."""
    if not number.isprintable():  # a database takes no zero byte
        raise NotFound
    return _one(Questionnaire.objects.filter(name=name, version=number).order_by("-rank"))


def _one(found: QuerySet[Questionnaire]) -> Questionnaire:
    questionnaire = found.defer("source").first()
    if questionnaire is None:
        raise NotFound
    return questionnaire


def names() -> list[str]:
    """Every questionnaire that was loaded, once whatever its versions."""
    return list(Questionnaire.objects.order_by("name").values_list("name", flat=True).distinct())


def responses(about: UUID, name: str = "") -> QuerySet[Response]:
    """What was answered about something (to that questionnaire), newest first, what was corrected left out.

    The caller has opened `about` for whoever asks.
    """
    found = Response.objects.filter(about=about, replaced_by=None).select_related("questionnaire")
    return (found.filter(questionnaire__name=name) if name else found).order_by("-received_at", "-id")


def answered(abouts: Iterable[UUID], name: str) -> set[UUID]:
    """Those of `abouts` about which that questionnaire was answered."""
    found = Response.objects.filter(about__in=list(abouts), questionnaire__name=name)
    return set(found.order_by().values_list("about", flat=True).distinct())


def response(about: UUID, pk: UUID) -> Response:
    """One response about something, corrected or not. NotFound when it is about something else."""
    found = Response.objects.filter(about=about, pk=pk).select_related("questionnaire").order_by("id").first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Attached:
    """A file of an answer, with the address of the owner's door to it ("": none is given)."""

    pk: UUID
    label: str
    url: str


@dataclass(frozen=True)
class Line:
    """A question with its answers as words or files."""

    link_id: str
    label: str
    words: tuple[str, ...] = ()
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True)
class Section:
    """A group, or one row of a repeating group, with what was answered in it."""

    title: str
    lines: tuple[Line, ...]


Door = Callable[[UUID], str]


def shown(response: Response, door: Door | None = None) -> list[Section]:
    """A response to read: questions in the voice in which they were put, answers in French with their unit.

    What was not asked or not answered is left out, and so is what the site answered itself unseen (hidden). `door` gives
    the address at which the owner serves a file, once it has checked who asks. Drawn by questionnaires/response.html.
    """
    return shown_answers(response.questionnaire.form, response.answers, response.voice, door)


def shown_answers(form: Form, answers: Answers, voice: str, door: Door | None = None) -> list[Section]:
    """As `shown`, for answers that are not kept yet."""
    return _Reading(voice, door or _no_door).sections(form.in_order(voice), answers, "")


def _no_door(pk: UUID) -> str:
    return ""


@dataclass(frozen=True)
class _Reading:
    voice: str
    door: Door

    def sections(self, items: Iterable[Item], answers: Answers, title: str) -> list[Section]:
        """Lines that follow each other under one title stay together; a group begins a section of its own."""
        found: list[Section] = []
        lines: list[Line] = []
        for item in items:
            if item.is_question and not item.hidden:
                lines += self._line(item, answers)
            elif item.type == "group" and not item.hidden:
                found += [Section(title, tuple(lines))] if lines else []
                lines = []
                found += self._group(item, answers, title)
        return [*found, *([Section(title, tuple(lines))] if lines else [])]

    def _group(self, item: Item, answers: Answers, title: str) -> list[Section]:
        label = item.sentence(self.voice)
        if not item.is_rows:
            return self.sections(item.items, answers, label or title)
        rows = enumerate(answers.get(item.link_id, []), start=1)
        return [section for number, row in rows for section in self.sections(item.items, row, f"{label} ({number})")]

    def _line(self, item: Item, answers: Answers) -> list[Line]:
        values = answers.get(item.link_id, [])
        if not values:
            return []
        label = item.sentence(self.voice)
        if item.type == "attachment":
            files = tuple(
                Attached(UUID(value), _("Fichier %(number)d") % {"number": number}, self.door(UUID(value)))
                for number, value in enumerate(values, start=1)
            )
            return [Line(item.link_id, label, files=files)]
        return [Line(item.link_id, label, tuple(words(item, value, self.voice) for value in values))]


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
