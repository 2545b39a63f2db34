"""What the page shell shows around a page: entries of services, and who the person is. Modules register in ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from relais.core.actor import Actor


def _any_professional(actor: Actor) -> bool:
    return actor.is_professional


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """One entry of the left rail, and of the top banner too when `in_banner` (TC-02).

    `label` is in French (gettext_lazy), `icon` a name of the Tabler outline set, `url_name` is reversed when a page
    is drawn (an entry that does not resolve yet is left out), `visible` says who sees it, `order` sorts.
    """

    key: str
    label: str | Promise
    icon: str
    url_name: str
    visible: Callable[[Actor], bool] = _any_professional
    order: int = 100
    in_banner: bool = False


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The words for an actor, which is only ids: person, role, establishment, and whether there are several of these."""

    name: str
    role: str = ""
    establishment: str = ""
    can_switch: bool = False


# Where a tray stands: the top bar, that of a page whose own list rings already, or a line above a video call.
PAGE, LIST, CALL = "page", "list", "call"
# Something that comes to the person on every page of theirs (somebody waits at their door): HTML, or "" for nothing.
Tray = Callable[[Actor, str], str]
_items: dict[str, NavItem] = {}
_trays: list[Tray] = []
_identify: list[Callable[[Actor], Identity]] = []


def register(item: NavItem) -> None:
    """Add an entry. Registering the same item twice is harmless; two items of one key are a bug."""
    if _items.setdefault(item.key, item) != item:
        raise ValueError(f"Navigation entry {item.key!r} is registered twice.")


def identify_with(function: Callable[[Actor], Identity]) -> None:
    """Say who names actors on screens (the accounts module does)."""
    _identify[:] = [function]


def register_tray(tray: Tray) -> None:
    """Add to professionals' pages and calls. Registering the same twice is harmless."""
    if tray not in _trays:
        _trays.append(tray)


def trays_for(actor: Actor | None, place: str = PAGE) -> list[str]:
    """What comes to this professional now, in an establishment, at PAGE, LIST or CALL."""
    return [html for tray in _trays if (html := tray(actor, place))] if actor and actor.establishment_id else []


def items_for(actor: Actor | None) -> list[NavItem]:
    """The entries that this actor sees, in order."""
    if actor is None:
        return []
    return sorted((item for item in _items.values() if item.visible(actor)), key=lambda item: (item.order, item.key))


def identity_of(actor: Actor | None) -> Identity | None:
    """The words for this actor, or None for nobody."""
    if actor is None or not _identify:
        return None
    return _identify[0](actor)
