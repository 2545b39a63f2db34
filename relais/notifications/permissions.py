"""Who may act on the outbox. Which professional may open what a message is about, its owner module decides."""

from typing import Any

from relais.core.actor import SYSTEM, Actor


def can_move(actor: Actor, message: Any) -> bool:
    """Only the platform itself moves a message along: what happened to it is noted, not decided."""
    return actor.kind == SYSTEM


def can_resend(actor: Actor, message: Any) -> bool:
    """A professional corrects an address and sends again; the caller has opened what the message is about."""
    return actor.is_professional or actor.kind == SYSTEM
