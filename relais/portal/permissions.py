"""Who may do what with a request for help, in sentences."""

from typing import Any

from relais.accounts.models import HELP_DESK
from relais.core.actor import Actor


def can_serve(actor: Actor) -> bool:
    """Agents of the help desk, and nobody else, see everybody's requests."""
    return actor.is_professional and actor.has_role(HELP_DESK)


def can_answer(actor: Actor, ticket: Any) -> bool:
    """Agents answer every request."""
    return can_serve(actor)


def asked(actor: Actor, ticket: Any) -> bool:
    """The person who asked: the same account, the same patient's key, or whoever showed number and contact (`about`)."""
    if actor.kind == "visitor":
        return actor.about == ticket.id
    if actor.grant_id:
        return actor.grant_id == ticket.grant_id
    return actor.user_id is not None and actor.user_id == ticket.user_id


def can_reply(actor: Actor, ticket: Any) -> bool:
    """The person who asked adds to their request, even once it is resolved: it is then open again."""
    return asked(actor, ticket)


def can_close(actor: Actor, ticket: Any) -> bool:
    """The person who asked and the agents say that a request is resolved."""
    return asked(actor, ticket) or can_serve(actor)


def can_reopen(actor: Actor, ticket: Any) -> bool:
    """Agents open a resolved request again; the person who asked does so by writing in it."""
    return can_serve(actor)
