"""What must follow a change of a rota: each higher module registers its own in its AppConfig.ready()."""

from collections.abc import Callable
from uuid import UUID

Follow = Callable[[UUID], None]  # with the id of the service whose rota or pool has changed

_followers: list[Follow] = []


def register(follow: Follow) -> None:
    """`follow(service_id)` runs at the end of the transaction of each change. Registering the same twice is harmless."""
    if follow not in _followers:
        _followers.append(follow)


def tell(service_id: UUID) -> None:
    """Called last by every action that changes who answers, inside its transaction; what a follower raises undoes it."""
    for follow in _followers:
        follow(service_id)
