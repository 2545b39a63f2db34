"""What comes back to a dossier from those that were opened from it: each higher module registers in its AppConfig.ready()."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from relais.core.actor import Actor
from relais.dossiers.models import Document, Dossier


@dataclass(frozen=True)
class News:
    """What happened in a sequel, in words that every clinical reader of its origin may read; `document`: what was signed."""

    sequel: Dossier
    text: str
    document: Document | None = None


@dataclass(frozen=True)
class Standing:
    """Where a sequel stands, for readers of its origin who may not open it: at which service, in which state, since when."""

    place: str
    state: str
    since: datetime


Follow = Callable[[Actor, Dossier, News], None]  # who did it, the origin, what happened
Withdraw = Callable[[Actor, Dossier, Document, str], None]  # who, the origin, the document of the sequel, why
Describe = Callable[[Iterable[UUID]], Mapping[UUID, Standing]]  # those never sent are left out

_followers: dict[str, tuple[Follow, Withdraw]] = {}
_described: dict[str, Describe] = {}


def follow(kind: str, told: Follow, withdrawn: Withdraw) -> None:
    """Dossiers of this kind are told of what was opened from them, inside the transaction; their clinical readers see the
    standing of it too."""
    _followers[kind] = (told, withdrawn)


def describe(kind: str, standings: Describe) -> None:
    """How dossiers of this kind stand."""
    _described[kind] = standings


def tell(*, actor: Actor, sequel: Dossier, text: str, document: Document | None = None) -> None:
    """Its origin hears what happened in a dossier; nothing for one that has none, or whose kind does not listen."""
    if sequel.origin and sequel.origin.kind in _followers:
        _followers[sequel.origin.kind][0](actor, sequel.origin, News(sequel, text, document))


def tell_withdrawn(*, actor: Actor, document: Document, why: str) -> None:
    """A document that its origin was given was withdrawn here: it is of the wrong patient there too."""
    origin = document.dossier.origin
    if origin and origin.kind in _followers:
        _followers[origin.kind][1](actor, origin, document, why)


def listens(origin: Dossier) -> bool:
    return origin.kind in _followers


def standings(sequels: Iterable[Dossier]) -> dict[UUID, Standing]:
    """Of each one whose kind describes itself and that was sent."""
    by_kind: dict[str, list[UUID]] = {}
    for one in sequels:
        by_kind.setdefault(one.kind, []).append(one.pk)
    return {pk: one for kind, ids in by_kind.items() if kind in _described for pk, one in _described[kind](ids).items()}
