"""The rooms, who is in them and who waits at their doors."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Q, QuerySet

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound
from relais.directory import queries as directory
from relais.directory.models import Establishment, Kind, Need, Service
from relais.meetings.models import KEPT, KINDS, NEEDS, Place, Sitting, has_room
from relais.meetings.queries import duty
from relais.oncall.queries import Duty, route
from relais.rooms import queries as rooms
from relais.rooms.models import ABSENT_AFTER, Invitation, Peer, Room

Owner = Establishment | Service
FOUND = 20


def owner(actor: Actor, owner_id: UUID) -> Owner:
    """The establishment or service that has a permanent room under this id. Raises NotFound for any other id."""
    for source in (Establishment, Service):
        try:
            found: Owner = get_visible(source.objects.all(), actor, pk=owner_id)
        except NotFound:
            continue
        if has_room(found):
            return found
    raise NotFound


def place_of(owner_id: UUID) -> Place | None:
    found = Place.objects.filter(Q(establishment=owner_id) | Q(service=owner_id))
    return found.select_related("establishment", "service__establishment").first()


def open_sitting(owner_id: UUID) -> Sitting | None:
    """The conversation that goes on in this room."""
    return Sitting.objects.filter(Q(place__establishment=owner_id) | Q(place__service=owner_id), ended_at=None).first()


@dataclass(frozen=True)
class Who:
    """Somebody in a room or at its door."""

    id: UUID  # their invitation
    name: str
    of_place: bool
    me: bool
    enters: bool = False  # on the threshold: they need nobody to let them in


@dataclass
class Card:
    """A room as the page shows it."""

    owner: Owner
    mine: bool = False
    at_once: bool = False
    inside: list[Who] = field(default_factory=list)
    waiting: list[Who] = field(default_factory=list)
    since: datetime | None = None

    @property
    def id(self) -> UUID:
        return self.owner.pk

    @property
    def name(self) -> str:
        return self.owner.name

    @property
    def where(self) -> str:
        """What tells it from another of the same name."""
        if isinstance(self.owner, Service):
            return self.owner.establishment.name
        return ", ".join(part for part in (self.owner.city, self.owner.get_department_display()) if part)

    @property
    def busy(self) -> bool:
        return bool(self.inside or self.waiting)

    @property
    def rings(self) -> list[Who]:
        """For those of the place: who waits, and who came in while none of them is there."""
        waiting = [one for one in self.waiting if not (one.of_place or one.me)]
        if any(one.of_place for one in self.inside):
            return waiting
        return [*waiting, *(one for one in self.inside if not one.me)]


def own(actor: Actor, here: Establishment) -> list[Owner]:
    """The rooms of the actor: of `here`, the establishment of this session, and of the services for which they answer."""
    return [*([here] if has_room(here) else []), *_answered(actor).select_related("establishment")]


def _answered(actor: Actor) -> QuerySet[Service]:
    return duty.answered(actor).filter(need__in=NEEDS)


def answered_ids(actor: Actor) -> ArraySubquery:
    """The services with a room for which the actor answers, by id, beside a row that is read anyway."""
    return ArraySubquery(_answered(actor).order_by().values("pk"))


def cards(actor: Actor, owners: Iterable[Owner], *, mine: bool = False, at_once: bool) -> list[Card]:
    """The rooms of these owners with those who are there, in the same queries however many they are."""
    shown = [Card(one, mine, at_once) for one in owners]
    fill(actor, shown)
    return shown


def ringing(actor: Actor, owners: Iterable[UUID]) -> list[Card]:
    """The rooms of these owners, all of them the actor's, where somebody waits for one of the place."""
    sittings = list(_open(owners).order_by("created_at", "pk"))
    people = who_is_there(actor, _holders(sittings))
    found = [Card(one.place.owner, True, True, *people[one.pk], since=one.created_at) for one in sittings]
    return [card for card in found if card.rings]


def _open(owners: Iterable[UUID]) -> QuerySet[Sitting]:
    """The conversations that go on in the rooms of these owners."""
    ids = list(owners)
    found = Sitting.objects.filter(Q(place__establishment__in=ids) | Q(place__service__in=ids), ended_at=None)
    return found.select_related("place__establishment", "place__service__establishment")


def fill(actor: Actor, shown: list[Card]) -> None:
    sittings = {sitting.place.owner.pk: sitting for sitting in _open(card.id for card in shown)}
    people = who_is_there(actor, _holders(sittings.values()))
    for card in shown:
        if sitting := sittings.get(card.id):
            card.inside, card.waiting = people[sitting.pk]
            card.since = sitting.created_at


def _holders(sittings: Iterable[Sitting]) -> dict[UUID, UUID | None]:
    return {sitting.pk: sitting.place.holder.pk for sitting in sittings}


def who_is_there(actor: Actor, holders: dict[UUID, UUID | None]) -> dict[UUID, tuple[list[Who], list[Who]]]:
    """For each room, by what it is about, those who are inside, and those who wait at its door or are about to enter.

    `holders` says whose room each is: an establishment, or None where every host is of the place.
    """
    found: dict[UUID, tuple[list[Who], list[Who]]] = {pk: ([], []) for pk in holders}
    if not holders:
        return found
    peers = Peer.objects.inside().filter(invitation__room__about__in=holders)
    inside = {
        peer.invitation_id: peer.invitation
        for peer in peers.select_related("invitation__room").order_by("created_at", "id")
    }
    for invitation in inside.values():
        found[invitation.room.about][0].append(_who(actor, invitation, holders))
    present = rooms.presences(holders)
    near = {(about, here.holder_id): here for about, all_ in present.items() for here in all_ if not here.inside}
    if near:
        at_door = Invitation.objects.live().filter(
            room__about__in=holders, holder_id__in=[holder for _about, holder in near]
        )
        for invitation in at_door.select_related("room"):
            here = near.get((invitation.room.about, invitation.holder_id))
            knocks = here is not None and here.waits and invitation.admitted_at is None
            if invitation.pk not in inside and (knocks or (here is not None and invitation.is_host)):
                found[invitation.room.about][1].append(_who(actor, invitation, holders, enters=invitation.is_host))
    return found


def _who(actor: Actor, invitation: Invitation, holders: dict[UUID, UUID | None], *, enters: bool = False) -> Who:
    holder = holders[invitation.room.about]
    return Who(
        id=invitation.pk,
        name=invitation.name,
        of_place=invitation.is_host and holder in (None, invitation.establishment_id),
        me=invitation.holder_id == actor.user_id,
        enters=enters,
    )


def open_now(actor: Actor, *, but: Iterable[UUID]) -> list[Card]:
    """The other rooms where somebody is now: whom those on duty have just spoken to stands there (VR-02)."""
    sittings = list(
        Sitting.objects.filter(ended_at=None)
        .exclude(place__establishment__in=list(but))
        .exclude(place__service__in=list(but))
        .select_related("place__establishment", "place__service__establishment")[:200]
    )
    people = who_is_there(actor, _holders(sittings))
    found = [Card(one.place.owner, False, True, *people[one.pk], since=one.created_at) for one in sittings]
    return [card for card in found if card.busy]


def found(actor: Actor, text: str, department: str) -> list[Owner]:
    """Nursing homes and SAMU by name and department, as one types; one too many where they are more than are shown."""
    departments = [department] if department else None
    return list(directory.search(actor, text, departments=departments, kinds=KINDS)[: FOUND + 1])


def answering(actor: Actor, department: str) -> list[Owner]:
    """The SAMU and the services that a department is served by."""
    samu = Establishment.objects.visible_to(actor).filter(kind=Kind.SAMU, department=department)
    services = Service.objects.visible_to(actor).filter(need__in=NEEDS, departments__contains=[department], active=True)
    return [*samu, *services.select_related("establishment").order_by("need", "name", "id")]


@dataclass(frozen=True)
class Number:
    """Whom to call, by which line."""

    phone: str
    name: str


def numbers(actor: Actor, place: Establishment, now: datetime) -> list[Number]:
    """Whom to call first for this establishment: who is on duty for it, else the lines that answer now (VR-02)."""
    asked = [Number(one.phone, _named(one)) for one in route(place, now) if one.phone][:4]
    lines: dict[str, Any] = {"department": place.department, "now": now, "only_open": True}
    if len(asked) < 2:  # the SAMU alone: no rota says who
        for need, most in ((Need.GERIATRIC, 3), (Need.NIGHT, 1)):
            if answering_ := list(directory.find_services(actor, need=need, **lines)[:most]):
                return [*(Number(one.phone, one.name) for one in answering_), *asked]
    return asked


def _named(duty_: Duty) -> str:
    return f"{duty_.name}, {duty_.service.name}" if duty_.user else duty_.name


@dataclass(frozen=True)
class Stay:
    """Somebody was in the room from `entered` to `left` (None: still there)."""

    name: str
    entered: datetime
    left: datetime | None


def stays(place: Place, now: datetime) -> list[tuple[Sitting, list[Stay]]]:
    """Who was there and when, newest conversation first, of the last 30 days: nothing else is kept of a room."""
    sittings = list(place.sittings.filter(created_at__gt=now - KEPT)[:100])
    by_about: dict[UUID, list[Stay]] = {one.pk: [] for one in sittings}
    peers = Peer.objects.filter(invitation__room__about__in=by_about).select_related("invitation__room")
    for peer in peers.order_by("created_at", "id"):
        gone = peer.left_at or (peer.seen_at if peer.seen_at < now - ABSENT_AFTER else None)
        by_about[peer.invitation.room.about].append(Stay(peer.invitation.name, peer.created_at, gone))
    return [(one, by_about[one.pk]) for one in sittings if by_about[one.pk]]


def room_of(sitting: Sitting) -> Room | None:
    return rooms.room_of(sitting.pk)


def display_name(user: User, establishment: Establishment) -> str:
    """How one is shown in a room: with the role's place beside the name."""
    return f"{user.full_name} ({establishment.name})"[:200]
