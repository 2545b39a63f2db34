"""What rings on every page of whoever is on call, beside the doors of their rooms: each higher module registers its own in its
AppConfig.ready(). The top bar (meetings/views/places.py) knows who is on call from the one query that it makes anyway."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from relais.core.actor import Actor
from relais.directory.models import Establishment, Need


@dataclass(frozen=True)
class Bell:
    """The topics that it hears, and its HTML now: "" while nothing rings."""

    topics: list[str]
    html: str


# With whoever looks, their establishment, the services for which they answer now and where it stands (core.navigation: PAGE,
# LIST, which rings by itself, or CALL, which one does not leave); None for whom it never rings.
Ring = Callable[[Actor, Establishment, list[UUID], str], Bell | None]

_rings: dict[Ring, frozenset[Need]] = {}


def register(ring: Ring, needs: Iterable[Need]) -> None:
    """`ring` hears of services of these needs. Registering the same twice is harmless."""
    _rings[ring] = frozenset(needs)


def needs() -> list[Need]:
    """Those whose on-call something may ring."""
    return sorted(frozenset[Need]().union(*_rings.values()))


def heard(actor: Actor, here: Establishment, services: list[UUID], place: str) -> list[Bell]:
    return [bell for ring in _rings if (bell := ring(actor, here, services, place))]
