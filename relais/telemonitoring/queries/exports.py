"""What leaves a cell as CSV: its follow-ups, its answers. Read some follow-ups at a time, whatever their number.

Made for a spreadsheet in French: UTF-8 with its mark, semicolons, decimal commas; a cell that a spreadsheet would take
for a formula is written as text.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from relais.questionnaires.form import Item, read_once
from relais.questionnaires.models import Questionnaire
from relais.telemonitoring.models import Cell, FollowUp, Judgement
from relais.telemonitoring.programme import FORMS
from relais.telemonitoring.wording import FACTORS

SOME = 50  # follow-ups read together: some 3,000 answer sets at the most
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # full-width ones too
WHO = ("Dossier", "Nom", "Prénom", "Naissance", "Sexe")
FOLLOW_UP = (
    *("Statut", "J0", "Début", "Fin", "Rythme", "Risque", "Facteurs", "État", "Motif de clôture", "Niveau"),
    *("Dernière réponse", "Réponses", "Alertes"),
)
ANSWER = (
    *("Jour", "Créneau", "J", "Fini le", "Reçu le", "En retard", "Répondu par", "Pourquoi", "Questionnaire", "Niveau"),
    "Règles",
)
NOT_ASKED = ("group", "display", "attachment")

Traced = Callable[[list[UUID]], None]


def follow_ups(cell: Cell, trace: Traced) -> Iterator[bytes]:
    """A line each, with a heading; `trace` is given the ids of each part before it leaves."""
    return _file((*WHO, *FOLLOW_UP), (_follow_up_lines(some) for some in _parts(cell, trace)))


def answers(cell: Cell, trace: Traced) -> Iterator[bytes]:
    """A line for each answer set, patient by patient, a column for each question of the daily forms."""
    questions = _questions()
    heads = (*WHO, *ANSWER, *(f"{item.text} ({name})" for name, item in questions.items()))
    return _file(heads, (_answer_lines(some, questions) for some in _parts(cell, trace)))


def _parts(cell: Cell, trace: Traced) -> Iterator[list[FollowUp]]:
    """All follow-ups of the cell, some at a time, in the order of their ids; the connection is given back in between."""
    last = None
    while True:
        rows = FollowUp.objects.filter(cell=cell).select_related("dossier__patient").order_by("pk")
        some = list((rows.filter(pk__gt=last) if last else rows)[:SOME])
        if not some:
            return
        trace([one.pk for one in some])
        yield some
        last = some[-1].pk


def _file(heads: Iterable[str], parts: Iterable[list[list[Any]]]) -> Iterator[bytes]:
    yield (MARK + _lines([heads])).encode()
    for part in parts:
        found = _lines(part).encode()
        if not connection.in_atomic_block:
            connection.close()  # the next part may be read by another thread
        yield found


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="\r\n").writerows([cell_of(each) for each in row] for row in rows)
    return buffer.getvalue()


def cell_of(value: Any) -> str:
    """A value as a spreadsheet reads it in French; never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return f"{value:g}".replace(".", ",")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, list):
        value = " | ".join(each["text"] if isinstance(each, dict) else cell_of(each) for each in value)
    text = str(value)
    risky = text.lstrip().startswith(FORMULA) or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if risky else text


def _who(one: FollowUp) -> list[Any]:
    patient = one.dossier.patient
    names = (patient.family_name, patient.given_name)
    return [one.dossier.reference, *names, patient.birth_date, patient.get_sex_display()]


def _follow_up_lines(some: list[FollowUp]) -> list[list[Any]]:
    ids = [one.pk for one in some]
    counted = FollowUp.objects.filter(pk__in=ids).order_by()
    given = dict(counted.annotate(number=Count("judgements")).values_list("pk", "number"))
    raised = dict(counted.annotate(number=Count("alerts")).values_list("pk", "number"))
    return [
        [
            *_who(one),
            *(one.get_status_display(), one.onset, one.starts_on, one.ends_on, one.get_rhythm_display()),
            *(one.get_risk_display(), [str(FACTORS.get(name, name)) for name in one.factors]),
            *(one.get_state_display(), one.closing, one.level if one.last_answer_at else ""),
            *(one.last_answer_at, given[one.pk], raised[one.pk]),
        ]
        for one in some
    ]


def _questions() -> dict[str, Item]:
    """The questions of every loaded version of the daily forms, in their order."""
    names = [name for group in FORMS.values() for name in group]
    forms = Questionnaire.objects.filter(name__in=names).order_by("name", "-rank")
    items = (item for one in forms for item in read_once(one.sha256, one.source).walk())
    found: dict[str, Item] = {}
    for item in items:
        if item.type not in NOT_ASKED and not item.read_only:
            found.setdefault(item.link_id, item)
    return found


def _answer_lines(some: list[FollowUp], questions: dict[str, Item]) -> list[list[Any]]:
    known = {one.pk: one for one in some}
    rows = Judgement.objects.filter(follow_up__in=list(known)).select_related("response__questionnaire")
    rows = rows.defer("response__questionnaire__source").order_by("follow_up", "at", "pk")
    return [
        [
            *_who(known[one.follow_up_id]),
            *(one.day, one.get_slot_display(), known[one.follow_up_id].day(one.day)),
            *(one.response.ended_at, one.at, one.late),
            *(one.response.get_relation_display(), one.response.get_reason_display()),
            *(f"{one.response.questionnaire.name} {one.response.questionnaire.version}", one.level, one.fired),
            *(one.response.answers.get(name) for name in questions),
        ]
        for one in rows
    ]
