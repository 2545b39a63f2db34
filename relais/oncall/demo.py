"""Pools and rotas of the demo region, six weeks around now, and the on-calls of each nursing home (domain.md §3.1, §9.1)."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import cycle, islice
from typing import Any

from relais.core.demo import Region, insert, new_id
from relais.core.paris import PARIS, to_utc
from relais.directory.models import Kind, Need
from relais.oncall.hours import DAY_BEGINS, NIGHT_BEGINS
from relais.oncall.models import Cover, OnCallSlot, PoolMember, Replacement
from relais.oncall.workflow import SlotState

BEFORE, DAYS = timedelta(days=7), 42
WITH_ROTA = (Need.GERIATRIC, Need.NIGHT, Need.SAMU)
SIZE = 4  # people in a pool
CONFIRMED = timedelta(days=10)  # ahead of now
OF_PERSONAS = {"on_call": Need.GERIATRIC, "samu": Need.SAMU, "expert": Need.EXPERT}


def build(region: Region, rng: random.Random) -> None:
    """A pool for every service, a rota for the on-calls, the night duty and the SAMU, a cover for every nursing home.

    One day of next week has nobody, for the referent (the persona who manages the hospital) to see; a colleague asks the
    geriatrician persona for a replacement.
    """
    pools = _pools(region, rng)
    insert([member for members in pools.values() for member in members])
    services = {one.pk: one for one in region.services}
    hole = _hole(region)
    slots = [
        slot
        for pk, members in pools.items()
        if services[pk].need in WITH_ROTA
        for slot in _rota(region, rng, services[pk], members)
        if (slot.service_id, slot.starts_at.astimezone(PARIS).date()) != hole
    ]
    insert(slots)
    insert(_covers(region, rng))
    insert(_requests(region, rng, slots))


def _pools(region: Region, rng: random.Random) -> dict[Any, list[PoolMember]]:
    """Doctors of the service's establishment first, the persona before the others, then those of the specialty that it is
    asked for; then doctors of other hospitals."""
    hospitals = [one for one in region.establishments if one.kind == Kind.HOSPITAL]
    anywhere = [(user, one) for one in hospitals for user in _doctors(region, one)]
    anywhere = anywhere or [(user, one) for one in region.establishments for user in _doctors(region, one)]
    turn = cycle(anywhere)
    found = {}
    for service in region.services:
        doctors = sorted(_doctors(region, service.establishment), key=lambda one: one.specialty != service.specialty)
        here = [(user, service.establishment) for user in doctors]
        first = _personas(region, service)
        taken = {user.pk: (user, place) for user, place in (*first, *here[:SIZE])}
        for user, place in islice(turn, len(anywhere)):
            if len(taken) >= SIZE:
                break
            taken.setdefault(user.pk, (user, place))
        found[service.pk] = [
            PoolMember(
                id=new_id(rng),
                created_at=service.created_at,
                service=service,
                user=user,
                establishment=place,
                until=None,
            )
            for user, place in taken.values()
        ]
    return found


def _doctors(region: Region, place: Any) -> list[Any]:
    personas = {one.pk for one in region.personas.values()}
    return [one for one in region.members.get(place.pk, {}).get("practitioner", []) if one.pk not in personas]


def _personas(region: Region, service: Any) -> list[tuple[Any, Any]]:
    """The geriatrician persona answers for the on-call of the nursing home and stands behind the night duty; the others
    for what they do."""
    found = []
    for key, need in OF_PERSONAS.items():
        place = region.places["hospital" if key == "expert" else key]
        offered = [one for one in region.services if one.need == need and one.establishment == place]
        near = [one for one in offered if region.places["nursing_home"].department in one.departments]
        own = next(iter([*near, *offered]), None)
        if service == own or (key == "on_call" and service.need == Need.NIGHT):
            found.append((region.personas[key], place))
    return found


def _rota(region: Region, rng: random.Random, service: Any, members: list[PoolMember]) -> Iterator[OnCallSlot]:
    """One doctor and one back-up for each opening, in turn; personas are on duty or behind on every one of them."""
    personas = {one.pk for one in region.personas.values()}
    known = [one for one in members if one.user_id in personas]
    others = [one for one in members if one.user_id not in personas] or members
    absent = region.now + timedelta(days=5)
    for number, (start, end) in enumerate(_openings(region, service)):
        if known:
            pair = [known[0], others[number % len(others)]]
            doctor, backup = pair if number % 2 == 0 and service.need != Need.NIGHT else reversed(pair)
        else:
            doctor, backup = others[number % len(others)], others[(number + 1) % len(others)]
        slot = OnCallSlot(
            id=new_id(rng),
            created_at=region.now - timedelta(days=30),
            service=service,
            user=doctor.user,
            establishment=doctor.establishment,
            starts_at=start,
            ends_at=end,
            phone=doctor.user.shown_mobile,
            backup=backup.user if backup.user_id != doctor.user_id else None,
            backup_phone=backup.user.shown_mobile if backup.user_id != doctor.user_id else "",
            state=SlotState.CONFIRMED if start < region.now + CONFIRMED else SlotState.PLANNED,
        )
        if slot.backup and start < absent < end and rng.random() < 0.1:
            slot = OnCallSlot(**{**_fields(slot), "state": SlotState.ABSENT})
        yield slot


def _fields(slot: OnCallSlot) -> dict[str, Any]:
    return {field.attname: getattr(slot, field.attname) for field in slot._meta.concrete_fields}


def _openings(region: Region, service: Any) -> Iterator[tuple[datetime, datetime]]:
    today = region.now.astimezone(PARIS).date()
    first = today - timedelta(days=today.weekday()) - BEFORE
    for number in range(DAYS):
        day = first + timedelta(days=number)
        if service.day_and_night:
            yield _span(day, DAY_BEGINS, NIGHT_BEGINS)
            yield _span(day, NIGHT_BEGINS, DAY_BEGINS)
        else:
            yield _span(day, service.opens, service.closes)


def _span(day: date, opens: time, closes: time) -> tuple[datetime, datetime]:
    return to_utc(day, opens), to_utc(day if closes > opens else day + timedelta(days=1), closes)


def _hole(region: Region) -> tuple[Any, date]:
    """Wednesday of next week in the on-call of the hospital that the manager persona keeps, else in another rota of it."""
    held = [one for one in region.services if one.establishment == region.places["hospital"] and one.need in WITH_ROTA]
    chosen = next((one for one in held if one.need == Need.GERIATRIC), held[0])
    today = region.now.astimezone(PARIS).date()
    return chosen.pk, today + timedelta(days=9 - today.weekday())


def _covers(region: Region, rng: random.Random) -> list[Cover]:
    """The nursing homes of a department in turn to its on-calls; the one beside stands in."""
    on_calls = [one for one in region.services if one.need == Need.GERIATRIC]
    turns: dict[str, int] = {}
    found = []
    homes = [one for one in region.establishments if one.kind == Kind.EHPAD]
    for home in [region.places["nursing_home"], *(one for one in homes if one != region.places["nursing_home"])]:
        near = [one for one in on_calls if home.department in one.departments] or on_calls
        turn = turns.get(home.department, 0)
        turns[home.department] = turn + 1
        primary = near[turn % len(near)]
        others = [one for one in (*near, *on_calls) if one.pk != primary.pk]
        backup = others[turn % max(len(near) - 1, 1)] if others else None
        found.append(
            Cover(id=new_id(rng), created_at=home.created_at, establishment=home, primary=primary, backup=backup)
        )
    return found


def _requests(region: Region, rng: random.Random, slots: list[OnCallSlot]) -> list[Replacement]:
    """A colleague of the geriatrician persona asks for a replacement, in more than a week."""
    persona, later = region.personas["on_call"], region.now + timedelta(days=8)
    mine = {one.service_id for one in slots if one.user_id == persona.pk}
    wanted = (one for one in slots if one.service_id in mine and one.user_id != persona.pk and one.starts_at > later)
    return [
        Replacement(
            id=new_id(rng),
            created_at=region.now - timedelta(hours=5),
            slot=slot,
            asked=persona,
            against=None,
            answered_at=None,
        )
        for slot in islice(wanted, 1)
    ]
