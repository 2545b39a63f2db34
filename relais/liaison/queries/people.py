"""Who takes part in a demand: whoever answers for its services, and the clinical staff of the nursing home."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership, User
from relais.core.actor import Actor
from relais.core.doors import any_of
from relais.core.written import written
from relais.directory.models import Need, Service
from relais.dossiers.models import Participant
from relais.liaison import permissions as may
from relais.liaison.models import Request
from relais.liaison.permissions import CLINICAL
from relais.oncall.models import PoolMember
from relais.oncall.queries import Duty, duties, members, on_duty, routes
from relais.rooms.models import Peer

SHIFT = timedelta(hours=12)  # of the nurse who asked or wrote
ON_CALL = (Need.GERIATRIC, Need.NIGHT)  # services that answer in turn for the same nursing homes
WROTE = ("submit", "completed", "measured", "note_written", "give", "document_added")  # events that say who is there


@dataclass(frozen=True)
class Person:
    """One of them, with the place in whose name."""

    user: User
    place: str


@dataclass(frozen=True)
class Line:
    """Where a nursing home calls about a request, and who picks up there where that is not its doctor."""

    phone: str
    instead: str = ""


def lines_now(demands: Iterable[Request], now: datetime) -> dict[UUID, Line]:
    """Where one calls about each request at this moment, in four queries at most: its doctor while they are on duty, else
    whoever is for their service, else, of an on-call, for the nursing home. What nobody has, or was passed on, keeps the
    line of whoever is asked."""
    rows = list(demands)
    held = [(one, one.service) for one in rows if one.responsible_id and one.service and not one.passed_on]
    named = duties([service for _one, service in held], now)
    alone = [one.establishment for one, service in held if service.need in ON_CALL and not named[service.pk]]
    routed = routes({home.pk: home for home in alone}.values(), now) if alone else {}
    found = {one.pk: Line(one.line) for one in rows}
    for one, service in held:
        answering = named[service.pk] or (routed[one.establishment_id] if service.need in ON_CALL else [])
        found[one.pk] = _line(one, service, answering)
    return found


def _line(demand: Request, service: Service, answering: list[Duty]) -> Line:
    for duty in answering:
        if duty.user and duty.user.pk == demand.responsible_id:
            return Line(duty.phone or duty.service.phone)
    for duty in answering:
        who = f"{duty.name}, {duty.service.name}" if duty.user else duty.name
        return Line(duty.phone or duty.service.phone, who)
    return Line(service.phone, service.name)


def told_of(service: Service, now: datetime) -> list[User]:
    """Who is told that something is asked of a service: who is on duty there, else everybody who answers for it.

    Nobody: one telephones.
    """
    named = [duty.user for duty in on_duty(service, now) if duty.user]
    return named or [one.user for one in members(service)]


def people_of(demand: Request) -> list[Person]:
    """Everybody who takes part now, by name, each once."""
    services = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None).values("service_id")
    pool = PoolMember.objects.filter(service__in=services).at_work().select_related("user", "service")
    home = Membership.objects.filter(
        establishment_id=demand.establishment_id, ended_at=None, user__is_active=True, role__in=CLINICAL
    ).select_related("user", "establishment")
    found = {one.user_id: Person(one.user, one.service.name) for one in pool.order_by("-created_at", "-id")}
    found |= {one.user_id: Person(one.user, one.establishment.name) for one in home.order_by("id")}
    return sorted(found.values(), key=lambda one: (one.user.family_name, one.user.given_name, one.user.pk))


def across(actor: Actor, demand: Request) -> set[UUID]:
    """Whom somebody calls who cannot wait: the doctor who has the request, or is asked, whoever it is being handed over to,
    and, where they are not of the nursing home, whoever spoke for it."""
    sender = demand.response.user_id if demand.response and not may.in_home(actor, demand) else None
    proposed = demand.hand_overs.filter(accepted_at=None, dropped_at=None).first()
    found = (demand.responsible_id, sender, proposed.taking_id if proposed else None)
    return {one for one in found if one} - {actor.me}


def still_there(demand: Request, now: datetime) -> list[User]:
    """Of the nursing home, whoever asked or wrote in the request as long as the same shift may last; after that whoever last
    answered for it. Pages tell the others."""
    sender = [demand.response.user_id] if demand.response and demand.response.user_id else []
    home = Membership.objects.filter(
        establishment_id=demand.establishment_id, ended_at=None, user__is_active=True, role__in=CLINICAL
    )
    wrote = demand.dossier.events.filter(verb__in=WROTE, at__gte=now - SHIFT, user__isnull=False).values("user_id")
    people = User.objects.order_by("pk")
    lately = list(people.filter(pk__in=home.filter(user_id__in=wrote).values("user_id")))
    return lately or list(people.filter(pk__in=home.filter(user_id__in=sender).values("user_id")))


def in_rooms(ids: Iterable[UUID]) -> dict[UUID, list[Peer]]:
    """Who is in the room of each of these requests now, by name; those whose room is empty are left out."""
    found: dict[UUID, list[Peer]] = {}
    for one in _inside(list(ids), timezone.now()):
        found.setdefault(one.invitation.room.about, []).append(one)
    return found


@written
def _inside(ids: list[UUID], now: datetime) -> QuerySet[Peer]:
    inside = Peer.objects.inside(now).filter(any_of("invitation__room__about", ids))
    return inside.select_related("invitation__room").order_by("invitation__name", "pk")


def sent_words(demand: Request) -> str:
    """What the one who sent a request reads: who is told, and what follows without an answer."""
    if demand.responsible:
        words = _(
            "Demande envoyée. Un message part à %(who)s. Sans réponse à temps, la personne suivante est prévenue."
        )
        return words % {"who": demand.responsible.full_name}
    return _("Demande envoyée, mais personne n’est nommé à l’astreinte : téléphonez.")
