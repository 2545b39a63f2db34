"""The list that one team hands to the next: open alerts first, then who is silent, away or in the second week."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.telemonitoring.models import Missed
from relais.telemonitoring.programme import PEAK
from relais.telemonitoring.queries.cells import Row, followed, rows_of
from relais.telemonitoring.workflow import AlertState, State

MOST = 300
SILENT = timedelta(days=2)  # a window missed longer ago has its alert
CALLED = (AlertState.CALLING, AlertState.UNREACHED, AlertState.REACHED, AlertState.ESCALATED)


@dataclass(frozen=True)
class Part:
    """One part of the list; a patient stands in the first that fits."""

    key: str
    title: str
    rows: list[Row]


@dataclass(frozen=True)
class HandOver:
    """What is printed; `cut`: there are more patients than are shown."""

    parts: list[Part]
    cut: bool


def hand_over(actor: Actor, cell: Any) -> HandOver:
    """Who needs a word when the team changes, the most urgent first: as many queries for any number of patients."""
    today = timezone.localdate()
    alarmed, calm = followed(cell, actor=actor, today=today)
    wanted = calm.filter(
        Q(state=State.PAUSED)
        | Exists(Missed.objects.filter(follow_up=OuterRef("pk"), day__gte=today - SILENT))
        | Q(onset__range=(today - timedelta(days=PEAK[-1]), today - timedelta(days=PEAK[0])))
    )
    found: list[UUID] = []
    parted: list[Any] = [alarmed, wanted]  # the type checker does not see their `rank`
    for some in parted:
        found += some.order_by("rank", "pk").values_list("pk", flat=True)[: MOST + 1 - len(found)]
    rows = rows_of(cell, found[:MOST])
    parts = [
        Part("open", _("Alertes à prendre ou à appeler"), []),
        Part("called", _("En cours d’appel, non joints, transmis au médecin"), []),
        Part("silent", _("Sans réponse attendue"), []),
        Part("peak", _("De J6 à J12, sans alerte"), []),
        Part("away", _("Hospitalisés, suivi en pause"), []),
    ]
    by_key = {part.key: part for part in parts}
    for row in rows:
        if key := _part_of(row):
            by_key[key].rows.append(row)
    return HandOver([part for part in parts if part.rows], cut=len(found) > MOST)


def _part_of(row: Row) -> str:
    if row.alert:
        return "called" if row.alert.state in CALLED else "open"
    if row.follow_up.state == State.PAUSED:
        return "away"
    if row.missing:
        return "silent"
    return "peak" if row.peak else ""
