"""A practitioner's weekly hours and days off."""

from datetime import date, time, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.paris import midnight
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.models import Absence, Opening


def _check(actor: Actor, practitioner_id: UUID) -> None:
    """Members of the establishment keep the agenda of its practitioners."""
    if not may.can_book(actor) or practitioner_id not in {user.pk for user in queries.practitioners(actor.here)}:
        raise NotFound


@transaction.atomic
def add_opening(
    *, actor: Actor, practitioner_id: UUID, weekday: int, starts: time, ends: time, minutes: int
) -> Opening:
    """Offer slots of `minutes` each week; hours that overlap other hours of that day are refused."""
    _check(actor, practitioner_id)
    User.objects.select_for_update(of=("self",)).get(pk=practitioner_id)  # of two who add at once one sees the other
    if Opening.objects.filter(
        practitioner_id=practitioner_id, weekday=weekday, starts__lt=ends, ends__gt=starts
    ).exists():
        raise Refused(_("Ces heures chevauchent d’autres heures du même jour."), field="starts")
    opening = Opening.objects.create(
        practitioner_id=practitioner_id, establishment_id=actor.here,
        weekday=weekday, starts=starts, ends=ends, minutes=minutes,
    )  # fmt: skip
    audit.record(actor=actor, action="opening.added", about=practitioner_id)
    return opening


@transaction.atomic
def remove_opening(*, actor: Actor, opening_id: UUID) -> None:
    """Offer these hours no longer; appointments already given stay."""
    opening = Opening.objects.filter(pk=opening_id, establishment_id=actor.here).first()
    if not opening:
        raise NotFound
    _check(actor, opening.practitioner_id)
    audit.record(actor=actor, action="opening.removed", about=opening.practitioner_id)
    opening.delete()


@transaction.atomic
def add_absence(*, actor: Actor, practitioner_id: UUID, first: date, last: date, label: str) -> Absence:
    """Days off, both included; appointments already given stay and are shown."""
    _check(actor, practitioner_id)
    absence = Absence.objects.create(
        practitioner_id=practitioner_id,
        starts_at=midnight(first),
        ends_at=midnight(last + timedelta(days=1)),
        label=label,
    )
    audit.record(actor=actor, action="absence.added", about=practitioner_id)
    return absence


@transaction.atomic
def remove_absence(*, actor: Actor, absence_id: UUID) -> None:
    """Offer slots again on these days."""
    absence = Absence.objects.filter(pk=absence_id).first()
    if not absence:
        raise NotFound
    _check(actor, absence.practitioner_id)
    audit.record(actor=actor, action="absence.removed", about=absence.practitioner_id)
    absence.delete()
