"""Who may manage professionals."""

from uuid import UUID

from relais.accounts.models import HELP_DESK, Role
from relais.core.actor import SYSTEM, Actor


def can_manage_members(actor: Actor, establishment_id: UUID | None) -> bool:
    """The manager of the establishment that they chose for this session, or the system (imports, demo region)."""
    if actor.kind == SYSTEM:
        return True
    return actor.has_role(Role.MANAGER) and establishment_id is not None and actor.establishment_id == establishment_id


def can_create_professional(actor: Actor) -> bool:
    """A manager, for the establishment they manage, or the system."""
    return actor.kind == SYSTEM or actor.has_role(Role.MANAGER)


def can_remove_factors(actor: Actor) -> bool:
    """An agent of the support, who made sure by telephone of the person's identity, or the operator of the system."""
    return actor.kind == SYSTEM or actor.has_role(HELP_DESK)
