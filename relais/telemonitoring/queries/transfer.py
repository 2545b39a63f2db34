"""Patients who are proposed to another cell: what each of the two sees of them, and whom to propose."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.core.actor import Actor
from relais.telemonitoring import wording
from relais.telemonitoring.actions.transfer import MOST
from relais.telemonitoring.capacity import surplus
from relais.telemonitoring.models import Alert, Cell, FollowUp, Transfer
from relais.telemonitoring.programme import PEAK
from relais.telemonitoring.queries import cells as lists
from relais.telemonitoring.queries.capacity import TO_CALL, Held, present
from relais.telemonitoring.workflow import OPEN, TransferState


@dataclass(frozen=True)
class Proposed:
    """One demand. `who`: age and sex; the name is shown by the cell that follows the patient alone."""

    transfer: Transfer
    who: str
    day: int
    peak: bool
    level: wording.Level
    reasons: list[str]
    factors: list[Any]
    alert: Alert | None


def arriving(cell: Cell) -> list[Proposed]:
    """What other cells propose, the most urgent first."""
    return _proposed(cell.arriving.all())


def leaving(cell: Cell) -> list[Proposed]:
    """What this cell has proposed and nobody has decided, the most urgent first."""
    return _proposed(cell.leaving.all())


def _proposed(rows: QuerySet[Transfer]) -> list[Proposed]:
    found = list(
        rows.filter(state=TransferState.ASKED).select_related(
            "source__establishment", "target__establishment", "asked_by", "follow_up__dossier__patient"
        )
    )
    alerts = {
        one.follow_up_id: one
        for one in Alert.objects.filter(follow_up__in=[one.follow_up_id for one in found], state__in=OPEN)
    }
    words = {rules: wording.rule_words(rules) for rules in {one.source.rules_id for one in found}}
    today = timezone.localdate()
    shown = [_one(each, alerts.get(each.follow_up_id), words[each.source.rules_id], today) for each in found]
    return sorted(shown, key=lambda one: (-_rank(one.alert), one.alert.since if one.alert else one.transfer.created_at))


def _rank(alert: Alert | None) -> int:
    ranks = {"rouge": 4, "rouge-psy": 4, "orange": 2, "orange-psy": 2, "gris": 1}
    return ranks.get(alert.level, 0) + alert.priority if alert else 0


def _one(one: Transfer, alert: Alert | None, words: dict[str, str], today: date) -> Proposed:
    follow_up = one.follow_up
    known = wording.level_of(follow_up.level) if follow_up.last_answer_at else wording.UNKNOWN
    return Proposed(
        transfer=one,
        who=_who(follow_up, today),
        day=follow_up.day(today),
        peak=follow_up.day(today) in PEAK,
        level=wording.level_of(alert.level, priority=alert.priority) if alert else known,
        reasons=wording.reasons(alert.fired, words, alert.next_called) if alert else [],
        factors=[wording.FACTORS.get(factor, factor) for factor in follow_up.factors],
        alert=alert,
    )


def _who(follow_up: FollowUp, today: date) -> str:
    patient = follow_up.dossier.patient
    sex = {"M": _("Homme"), "F": _("Femme")}.get(patient.sex, _("Sexe non renseigné"))
    if patient.birth_date is None:
        return str(sex)
    born = patient.birth_date
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return f"{sex}, " + ngettext("%(n)d an", "%(n)d ans", years) % {"n": years}


def to_propose(actor: Actor, cell: Any, ids: list[UUID], *, alone: bool) -> list[lists.Row]:
    """The patients of the cell who could be proposed, the most urgent first: those of `ids` and, unless they stand
    `alone`, all with an alert."""
    alarmed, calm = lists.followed(cell, actor=actor, today=timezone.localdate())
    waiting = Transfer.objects.filter(source=cell, state=TransferState.ASKED).values("follow_up")
    found: list[UUID] = []
    parted: list[Any] = [alarmed.filter(pk__in=ids) if alone else alarmed, calm.filter(pk__in=ids)]
    for rows in parted:  # the type checker does not see their `rank`
        wanted = rows.exclude(pk__in=waiting).order_by("rank", "pk").values_list("pk", flat=True)
        found += wanted[: MOST - len(found)]
    return lists.rows_of(cell, found)


def surplus_of(actor: Actor, cell: Any, rows: list[lists.Row]) -> set[UUID]:
    """The patients of these lines whom those who are there cannot call in time (D7)."""
    waiting = [one.alert for one in rows if one.alert and (one.alert.state in TO_CALL or one.alert.call_at)]
    held = [Held(one.alert.state, one.alert.taken_by_id, one.alert.taken_at) for one in rows if one.alert]
    people = present(actor, cell, held).people
    promises = [one.call_at or one.clock(cell).call_by for one in waiting]
    over = surplus(promises, people=people, minutes=cell.minutes_per_call, now=timezone.now())
    return {waiting[position].follow_up_id for position in over}
