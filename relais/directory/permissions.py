"""Who may do what in the directory, in sentences."""

from relais.core.actor import SYSTEM, Actor
from relais.directory.models import Service


def can_import(actor: Actor) -> bool:
    """The national file is imported by an operator at the command line, who acts for the system."""
    return actor.kind == SYSTEM


def can_describe(actor: Actor) -> bool:
    """Its managers say what their establishment offers."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role("manager")


def can_change(actor: Actor, service: Service) -> bool:
    """A service is changed by the managers of its establishment."""
    return can_describe(actor) and actor.here == service.establishment_id
