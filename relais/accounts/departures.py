"""What must follow when somebody leaves an establishment or changes role: higher modules register in their ready()."""

from collections.abc import Callable
from uuid import UUID

from relais.core.actor import Actor

Follow = Callable[[Actor, UUID], None]  # who did it, and the user who left or has another role

_followers: list[Follow] = []


def register(follow: Follow) -> None:
    """`follow(actor, user_id)` runs at the end of the transaction. Registering the same twice is harmless."""
    if follow not in _followers:
        _followers.append(follow)


def tell(actor: Actor, user_id: UUID) -> None:
    for follow in _followers:
        follow(actor, user_id)
