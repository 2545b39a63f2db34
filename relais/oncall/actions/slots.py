"""Slots of a rota: added, moved and taken out by the referent; confirmed by their doctor; absences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.core import times, workflow
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.oncall import messages
from relais.oncall import permissions as may
from relais.oncall.actions.pool import changed, lock
from relais.oncall.hours import meet
from relais.oncall.models import OnCallSlot, PoolMember, Replacement
from relais.oncall.workflow import AskState, SlotState

LONGEST = timedelta(days=8)  # a week on call, and the hour more of the end of October
AHEAD = timedelta(days=400)
MOST = 500  # slots at once


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is said of a slot: users are members of the pool; an empty telephone is the one they gave, else the line."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    phone: str = ""
    backup_id: UUID | None = None
    backup_phone: str = ""


@whole
def add_slots(*, actor: Actor, service: Service, said: Sequence[Said]) -> list[OnCallSlot]:
    """Add slots, all or none; their doctors are told once each.

    Raises NotFound for who does not manage the rota, Refused for somebody who does not answer for the service, hours that
    cannot be, and a doctor who would be on call twice at once. Two doctors at once are allowed, and said on the page.
    """
    if not may.can_manage(actor, service):
        raise NotFound
    if not 0 < len(said) <= MOST:
        raise Refused(_("Ajoutez de 1 à %d créneaux à la fois.") % MOST)
    lock(service)
    pool = _pool(service)
    made = [_slot(service, pool, one) for one in said]
    _insert(made)
    changed(actor, service.pk, "slots_added", ngettext("%(n)d créneau", "%(n)d créneaux", len(made)) % {"n": len(made)})
    messages.tell_rota(service, {one.user_id for one in made} - {actor.user_id})
    return made


def _pool(service: Service) -> dict[UUID, PoolMember]:
    members = PoolMember.objects.filter(service=service).on_call().select_related("user")
    return {one.user_id: one for one in members}


def check_hours(starts_at: datetime, ends_at: datetime) -> None:
    """Raises Refused for hours that cannot be those of a slot."""
    now = timezone.now()
    if ends_at <= starts_at:
        raise Refused(_("La fin vient avant le début : vérifiez les heures."), field="ends")
    if ends_at - starts_at > LONGEST:
        raise Refused(_("Une astreinte dure au plus huit jours : vérifiez les dates."), field="ends")
    if ends_at <= now:
        raise Refused(_("Cette astreinte est déjà passée : vérifiez la date."), field="day")
    if starts_at > now + AHEAD:
        raise Refused(_("Cette date est trop loin : le planning se prépare treize mois à l’avance."), field="day")


def _slot(service: Service, pool: dict[UUID, PoolMember], said: Said) -> OnCallSlot:
    check_hours(said.starts_at, said.ends_at)
    member, backup = pool.get(said.user_id), pool.get(said.backup_id) if said.backup_id else None
    if member is None:
        raise Refused(_("Choisissez un médecin parmi ceux qui répondent pour ce service."), field="user")
    if said.backup_id and backup is None:
        raise Refused(_("Choisissez le renfort parmi ceux qui répondent pour ce service."), field="backup")
    if said.backup_id == said.user_id:
        raise Refused(_("Le renfort est une autre personne que le médecin d’astreinte."), field="backup")
    return OnCallSlot(
        service=service,
        user=member.user,
        establishment_id=member.establishment_id,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        phone=said.phone or phone_of(member, service),
        backup=backup.user if backup else None,
        backup_phone=(said.backup_phone or phone_of(backup, service)) if backup else "",
    )


def phone_of(member: PoolMember, service: Service) -> str:
    """Where somebody is called when nothing else was said: their mobile, else the line of the service."""
    return member.user.shown_mobile or service.phone


def _insert(slots: list[OnCallSlot]) -> None:
    try:
        with transaction.atomic():
            OnCallSlot.objects.bulk_create(slots)
    except IntegrityError:
        raise Refused(_twice(slots)) from None


def _twice(slots: Iterable[OnCallSlot]) -> str:
    """Who would be on call twice at once, and when."""
    kept: list[OnCallSlot] = []
    for one in slots:
        there = OnCallSlot.objects.filter(service=one.service, user=one.user).between(one.starts_at, one.ends_at)
        beside = [each for each in kept if each.user_id == one.user_id and meet(each, one)]
        if beside or there.exclude(pk=one.pk).exists():
            return _("%(who)s est déjà d’astreinte à ce moment-là : %(when)s.") % {
                "who": one.user.full_name, "when": times.full(one.starts_at),
            }  # fmt: skip
        kept.append(one)
    return _("Le planning vient de changer : rechargez la page.")


@whole
def change_slot(*, actor: Actor, slot: OnCallSlot, said: Said) -> OnCallSlot:
    """Other hours, telephones or back-up for a slot that is not over; its doctor stays, and is told of other hours.

    Other hours are to be confirmed again, and take back a request to be replaced. Raises as `add_slots`; Refused also for
    another beginning of a slot that has begun.
    """
    service = _managed(actor, slot)
    locked = OnCallSlot.objects.select_for_update(of=("self",)).select_related("user").get(pk=slot.pk)
    now = timezone.now()
    if locked.ends_at <= now or locked.state == SlotState.REPLACED:
        raise Refused(_("Cette astreinte est passée ou reprise par quelqu’un d’autre : elle ne se modifie plus."))
    if said.starts_at != locked.starts_at and min(said.starts_at, locked.starts_at) <= now:
        raise Refused(_("Cette astreinte a commencé : seule sa fin peut changer."), field="starts")
    wanted = _slot(service, {**_pool(service), **_still(locked)}, said)
    moved = (wanted.starts_at, wanted.ends_at) != (locked.starts_at, locked.ends_at)
    if moved and locked.state == SlotState.ABSENT:
        raise Refused(_("Le médecin est absent : annulez d’abord l’absence, ou ajoutez un autre créneau."))
    for name in ("starts_at", "ends_at", "phone", "backup", "backup_phone"):
        setattr(locked, name, getattr(wanted, name))
    try:
        with transaction.atomic():
            locked.save(update_fields=["starts_at", "ends_at", "phone", "backup", "backup_phone"])
    except IntegrityError:
        raise Refused(_twice([locked])) from None
    if moved:
        workflow.apply(locked, "move", actor, silent)
        take_back_requests(actor, locked)
        messages.tell_rota(service, {locked.user_id} - {actor.user_id})
    changed(actor, service.pk, "slot_changed", str(locked.pk))
    return locked


def _still(slot: OnCallSlot) -> dict[UUID, PoolMember]:
    """The doctor of a slot that is there, even one who left meanwhile: its back-up must be changed all the same."""
    return {slot.user_id: PoolMember(service=slot.service, user=slot.user, establishment_id=slot.establishment_id)}


def _managed(actor: Actor, slot: OnCallSlot) -> Service:
    service = lock(slot.service)
    if not may.can_manage(actor, service):
        raise NotFound
    return service


def silent(obj: Any, verb: str, actor: Actor, source: str) -> None:
    """The trace is written by `changed`."""


def take_back_requests(actor: Actor, slot: OnCallSlot) -> None:
    """What was asked of hours or of a doctor that changed is asked no more."""
    open_ones = Replacement.objects.filter(state=AskState.ASKED)
    for one in (*open_ones.filter(slot=slot), *open_ones.filter(against=slot)):
        workflow.apply(one, "cancel", actor, silent)


@whole
def remove_slot(*, actor: Actor, slot: OnCallSlot) -> None:
    """Take out a slot that has not begun; its doctor is told. Raises NotFound, and Refused for one that has begun."""
    service = _managed(actor, slot)
    found = OnCallSlot.objects.filter(pk=slot.pk).first()
    if found is None:
        return
    if found.starts_at <= timezone.now():
        raise Refused(
            _("Cette astreinte a commencé : déclarez l’absence du médecin, ou changez l’heure de fin."), field="starts"
        )
    found.delete()
    messages.tell_rota(service, {found.user_id} - {actor.user_id})
    changed(actor, service.pk, "slot_removed", str(found.user_id))


@whole
def confirm(*, actor: Actor, slot: OnCallSlot) -> OnCallSlot:
    """The doctor says that they will be there."""
    return _move(actor, slot, "confirm", "slot_confirmed")


@whole
def mark_absent(*, actor: Actor, slot: OnCallSlot) -> OnCallSlot:
    """The doctor is not there: the back-up answers, else the next service. The referents are told when the doctor says it.

    Raises NotFound for who is neither its doctor nor its referent, Refused once the slot is over.
    """
    moved = _move(actor, slot, "mark_absent", "absent")
    if actor.user_id == moved.user_id:
        messages.tell_referents(messages.ABSENT, moved.service, {"day": times.full(moved.starts_at)})
    else:
        messages.tell_rota(moved.service, {moved.user_id})
    return moved


@whole
def mark_present(*, actor: Actor, slot: OnCallSlot) -> OnCallSlot:
    """The absence is taken back: the doctor is planned again."""
    return _move(actor, slot, "mark_present", "present")


def _move(actor: Actor, slot: OnCallSlot, verb: str, act: str) -> OnCallSlot:
    lock(slot.service)
    moved: OnCallSlot = workflow.apply(slot, verb, actor, silent)
    if moved.ends_at <= timezone.now():
        raise Refused(_("Cette astreinte est passée."))
    changed(actor, moved.service_id, act, str(moved.pk))
    return moved
