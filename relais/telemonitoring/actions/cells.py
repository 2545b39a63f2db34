"""Cells: opened by an establishment, joined by its professionals and by those of others (EC-13, EC-14)."""

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership
from relais.audit import actions as audit
from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.patients import actions as patients
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions.enrol import one_at_a_time
from relais.telemonitoring.models import CELL_ROLES, Alert, Cell, CellKind, CellMember, RuleSet
from relais.telemonitoring.topics import cell_topic
from relais.telemonitoring.workflow import OPEN, State

RULES = "ecovid"
MOST_MINUTES = 120
HERE = timedelta(hours=4)  # for which somebody is counted present before they say so again


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a cell says of itself: its name, its kind, its hours, how long a call takes, whose patients it takes."""

    name: str
    kind: str
    opens: time
    closes: time
    minutes_per_call: int
    accepts_others: bool = False

    def cleaned(self) -> dict[str, Any]:
        """The fields as they are stored. Raises Refused beside the first field that is wrong."""
        name = self.name.strip()
        if not name:
            raise Refused(_("Donnez un nom à la cellule."), field="name")
        if self.kind not in CellKind.values:
            raise Refused(_("Choisissez le type de cellule."), field="kind")
        if self.closes < self.opens:
            raise Refused(
                _("La cellule ferme avant d’ouvrir. Deux heures égales : elle répond jour et nuit."), field="closes"
            )
        if not 1 <= self.minutes_per_call <= MOST_MINUTES:
            raise Refused(_("Un appel dure de 1 à 120 minutes."), field="minutes_per_call")
        return {**vars(self), "name": name}


@transaction.atomic
def create(*, actor: Actor, settings: Settings) -> Cell:
    """Open a cell in the actor's establishment, on its newest rules, else on those of Relais. It has no member yet.

    Raises Refused for a name that is missing or taken here, hours that end before they begin, and no published rules.
    """
    if not may.can_create_cell(actor):
        raise NotFound
    known = RuleSet.objects.filter(name=RULES, published_at__isnull=False)
    own = known.filter(Q(establishment_id=actor.here) | Q(establishment=None))
    rules = own.order_by(F("establishment").asc(nulls_last=True), "-published_at", "-pk").first()
    if rules is None:
        raise Refused(_("Aucune règle d’alerte n’est publiée : une cellule ne peut pas ouvrir sans règles."))
    fields = settings.cleaned()
    _check_name(actor.here, fields["name"])
    cell = Cell.objects.create(establishment_id=actor.here, rules=rules, **fields)
    audit.record(actor=actor, action="cell.create", about=cell.pk)
    return cell


@transaction.atomic
def change(*, actor: Actor, cell: Cell, settings: Settings) -> Cell:
    """Change its name, hours and the minutes that a call takes; the clocks of open alerts follow at once."""
    if not may.can_manage(actor, cell):
        raise NotFound
    fields = settings.cleaned()
    _check_name(cell.establishment_id, fields["name"], but=cell)
    for field, value in fields.items():
        setattr(cell, field, value)
    cell.save(update_fields=list(fields))
    audit.record(actor=actor, action="cell.change", about=cell.pk)
    live.ping(cell_topic(cell.pk))
    return cell


def _check_name(establishment_id: UUID, name: str, but: Cell | None = None) -> None:
    one_at_a_time(f"cells:{establishment_id}")  # of two clicks the second one reads that it is there
    named = Cell.objects.filter(establishment_id=establishment_id, name=name)
    if (named.exclude(pk=but.pk) if but else named).exists():
        raise Refused(_("Une cellule de votre établissement porte déjà ce nom."), field="name")


@transaction.atomic
def add_member(*, actor: Actor, cell: Cell, membership: Membership) -> CellMember:
    """Let a practitioner or a caregiver, here or elsewhere, work in the cell; once.

    Somebody of another establishment sees from now on the patients whom the cell follows.
    """
    if not may.can_manage(actor, cell):
        raise NotFound
    works = membership.ended_at is None and membership.user.is_active and membership.establishment.active
    if not works or membership.role not in CELL_ROLES:
        raise Refused(_("Seuls les praticiens et les soignants travaillent dans une cellule."), field="membership")
    member, new = CellMember.objects.get_or_create(
        cell=cell, user_id=membership.user_id, establishment_id=membership.establishment_id, until=None
    )
    if new:
        audit.record(actor=actor, action="cell.member_added", about=cell.pk, why=str(membership.user_id))
        if membership.establishment_id != cell.establishment_id:
            followed = cell.follow_ups.exclude(state=State.CLOSED).select_related("dossier__patient")
            links = [(one.dossier.patient, one.pk) for one in followed]
            patients.grant_care_to(actor=actor, links=links, user_id=membership.user_id)
        live.ping(cell_topic(cell.pk))
    return member


@transaction.atomic
def say_here(*, actor: Actor, cell: Cell, here: bool) -> None:
    """A member says that they are there, for four hours at most, or that they leave: promises are counted on it (D7)."""
    changed = cell.members.of(actor).update(here_until=timezone.now() + HERE if here else None)
    if not changed or not may.in_cell(actor, cell):
        raise NotFound
    live.ping(cell_topic(cell.pk))


@transaction.atomic
def remove_member(*, actor: Actor, cell: Cell, member: CellMember) -> None:
    """End somebody's work in the cell.

    Raises Refused while they have an alert in hand: nobody would see that it has no one; and for the last one of a cell
    that follows patients: nobody would see their alerts.
    """
    if not may.can_manage(actor, cell) or member.cell_id != cell.pk:
        raise NotFound
    Cell.objects.select_for_update(of=("self",)).get(pk=cell.pk)  # of the last two at once, one stays
    if cell.members.filter(pk=member.pk, until=None).update(until=timezone.now()) == 0:
        return
    again = cell.members.filter(user_id=member.user_id, until=None)  # in the name of another establishment
    if not again.exists() and _has_in_hand(cell, member):
        raise Refused(_("Cette personne a une alerte en main : elle la rend ou la termine, ou un collègue la reprend."))
    if not cell.members.at_work().exists() and cell.follow_ups.exclude(state=State.CLOSED).exists():
        raise Refused(
            _(
                "Cette personne est la dernière de la cellule, qui suit encore des patients : ajoutez d’abord un autre "
                "membre, ou passez les patients à une autre cellule."
            )
        )
    audit.record(actor=actor, action="cell.member_removed", about=cell.pk, why=str(member.user_id))
    if not again.exclude(establishment_id=cell.establishment_id).exists():
        patients.end_care_of(actor=actor, abouts=cell.follow_ups.values("pk"), user_id=member.user_id)
    live.ping(cell_topic(cell.pk))


def _has_in_hand(cell: Cell, member: CellMember) -> bool:
    return Alert.objects.filter(follow_up__cell=cell, taken_by_id=member.user_id, state__in=OPEN).exists()
