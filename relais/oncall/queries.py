"""Who answers now, in which order people are asked for a nursing home, and where a rota has holes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from relais.accounts.models import Role, User
from relais.core.actor import Actor
from relais.core.paris import PARIS, midnight
from relais.directory.models import Establishment, Kind, Need, Service
from relais.oncall.hours import Span, doubled, is_day, meet, opening_spans, uncovered
from relais.oncall.models import Cover, OnCallSlot, PoolMember, Replacement
from relais.oncall.workflow import ANSWERS, AskState

PRIMARY, BACKUP, OTHER, NIGHT, SAMU = "primary", "backup", "other_service", "night", "samu"
ROUTED = (Need.GERIATRIC, Need.NIGHT, Need.SAMU)  # services that a route may take
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


@dataclass(frozen=True)
class Answering:
    """Who picks up now for a service. `instead`: the service that answers in its place; without a `duty` nobody is named,
    and `phone` is called; `by_home`: by day the on-call of each nursing home answers, not the night duty."""

    duty: Duty | None
    instead: Service | None
    phone: str
    by_home: bool = False


def telephones(user_id: UUID, services: Any, moment: datetime) -> list[str]:
    """Where somebody is called who is on duty now for one of these services: the telephones of their slots as doctor, then of
    those that they stand behind, as they were written."""
    slots = list(OnCallSlot.objects.filter(service__in=services).at(moment).order_by("starts_at", "created_at", "id"))
    mine = [slot.phone for slot in slots if slot.user_id == user_id and slot.state in ANSWERS]
    return mine + [slot.backup_phone for slot in slots if slot.backup_id == user_id and slot.backup_phone]


def answering(services: Iterable[Service], moment: datetime) -> dict[UUID, Answering]:
    """Who answers of several services by id, in two queries: who is on duty there, else the night duty (of an on-call, at
    night), else the SAMU of its department (of an on-call or the night duty), else its own line."""
    asked = list(services)
    places = sorted({department for service in asked for department in service.departments})
    near = Service.objects.filter(
        need__in=[Need.NIGHT, Need.SAMU], departments__overlap=places, active=True, establishment__active=True
    )
    others = sorted(near.select_related("establishment"), key=_smallest) if places else []
    named = duties([*asked, *others], moment)
    return {service.pk: _answering(service, others, named, moment) for service in asked}


def _answering(service: Service, others: list[Service], named: dict[UUID, list[Duty]], moment: datetime) -> Answering:
    if own := next(iter(named[service.pk]), None):
        return Answering(own, None, own.phone)
    if service.need == Need.NIGHT and is_day(moment):
        return Answering(None, None, service.phone, by_home=True)
    relays: list[str] = []
    if service.need in (Need.GERIATRIC, Need.NIGHT):
        at_night = service.need == Need.GERIATRIC and not is_day(moment)
        relays = [Need.NIGHT, Need.SAMU] if at_night else [Need.SAMU]
    for need in relays:
        for other in others:
            if other.need != need or service.departments[0] not in other.departments or other.pk == service.pk:
                continue
            line = Duty(other, None, other.name, other.phone, SAMU)
            if duty := next(iter(named[other.pk]), line if need == Need.SAMU else None):
                return Answering(duty, other, duty.phone)
    return Answering(None, None, service.phone)


def route(establishment: Establishment, moment: datetime) -> list[Duty]:
    """In which order people are asked for this nursing home at this moment.

    By day (08:00 to 19:00) the doctor of its on-call, the back-up, those of the on-call that stands in; by night the
    regional night duty and its back-up; then always the SAMU of the department, by its line when nobody is named. A
    nursing home to which no on-call was given is answered by those of its department. Services that are closed for good
    are skipped. Empty only where there is no SAMU either: an alarm, which the caller gives.
    """
    return routes([establishment], moment)[establishment.pk]


def routes(establishments: Iterable[Establishment], moment: datetime) -> dict[UUID, list[Duty]]:
    """`route` of several nursing homes by id, in three queries."""
    found = _asked(establishments, moment)
    services = [[*(service for service, _rank in asked), *emergency] for asked, emergency in found.values()]
    named = duties([service for each in services for service in each], moment)
    return {pk: _route(asked, emergency, named) for pk, (asked, emergency) in found.items()}


def _route(asked: list[tuple[Service, str]], emergency: list[Service], named: dict[UUID, list[Duty]]) -> list[Duty]:
    if asked and asked[0][1] == OTHER:  # none was given to it
        asked = [(service, rank) for service, rank in asked if named[service.pk]][:NEAR]
    found = [_ranked(duty, rank) for service, rank in asked for duty in named[service.pk]]
    for service in emergency:
        line = Duty(service, None, service.name, service.phone, SAMU)
        found += [_ranked(duty, SAMU) for duty in named[service.pk]] or [line]
    return _each_once(found)


def known_routes(actor: Actor, establishments: Iterable[Establishment], moment: datetime) -> dict[UUID, list[Duty]]:
    """`route` of those of these nursing homes of which the actor may know it: the one where they work; all of them for
    whoever works in a SAMU, answers for an on-call, the night duty or a SAMU, or keeps its rota."""
    if actor.establishment_id is None:
        return {}
    everywhere = (
        rotas_of(actor).filter(need__in=ROUTED).exists()
        or Establishment.objects.filter(pk=actor.establishment_id, kind=Kind.SAMU).exists()
    )
    return routes([one for one in establishments if everywhere or one.pk == actor.establishment_id], moment)


def asked_services(establishment: Establishment, moment: datetime) -> list[Service]:
    """The services that should answer for this nursing home at this moment, whether somebody is on duty there or not; the
    SAMU left out."""
    return [service for service, _rank in _asked([establishment], moment)[establishment.pk][0]]


Asked = tuple[list[tuple[Service, str]], list[Service]]


def _asked(establishments: Iterable[Establishment], moment: datetime) -> dict[UUID, Asked]:
    """For each nursing home the services of its route with the rank of their doctors, and the SAMU of its department."""
    homes, by_day = list(establishments), is_day(moment)
    covers = Cover.objects.select_related("primary__establishment", "backup__establishment")
    given = {cover.establishment_id: cover for cover in covers.filter(establishment__in=homes)}
    serving = _serving({home.department for home in homes})
    found: dict[UUID, Asked] = {}
    for home in homes:
        by_need: dict[str, list[Service]] = {need: [] for need in ROUTED}
        for service in serving:
            if home.department in service.departments:
                by_need[service.need].append(service)
        asked: list[tuple[Service, str]]
        if not by_day:
            asked = [(service, NIGHT) for service in by_need[Need.NIGHT]]
        elif cover := given.get(home.pk):
            asked = [(cover.primary, PRIMARY), *([(cover.backup, OTHER)] if cover.backup else [])]
        else:
            asked = [(service, OTHER) for service in by_need[Need.GERIATRIC]]
        live = [one for one in asked if one[0].active and one[0].establishment.active]
        found[home.pk] = live, by_need[Need.SAMU]
    return found


def counted_on() -> Q:
    """The services on which a nursing home counts: those that it was given to, and its night duty.

    Not the SAMU, whose line answers; nor, where a home was given to none, those of its department: `route` takes the ones
    that have somebody on duty.
    """
    homes = Establishment.objects.filter(kind=Kind.EHPAD, active=True)
    given = Cover.objects.filter(establishment__in=homes)
    departments = list(homes.order_by().values_list("department", flat=True).distinct())
    attached = Q(pk__in=given.values("primary")) | Q(pk__in=given.exclude(backup=None).values("backup"))
    return attached | Q(need=Need.NIGHT, departments__overlap=departments)


def _serving(departments: Iterable[str]) -> list[Service]:
    """The services that an on-call route may take in these departments, the nearest (smallest area) first."""
    found = Service.objects.filter(
        need__in=ROUTED,
        departments__overlap=sorted(departments),
        active=True,
        establishment__active=True,
    ).select_related("establishment")
    return sorted(found, key=_smallest)


def _smallest(service: Service) -> tuple[int, str, UUID]:
    return len(service.departments), service.name, service.pk


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


def doctors(service: Service) -> QuerySet[PoolMember]:
    """Those of them who may stand in its rota."""
    found = PoolMember.objects.filter(service=service).on_call().select_related("user", "establishment")
    return found.order_by("user__family_name", "user__given_name", "id")


def services_of(actor: Actor) -> QuerySet[Service]:
    """The services for which the actor answers, in the name of the establishment chosen, by name."""
    mine = PoolMember.objects.of(actor).values("service")
    return Service.objects.filter(Q(pk__in=mine), active=True, establishment__active=True).select_related(
        "establishment"
    )


def on_call_ids(actor: Actor, needs: Iterable[Need], moment: datetime) -> ArraySubquery:
    """The services of these needs for which the actor answers now, by id, beside a row that is read anyway: those whose slot
    is theirs or stands behind them, and those of their pool while nobody is in the rota."""
    slots = OnCallSlot.objects.at(moment).filter(service=OuterRef("service"))
    theirs = slots.filter(Q(user=actor.user_id, state__in=ANSWERS) | Q(backup=actor.user_id))
    mine = PoolMember.objects.of(actor).filter(service__need__in=list(needs), service__active=True)
    return ArraySubquery(mine.filter(Exists(theirs) | ~Exists(slots)).order_by().values("service"))


def gaps(service: Service, start: datetime, end: datetime) -> list[Span]:
    """The hours of the service between two instants, longer than 15 minutes, in which neither a doctor nor a back-up answers."""
    return holes([service], start, end)[service.pk]


def holes(services: Iterable[Service], start: datetime, end: datetime) -> dict[UUID, list[Span]]:
    """`gaps` of several services by id, in one query."""
    known = {service.pk: service for service in services}
    covered: dict[UUID, list[Span]] = {pk: [] for pk in known}
    slots = OnCallSlot.objects.filter(service__in=known).between(start, end).told()
    for slot in slots.order_by("starts_at", "id"):
        if _answered(slot):
            covered[slot.service_id].append(Span(slot.starts_at, slot.ends_at))
    return {pk: _holes(service, covered[pk], start, end) for pk, service in known.items()}


def _holes(service: Service, covered: list[Span], start: datetime, end: datetime) -> list[Span]:
    hours = (service.opens, service.closes, start, end, service.days)
    wanted = opening_spans(*hours) if service.active else []
    return uncovered(wanted, covered)


def _doubled(covered: list[Span], start: datetime, end: datetime) -> list[Span]:
    return [Span(max(one.starts_at, start), min(one.ends_at, end)) for one in doubled(covered)]


def _answered(slot: OnCallSlot) -> bool:
    return (slot.state in ANSWERS and slot.doctor_here) or slot.backup_here


@dataclass(frozen=True)
class Day:
    """One day of a rota: the slots, holes and double hours that begin on it (on the first day: that go on from before)."""

    day: date
    slots: list[OnCallSlot]
    gaps: list[Span]
    doubled: list[Span]

    @property
    def rows(self) -> list[tuple[str, Any]]:
        """What the day shows, by hour: `gap`, `slot` or `double`, with its span."""
        told = [("gap", one) for one in self.gaps] + [("slot", one) for one in self.slots]
        return sorted([*told, *(("double", one) for one in self.doubled)], key=lambda row: row[1].starts_at)


def week(service: Service, monday: date) -> list[Day]:
    """Seven days of a rota, with doctors, back-ups and the requests that wait, in two queries."""
    start, end = midnight(monday), midnight(monday + timedelta(days=7))
    waiting = Prefetch(
        "replacements", Replacement.objects.filter(state=AskState.ASKED).select_related("asked"), to_attr="waiting"
    )
    slots = list(
        OnCallSlot.objects.filter(service=service)
        .between(start, end)
        .told()
        .select_related("user", "backup")
        .prefetch_related(waiting)
        .order_by("starts_at", "created_at", "id")
    )
    covered = [Span(slot.starts_at, slot.ends_at) for slot in slots if _answered(slot)]
    empty, double = _holes(service, covered, start, end), _doubled(covered, start, end)

    def of(day: date, found: list[Any]) -> list[Any]:
        return [one for one in found if max(one.starts_at, start).astimezone(PARIS).date() == day]

    days = [monday + timedelta(days=number) for number in range(7)]
    return [Day(day, of(day, slots), of(day, empty), of(day, double)) for day in days]


def slots_of(actor: Actor, start: datetime, end: datetime) -> QuerySet[OnCallSlot]:
    """The actor's own slots, in the name of any establishment, with what waits for an answer."""
    asked = Replacement.objects.filter(state=AskState.ASKED).select_related("asked")
    found = OnCallSlot.objects.filter(user=actor.me).between(start, end).told()
    return (
        found.select_related("service__establishment", "backup", "user")
        .prefetch_related(Prefetch("replacements", asked, to_attr="waiting"))
        .order_by("starts_at", "id")
    )


def backing(actor: Actor, start: datetime, end: datetime) -> list[OnCallSlot]:
    """The slots that the actor stands behind, in the name of any establishment, with their doctors."""
    found = OnCallSlot.objects.filter(backup=actor.me).between(start, end).told()
    return list(found.select_related("service__establishment", "user").order_by("starts_at", "id"))


@dataclass(frozen=True)
class Twice:
    """A slot whose doctor is on call elsewhere at the same time: allowed, and said."""

    slot: OnCallSlot
    other: OnCallSlot

    @property
    def span(self) -> Span:
        """The hours that both have."""
        return Span(max(self.slot.starts_at, self.other.starts_at), min(self.slot.ends_at, self.other.ends_at))


def twice(slots: Iterable[OnCallSlot]) -> list[Twice]:
    """Those of these slots whose doctor answers for another service at the same time, by hour, in one query."""
    asked = [one for one in slots if one.state in ANSWERS]
    if not asked:
        return []
    start, end = min(one.starts_at for one in asked), max(one.ends_at for one in asked)
    there = OnCallSlot.objects.filter(user__in={one.user_id for one in asked}, state__in=ANSWERS).between(start, end)
    others = list(there.select_related("service", "user").order_by("starts_at", "id"))
    return [
        Twice(one, other)
        for one in sorted(asked, key=lambda one: (one.starts_at, one.pk))
        for other in others
        if other.user_id == one.user_id and other.service_id != one.service_id and meet(one, other)
    ]


def asked_of(actor: Actor) -> list[Replacement]:
    """The requests that wait for the actor's answer, the next slot first."""
    found = Replacement.objects.filter(asked=actor.user_id, state=AskState.ASKED)
    rows = found.select_related("slot__service__establishment", "slot__user", "against")
    return [one for one in rows.order_by("slot__starts_at", "id") if one.is_open]


def rotas_of(actor: Actor) -> QuerySet[Service]:
    """The services whose rota the actor reads: those they answer for, and those of the establishment they manage."""
    mine = Q(pk__in=PoolMember.objects.of(actor).values("service"))
    held = Q(establishment=actor.establishment_id) if actor.has_role(Role.MANAGER) else Q(pk__in=[])
    found = Service.objects.filter(mine | held, active=True, establishment__active=True)
    return found.select_related("establishment").order_by("name", "id")
