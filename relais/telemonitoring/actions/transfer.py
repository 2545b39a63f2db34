"""Passing a patient from one cell to another: asked, then accepted or refused; nobody is without a cell (EC-14).

Until the other cell accepts, the patient, the open alert and its clocks stay with the cell that asks. Every verb holds
the follow-up's row first, so that closing, accepting and cancelling at once end one after the other.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live, workflow
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import alerts, enrol
from relais.telemonitoring.models import Alert, Cell, CellMember, FollowUp, Transfer
from relais.telemonitoring.topics import cell_topic, space_topic
from relais.telemonitoring.workflow import OPEN, AlertState, State, TransferState

LONGEST = 300
MOST = 200  # patients of one demand


@transaction.atomic
def ask(*, actor: Actor, cell: Cell, follow_ups: Iterable[UUID], target_id: UUID, why: str) -> list[Transfer]:
    """Propose patients of `cell` to another cell; those that are proposed already, closed or elsewhere are left out.

    Raises NotFound for who does not work in the cell, Refused without a reason, without a patient, or for a cell that
    has nobody or rules that nobody approved.
    """
    if not may.in_cell(actor, cell):
        raise NotFound
    why = _reason(why, _("Indiquez pourquoi ces patients sont proposés à une autre cellule."), "why")
    target = possible_targets(cell).filter(pk=target_id).first()
    if target is None:
        raise Refused(_("Choisissez une cellule qui a des membres."), field="cellule")
    enrol.check_rules(target)
    wanted = list(dict.fromkeys(follow_ups))[:MOST]
    rows = (
        FollowUp.objects.select_for_update(of=("self",))
        .filter(pk__in=wanted, cell=cell)
        .exclude(state=State.CLOSED)
        .exclude(transfers__state=TransferState.ASKED)
        .select_related("dossier")
        .order_by("pk")
    )
    made = []
    for follow_up in rows:
        if Transfer.objects.filter(follow_up=follow_up, state=TransferState.ASKED).exists():
            continue  # somebody else proposed them while we waited for the row
        one = Transfer.objects.create(
            follow_up=follow_up, source=cell, target=target, why=why, asked_by_id=actor.me
        )  # fmt: skip
        dossiers.record(follow_up.dossier, "transfer_asked", actor, transfer=str(one.pk), cell=str(target.pk))
        made.append(one)
    if not made:
        raise Refused(_("Aucun de ces patients ne peut être proposé : ils le sont déjà, ou ne sont plus suivis ici."))
    _tell(cell.pk, target.pk)
    return made


def possible_targets(cell: Cell) -> Any:
    """The cells that could take its patients: every other one in which somebody works."""
    staffed = CellMember.objects.at_work().values("cell_id")
    return Cell.objects.filter(pk__in=staffed).exclude(pk=cell.pk).select_related("establishment", "rules")


@transaction.atomic
def accept(*, actor: Actor, transfer: Transfer) -> Transfer:
    """Take the patient with the open alert and its clocks. An alert that somebody had in hand is free again.

    Raises Refused while somebody of the other cell is calling the patient, and once it was decided or closed.
    """
    follow_up = _hold(transfer)
    alert = Alert.objects.select_for_update(of=("self",)).filter(follow_up=follow_up, state__in=OPEN).first()
    if not may.can_accept(actor, transfer):
        raise NotFound
    if alert and alert.state == AlertState.CALLING:
        raise Refused(_("Un membre de l’autre cellule appelle ce patient : acceptez-le après l’appel."))
    moved = _move(actor, transfer, "accept")
    source = moved.source
    follow_up.cell = moved.target
    follow_up.save(update_fields=["cell"])
    enrol.open_to_cell(actor, follow_up)
    _close_to_cell(actor, follow_up, source)
    if alert:
        _hand_over(actor, alert)
    dossiers.record(
        follow_up.dossier, "transfer_accepted", actor, transfer=str(moved.pk), source=str(source.pk),
        cell=str(moved.target_id),
    )  # fmt: skip
    live.ping(space_topic(follow_up.pk))
    return moved


def _hand_over(actor: Actor, alert: Alert) -> None:
    """What was in the hands of the other cell: to be taken anew; after a call, whoever accepts goes on."""
    if alert.state in (AlertState.TAKEN, AlertState.UNREACHED):
        alerts.move(actor=SYSTEM_ACTOR, alert=alert, verb="hand_over", taken_by=None, taken_at=None)
    elif alert.state != AlertState.NEW:
        alert.taken_by_id = actor.me
        alert.save(update_fields=["taken_by"])


@transaction.atomic
def refuse(*, actor: Actor, transfer: Transfer, why: str) -> Transfer:
    """The other cell does not take the patient, and says why: they stay where they are."""
    if not may.can_accept(actor, transfer):
        raise NotFound
    why = _reason(why, _("Indiquez pourquoi ce patient est refusé."), "refusal")
    follow_up = _hold(transfer)
    moved = _move(actor, transfer, "refuse", refusal=why)
    dossiers.record(follow_up.dossier, "transfer_refused", actor, transfer=str(moved.pk))
    return moved


@transaction.atomic
def cancel(*, actor: Actor, transfer: Transfer) -> Transfer:
    """The cell that asked keeps its patient after all."""
    follow_up = _hold(transfer)
    moved = _move(actor, transfer, "cancel")
    dossiers.record(follow_up.dossier, "transfer_cancelled", actor, transfer=str(moved.pk))
    return moved


def drop(follow_up: FollowUp) -> None:
    """The follow-up ended: nobody has to decide any more. The caller holds its row."""
    if waiting := Transfer.objects.filter(follow_up=follow_up, state=TransferState.ASKED).first():
        _move(SYSTEM_ACTOR, waiting, "drop")


def _hold(transfer: Transfer) -> FollowUp:
    rows = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier__patient")
    return rows.get(pk=transfer.follow_up_id)


def _move(actor: Actor, transfer: Transfer, verb: str, **changes: Any) -> Transfer:
    def recorder(locked: Transfer, verb: str, actor: Actor, source: str) -> None:
        _tell(locked.source_id, locked.target_id)

    moved: Transfer = workflow.apply(
        transfer, verb, actor, recorder, decided_by_id=actor.user_id, decided_at=timezone.now(), **changes
    )
    return moved


def _close_to_cell(actor: Actor, follow_up: FollowUp, cell: Cell) -> None:
    """The cell that gave the patient away sees them no more; the establishment that included them keeps its dossier."""
    kept = {follow_up.dossier.establishment_id, follow_up.cell.establishment_id}
    if cell.establishment_id not in kept:
        patients.end_care(actor=actor, about=follow_up.pk, establishment_id=cell.establishment_id)
    here = set(follow_up.cell.members.filter(until=None).values_list("user_id", flat=True))
    elsewhere = cell.members.filter(until=None).exclude(establishment_id=cell.establishment_id)
    for user_id in set(elsewhere.values_list("user_id", flat=True)) - here:
        patients.end_care(actor=actor, about=follow_up.pk, user_id=user_id)


def _reason(text: str, sentence: str, field: str) -> str:
    if not text.strip():
        raise Refused(sentence, field=field)
    return text.strip()[:LONGEST]


def _tell(*cells: UUID) -> None:
    for one in cells:
        live.ping(cell_topic(one), urgent=True)
