"""Who may do what in the directory, in sentences."""

from relais.core.actor import SYSTEM, Actor


def can_import(actor: Actor) -> bool:
    """The national file is imported by an operator at the command line, who acts for the system."""
    return actor.kind == SYSTEM
