"""Who is on duty now, for the pages of the directory: the module that keeps the rotas says so, in its ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from relais.core.actor import Actor
from relais.directory.models import Establishment, Service


@dataclass(frozen=True, kw_only=True)
class Named:
    """Somebody who answers for a service now, and until when; `backup` stands behind another."""

    name: str
    phone: str
    until: datetime | None
    backup: bool


Name = Callable[[list[Service], datetime], dict[UUID, list[Named]]]

Ask = Callable[[Actor, list[Establishment], datetime], dict[UUID, list[Named]]]

_name: list[Name] = []
_ask: list[Ask] = []


def name_with(function: Name) -> None:
    """Say who names those on duty: services and a moment in, those who answer by service id out, doctor first."""
    _name[:] = [function]


def on_duty(services: list[Service], moment: datetime) -> dict[UUID, list[Named]]:
    """Who answers for each service at this moment, by its id; empty where nobody is named."""
    return _name[0](services, moment) if _name else {}


def ask_with(function: Ask) -> None:
    """Say who knows the order in which people are asked for nursing homes: who looks, the homes and a moment in, those who
    are asked by home id out, without the homes of which one may not know it."""
    _ask[:] = [function]


def asked_for(actor: Actor, homes: list[Establishment], moment: datetime) -> dict[UUID, list[Named]]:
    """Who answers for each nursing home at this moment, by its id, as far as this actor may know it."""
    return _ask[0](actor, homes, moment) if _ask and homes else {}
