"""Scenes of pools for tests."""

import itertools
from datetime import datetime, time
from typing import Any

from relais.accounts.models import Membership
from relais.accounts.testing import make_establishment, make_practitioner
from relais.directory.models import Establishment, Need, Service
from relais.oncall.models import Cover, OnCallSlot, PoolMember

_numbers = itertools.count(1)


def join(service: Service, member: Membership) -> PoolMember:
    """This member answers for the service."""
    return PoolMember.objects.create(service=service, user=member.user, establishment=member.establishment)


def make_service(need: str = Need.GERIATRIC, establishment: Establishment | None = None, **fields: Any) -> Service:
    """A service of the directory: an on-call of Paris by day, the night duty, a SAMU or an expert day and night."""
    hours = {Need.GERIATRIC: (time(8), time(19)), Need.NIGHT: (time(19), time(8))}.get(Need(need), (time(0), time(0)))
    values = {
        "name": f"Service {next(_numbers)}", "departments": ["75"], "opens": hours[0], "closes": hours[1],
        "phone": "01 99 00 12 34", "ways": ["phone"],
    }  # fmt: skip
    place = establishment or make_establishment(kind="hospital")
    return Service.objects.create(establishment=place, need=need, **{**values, **fields})


def make_pool(service: Service, *names: str) -> list[Membership]:
    """Practitioners of the service's establishment who answer for it, by family name."""
    made = [make_practitioner(service.establishment, family_name=name) for name in names]
    for member in made:
        join(service, member)
    return made


def make_slot(
    service: Service, member: Membership, starts_at: datetime, ends_at: datetime, backup: Membership | None = None,
    **fields: Any,
) -> OnCallSlot:  # fmt: skip
    """A slot of this member, who is in the pool; `backup` stands behind them."""
    return OnCallSlot.objects.create(
        service=service,
        user=member.user,
        establishment=member.establishment,
        starts_at=starts_at,
        ends_at=ends_at,
        phone=fields.pop("phone", "06 39 98 00 01"),
        backup=backup.user if backup else None,
        backup_phone="06 39 98 00 02" if backup else "",
        **fields,
    )


def cover(establishment: Establishment, primary: Service, backup: Service | None = None) -> Cover:
    """These on-calls answer for the nursing home."""
    return Cover.objects.create(establishment=establishment, primary=primary, backup=backup)
