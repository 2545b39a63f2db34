"""Who may do what at the doors of rooms, in sentences."""

from typing import Any

from relais.accounts.models import Membership
from relais.core.actor import Actor
from relais.directory.models import Establishment, Kind, Need, Service
from relais.meetings.models import NEEDS
from relais.meetings.queries import duty
from relais.meetings.topics import MEETING, ON_DUTY
from relais.rooms.models import Invitation


def can_see_places(actor: Actor) -> bool:
    """Every professional in an establishment finds the rooms, and may at least knock (VR-03, VR-04)."""
    return actor.is_professional and actor.establishment_id is not None


def is_on_duty(actor: Actor) -> bool:
    """Whoever works in a SAMU, or answers for a geriatric on-call, the night duty, a SAMU or a mobile team (VR-02)."""
    if not can_see_places(actor):
        return False
    samu = Establishment.objects.filter(pk=actor.here, kind=Kind.SAMU, active=True)
    return samu.exists() or duty.services_of(actor).filter(need__in=(*NEEDS, Need.SAMU)).exists()


def is_of(actor: Actor, owner: Establishment | Service) -> bool:
    """The room is one's own: one works in the establishment, or answers for the service.

    A service for which nobody is named is answered by the caregivers of its establishment.
    """
    if not can_see_places(actor):
        return False
    if isinstance(owner, Establishment):
        return actor.here == owner.pk
    return duty.answered(actor).filter(pk=owner.pk).exists()


def can_enter_at_once(actor: Actor, owner: Establishment | Service) -> bool:
    """Those of the place, and those on duty who were called before; anybody else knocks and waits (VR-01, VR-02)."""
    return is_of(actor, owner) or is_on_duty(actor)


def still_welcome(invitation: Invitation) -> bool:
    """Asked at each request of a permanent room or a meeting: whoever left the establishment they came from is out."""
    ours = any(one == ON_DUTY or one.startswith(MEETING) for one in invitation.room.topics)
    if not ours or not invitation.authenticated:
        return True  # of another workflow; or a guest, whom the state of the meeting lets in or not
    return works(invitation.holder_id, invitation.establishment_id)


def works(user_id: Any, establishment_id: Any) -> bool:
    return Membership.objects.at_work().filter(user_id=user_id, establishment_id=establishment_id).exists()
