from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from uuid import UUID

    from relais.core.actor import Actor
    from relais.directory.duties import Named
    from relais.directory.models import Establishment, Service
    from relais.oncall.queries import Duty


class OncallConfig(AppConfig):
    name = "relais.oncall"

    def ready(self) -> None:
        from relais.accounts import departures  # noqa: PLC0415  models are loaded only now
        from relais.core.navigation import NavItem, register  # noqa: PLC0415
        from relais.directory import duties  # noqa: PLC0415
        from relais.oncall import messages, permissions  # noqa: PLC0415
        from relais.oncall.actions.pool import follow_departure  # noqa: PLC0415

        messages.register_all()
        departures.register(follow_departure)
        duties.name_with(named)
        duties.ask_with(asked)
        register(
            NavItem(
                key="oncall",
                label=_("Astreintes"),
                icon="calendar-time",
                url_name="oncall:mine",
                visible=permissions.may_be_on_call,
                order=40,
            )
        )


def named(services: "list[Service]", moment: datetime) -> "dict[UUID, list[Named]]":
    """What the directory shows of the rotas."""
    from relais.directory.duties import Named  # noqa: PLC0415 (models are not ready when this file is read)
    from relais.oncall.queries import duties  # noqa: PLC0415

    found = duties(services, moment)
    return {
        pk: [Named(name=one.name, phone=one.phone, until=one.until, backup=one.rank == "backup") for one in each]
        for pk, each in found.items()
    }


def asked(actor: "Actor", homes: "list[Establishment]", moment: "datetime") -> "dict[UUID, list[Named]]":
    """What the directory shows of who answers for a nursing home, with the service in whose name they do."""
    from relais.directory.duties import Named  # noqa: PLC0415 (models are not ready when this file is read)
    from relais.oncall.queries import known_routes  # noqa: PLC0415

    def name(one: "Duty") -> str:
        return f"{one.name}, {one.service.name}" if one.user else one.name

    return {
        pk: [Named(name=name(one), phone=one.phone, until=one.until, backup=one.rank == "backup") for one in each]
        for pk, each in known_routes(actor, homes, moment).items()
    }
