"""Where a way in leads: each workflow registers the space of what its grants are about, in its AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from relais.patients import entry


@dataclass(frozen=True, kw_only=True)
class Space:
    """`opens` says whether what a grant is about is this workflow's; `url_name` is the first page."""

    url_name: str
    opens: Callable[[UUID], bool]


_spaces: dict[str, Space] = {}


def register(space: Space) -> None:
    """Add a space. Registering the same twice is harmless."""
    _spaces[space.url_name] = space


def home_of(about: UUID | None) -> str:
    """The url name of the page on which the holder of a grant about this lands."""
    found = (space.url_name for space in _spaces.values() if about and space.opens(about))
    return next(found, entry.AFTER_ENTRY)
