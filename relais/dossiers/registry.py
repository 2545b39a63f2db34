"""The kinds of dossier that exist: each workflow registers its own in its AppConfig.ready."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from relais.core.actor import Actor


@dataclass(frozen=True)
class Kind:
    """What `dossiers` must know of a workflow, and nothing more (no default, no ninth field: see architecture.md)."""

    key: str
    label: str
    prefix: str  # of references: "TC" gives TC-7KQ4-M2XD
    may_read: Callable[[Actor], bool]  # may this actor read the clinical content
    url_name: str  # reverse(url_name, args=[dossier.id]) is its page
    phases: Mapping[str, str]  # state of the workflow -> Phase


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    KINDS[kind.key] = kind
