"""Who answers now, in which order people are asked for a nursing home, and where a rota has holes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.directory.models import Establishment, Need, Service
from relais.oncall.hours import Span, doubled, is_day, next_boundary, opening_spans, uncovered
from relais.oncall.models import Cover, OnCallSlot, PoolMember
from relais.oncall.workflow import ANSWERS

__all__ = [
    "Duty", "duties", "gaps", "is_day", "members", "next_boundary", "on_duty", "overlaps", "route", "services_of",
]  # fmt: skip

PRIMARY, BACKUP, OTHER, NIGHT, SAMU = "primary", "backup", "other_service", "night", "samu"
NEAR = 2  # services of the department that are asked for a nursing home to which none was given


@dataclass(frozen=True)
class Duty:
    """Somebody who answers now. `user` None: the service answers by its line, nobody is named.

    `rank`: primary, backup, other_service, night or samu, as the one who asks sees it; `until`: when the slot ends.
    """

    service: Service
    user: User | None
    name: str
    phone: str
    rank: str
    until: datetime | None = None


def on_duty(service: Service, moment: datetime) -> list[Duty]:
    """The doctor of the slot, then the back-up; who is absent or left is skipped. Empty: nobody is on duty.

    Where an hour is covered twice, the slot that began first comes first.
    """
    return duties([service], moment)[service.pk]


def duties(services: Iterable[Service], moment: datetime) -> dict[UUID, list[Duty]]:
    """`on_duty` of several services by id, in one query."""
    known = {service.pk: service for service in services}
    found: dict[UUID, list[Duty]] = {pk: [] for pk in known}
    slots = OnCallSlot.objects.filter(service__in=known).at(moment).told().select_related("user", "backup")
    doctors: dict[UUID, list[Duty]] = {pk: [] for pk in known}
    backups: dict[UUID, list[Duty]] = {pk: [] for pk in known}
    for slot in slots.order_by("starts_at", "created_at", "id"):
        service = known[slot.service_id]
        if slot.state in ANSWERS and slot.doctor_here:
            doctor = Duty(service, slot.user, slot.user.full_name, slot.phone, PRIMARY, slot.ends_at)
            doctors[service.pk].append(doctor)
        if slot.backup and slot.backup_here:
            phone = slot.backup_phone or service.phone
            backups[service.pk].append(Duty(service, slot.backup, slot.backup.full_name, phone, BACKUP, slot.ends_at))
    for pk in known:
        found[pk] = _each_once([*doctors[pk], *backups[pk]])
    return found


def route(establishment: Establishment, moment: datetime) -> list[Duty]:
    """In which order people are asked for this nursing home at this moment.

    By day (08:00 to 19:00) the doctor of its on-call, the back-up, those of the on-call that stands in; by night the
    regional night duty and its back-up; then always the SAMU of the department, by its line when nobody is named. A
    nursing home to which no on-call was given is answered by those of its department. Services that are closed for good
    are skipped. Empty only where there is no SAMU either: an alarm, which the caller gives.
    """
    covers = Cover.objects.select_related("primary__establishment", "backup__establishment")
    cover = covers.filter(establishment=establishment).first()
    serving = _serving(establishment.department)
    by_need: dict[str, list[Service]] = {need: [] for need in Need.values}
    for service in serving:
        by_need[service.need].append(service)
    asked: list[tuple[Service, str]]  # with the rank of its doctor
    if not is_day(moment):
        asked = [(service, NIGHT) for service in by_need[Need.NIGHT]]
    elif cover:
        asked = [(cover.primary, PRIMARY), *([(cover.backup, OTHER)] if cover.backup else [])]
    else:
        asked = [(service, OTHER) for service in by_need[Need.GERIATRIC]]
    asked = [(service, rank) for service, rank in asked if service.active and service.establishment.active]
    emergency = by_need[Need.SAMU]
    named = duties([*(service for service, _rank in asked), *emergency], moment)
    if is_day(moment) and not cover:
        asked = [(service, rank) for service, rank in asked if named[service.pk]][:NEAR]
    found = [_ranked(duty, rank) for service, rank in asked for duty in named[service.pk]]
    for service in emergency:
        line = Duty(service, None, service.name, service.phone, SAMU)
        found += [_ranked(duty, SAMU) for duty in named[service.pk]] or [line]
    return _each_once(found)


def _serving(department: str) -> list[Service]:
    """The services that an on-call route may take in a department, the nearest (smallest area) first."""
    found = Service.objects.filter(
        need__in=[Need.GERIATRIC, Need.NIGHT, Need.SAMU],
        departments__contains=[department],
        active=True,
        establishment__active=True,
    ).select_related("establishment")
    return sorted(found, key=lambda service: (len(service.departments), service.name, service.pk))


def _ranked(duty: Duty, rank: str) -> Duty:
    """Its doctor has the rank of the service; a back-up stays one where the service is asked for itself."""
    keeps = duty.rank == BACKUP and rank in (PRIMARY, NIGHT)
    return duty if keeps or duty.rank == rank else Duty(**{**vars(duty), "rank": rank})


def _each_once(found: list[Duty]) -> list[Duty]:
    """Nobody is asked twice: the first time counts."""
    once = {duty.user.pk if duty.user else duty.service.pk: duty for duty in reversed(found)}
    return [duty for duty in found if once[duty.user.pk if duty.user else duty.service.pk] is duty]


def members(service: Service) -> QuerySet[PoolMember]:
    """Who answers for a service and is at work, by name, with user and establishment."""
    found = PoolMember.objects.filter(service=service).at_work().select_related("user", "establishment")
    return found.order_by("user__family_name", "user__given_name", "id")


def services_of(actor: Actor) -> QuerySet[Service]:
    """The services for which the actor answers, in the name of the establishment chosen, by name."""
    mine = PoolMember.objects.of(actor).values("service")
    return Service.objects.filter(Q(pk__in=mine), active=True, establishment__active=True).select_related(
        "establishment"
    )


def gaps(service: Service, start: datetime, end: datetime) -> list[Span]:
    """The hours of the service between two instants, longer than 15 minutes, in which neither a doctor nor a back-up answers."""
    wanted = opening_spans(service.opens, service.closes, start, end) if service.active else []
    return uncovered(wanted, _covered(service, start, end))


def overlaps(service: Service, start: datetime, end: datetime) -> list[Span]:
    """The hours that two slots or more cover between two instants."""
    return [Span(max(one.starts_at, start), min(one.ends_at, end)) for one in doubled(_covered(service, start, end))]


def _covered(service: Service, start: datetime, end: datetime) -> list[Span]:
    slots = OnCallSlot.objects.filter(service=service).between(start, end).told().order_by("starts_at", "id")
    return [
        Span(slot.starts_at, slot.ends_at)
        for slot in slots
        if (slot.state in ANSWERS and slot.doctor_here) or slot.backup_here
    ]
