"""What the screens of the help desk and the home page show."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db.models import Count, Min, Q
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from relais.accounts.models import HELP_DESK, Role
from relais.accounts.queries import names
from relais.core.actor import Actor
from relais.core.navigation import items_for
from relais.directory.models import Establishment
from relais.portal.models import Answer, Ticket
from relais.portal.permissions import can_serve
from relais.portal.workflow import TicketState
from relais.rooms.models import DeviceTest
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.workflow import State

PAGE_SIZE = 30


@dataclass(frozen=True)
class Line:
    """A telephone number as it is read and as it is dialled."""

    shown: str
    dialled: str


@dataclass(frozen=True)
class Support:
    """Numbers, hours and mailboxes of the help desk (SU-01, SU-02, SU-05, SU-06)."""

    day: Line
    hours: str
    night: Line
    free: Line
    local: Line
    mailboxes: dict[str, str]  # service → address
    always: list[str]  # services whose mailbox is answered day and night (FG-13)


def support() -> Support:
    """As the installation is set up (docs/settings.md)."""
    env = settings.ENV
    pairs = (entry.rpartition(":") for entry in env["SUPPORT_MAILBOXES"])
    return Support(
        day=_line(env["SUPPORT_PHONE_DAY"]),
        hours=env["SUPPORT_HOURS_DAY"],
        night=_line(env["SUPPORT_PHONE_NIGHT"]),
        free=_line(env["SUPPORT_PHONE_FREE"]),
        local=_line(env["SUPPORT_PHONE_LOCAL"]),
        mailboxes={service.strip(): address.strip() for service, _colon, address in pairs},
        always=env["SUPPORT_ALWAYS"],
    )


def _line(number: str) -> Line:
    digits = "".join(sign for sign in number if sign.isdigit())
    return Line(number, f"+33{digits[1:]}" if len(digits) == 10 and digits[0] == "0" else digits)


def as_typed(phone: str) -> str:
    """A number as one writes it in France: 06 39 98 12 34."""
    try:
        number = phonenumbers.parse(phone, "FR")
    except phonenumbers.NumberParseException:
        return phone
    national = number.country_code == 33
    kind = phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, kind)


@dataclass(frozen=True)
class Place:
    """The page from which help was asked: its address without ids, whether it had any, and the module it is of."""

    path: str
    shown: str
    has_ids: bool
    module: str


NOWHERE = Place("", "", has_ids=False, module="")


def place_of(path: str) -> Place:
    """The page at `path`, if the site has one: no query, and an ellipsis for every id (a ticket names no patient)."""
    path = path.split("?")[0].split("#")[0]
    if not path.startswith("/"):
        return NOWHERE
    try:
        match: ResolverMatch = resolve(path)
    except Resolver404:
        return NOWHERE
    ids = {str(value) for value in (*match.args, *match.kwargs.values())}
    parts = ["…" if part in ids else part for part in path.split("/")]
    return Place(path, "/".join(parts)[:300], has_ids=bool(ids), module=match.app_name)


def mailbox_for(actor: Actor, path: str) -> str:
    """The mailbox of the service whose page one comes from: both have the name of its entry in the left rail. Empty when
    there is none."""
    module, boxes = place_of(path).module, support().mailboxes
    labels = (str(item.label) for item in items_for(actor) if item.url_name.partition(":")[0] == module)
    return next((label for label in labels if label in boxes), "")


def sender_mark(address: str) -> str:
    """A pseudonym of a network address, good for one day: enough to cap, too little to follow anybody."""
    words = f"{address} {timezone.localdate()}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), b"sender" + words, hashlib.sha256).hexdigest()[:32]


def last_test(actor: Actor) -> dict[str, Any]:
    """What the last self-test of this person found, with its time; nothing for a stranger."""
    found = DeviceTest.objects.filter(holder_id=actor.holder_id).first() if actor.holder_id else None
    return {"outcome": found.outcome, "at": found.created_at.isoformat(), **found.details} if found else {}


def asked_lately(actor: Actor, sender: str) -> int:
    """How many requests this person (unknown: this network address) has sent in the last hour."""
    who = Q(sender=sender)
    if actor.user_id:
        who = Q(user_id=actor.user_id)
    elif actor.grant_id:
        who = Q(grant_id=actor.grant_id)
    return Ticket.objects.filter(who, created_at__gt=timezone.now() - timedelta(hours=1)).count()


@dataclass(frozen=True)
class Desk:
    """One page of the agents' list."""

    rows: list[tuple[Ticket, str]]  # with the establishment, empty for those who have none
    next_key: str
    waiting: int


def desk(actor: Actor, *, state: str = TicketState.OPEN, service: str = "", words: str = "", after: str = "") -> Desk:
    """Requests in a state (all when empty): those to answer from the one that waits longest, others newest first.

    `words` is a number or a part of the subject; `after` the `next_key` of the page before.
    """
    found = Ticket.objects.visible_to(actor)
    if state:
        found = found.filter(state=state)
    if service:
        found = found.filter(service=service)
    if words:
        found = found.filter(Q(number__icontains=words) | Q(subject__icontains=words))
    oldest_first = state == TicketState.OPEN
    found = found.order_by("moved_at", "id") if oldest_first else found.order_by("-moved_at", "-id")
    if key := _read_key(after):
        moved_at, last = key
        found = found.filter(
            Q(moved_at__gt=moved_at) | Q(moved_at=moved_at, id__gt=last)
            if oldest_first
            else Q(moved_at__lt=moved_at) | Q(moved_at=moved_at, id__lt=last)
        )
    rows = list(found[: PAGE_SIZE + 1])
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    places = Establishment.objects.in_bulk({row.establishment_id for row in rows if row.establishment_id})
    named = {None: "", **{key: str(place) for key, place in places.items()}}
    return Desk(
        rows=[(row, named.get(row.establishment_id, "")) for row in rows],
        next_key=f"{rows[-1].moved_at.isoformat()}_{rows[-1].id}" if more else "",
        waiting=Ticket.objects.visible_to(actor).filter(state=TicketState.OPEN)[:1000].count(),
    )


def _read_key(after: str) -> tuple[datetime, UUID] | None:
    moment, _underscore, last = after.partition("_")
    try:
        moved_at = parse_datetime(moment)
        return (moved_at, UUID(last)) if moved_at else None
    except ValueError:
        return None


def own_tickets(actor: Actor) -> list[Ticket]:
    """The last fifty requests of a person, newest first."""
    found = Ticket.objects.filter(Q(user_id=actor.user_id) if actor.user_id else Q(grant_id=actor.grant_id))
    return list(found[:50])


@dataclass(frozen=True)
class Conversation:
    """A request with its answers and the names that go with them."""

    ticket: Ticket
    answers: list[tuple[Answer, str]]  # with the agent's name, empty for the person who asked
    asker: str
    roles: str
    establishment: str
    device_test: list[tuple[str, Any]]
    phone: str


def conversation(ticket: Ticket) -> Conversation:
    answers = list(ticket.answers.all())
    by_id = names([ticket.user_id, *(answer.author_id for answer in answers)])
    known: dict[UUID | None, str] = {key: name for key, name in by_id.items()}  # noqa: C416 (widens the key's type)
    place = Establishment.objects.filter(pk=ticket.establishment_id).first() if ticket.establishment_id else None
    labels = {**dict(Role.choices), HELP_DESK: _("Agent du support")}
    return Conversation(
        ticket=ticket,
        answers=[(answer, known.get(answer.author_id, "") if answer.from_agent else "") for answer in answers],
        asker=known.get(ticket.user_id) or (_("Patient") if ticket.grant_id else _("Personne non connectée")),
        roles=", ".join(str(labels.get(role, role)) for role in ticket.roles.split(",") if role),
        establishment=str(place or ""),
        device_test=sorted(ticket.device_test.items()),
        phone=as_typed(ticket.phone),
    )


@dataclass(frozen=True)
class Today:
    """The day of an establishment in three figures."""

    planned: int
    running: int
    next_at: datetime | None


def today(actor: Actor) -> Today | None:
    """What video appointments today holds; None for those who work in no establishment."""
    if actor.establishment_id is None:
        return None
    begin = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Teleconsultation.objects.filter(
        establishment_id=actor.establishment_id,
        state__in=[State.PLANNED, State.IN_CALL],
        starts_at__gte=begin,
        starts_at__lt=begin + timedelta(days=1),
    )
    figures = rows.aggregate(
        planned=Count("pk", filter=Q(state=State.PLANNED)),
        running=Count("pk", filter=Q(state=State.IN_CALL)),
        next_at=Min("starts_at", filter=Q(state=State.PLANNED, starts_at__gte=timezone.now())),
    )
    return Today(**figures)


def waiting(actor: Actor) -> int | None:
    """How many requests wait for an agent; None for everybody else."""
    return Ticket.objects.filter(state=TicketState.OPEN).count() if can_serve(actor) else None
