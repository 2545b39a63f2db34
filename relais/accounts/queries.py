"""What other modules and the screens ask about professionals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from relais.accounts.models import HELP_DESK, Membership, Role, User
from relais.core.actor import PROFESSIONAL, Actor
from relais.core.navigation import Identity
from relais.core.written import written

# What a session holds beside allauth's keys: the establishment chosen, and two times (seconds since 1970).
ESTABLISHMENT_KEY, SIGNED_IN_AT, ACTIVE_AT = "establishment", "signed_in_at", "active_at"


def session_actor(user: Any, session: Any) -> Actor | None:
    """Who acts in this session, by the membership as it is now; None for nobody."""
    if not user.is_authenticated:
        return None
    roles = {HELP_DESK} if user.help_desk else set()
    chosen = session.get(ESTABLISHMENT_KEY)
    places = _workplaces(user.pk) if chosen else []
    membership = next((one for one in places if str(one.establishment_id) == str(chosen)), None)
    if membership:
        roles.add(membership.role)
    return Actor(
        kind=PROFESSIONAL,
        user_id=user.pk,
        establishment_id=membership.establishment_id if membership else None,
        roles=frozenset(roles),
        assurance=2,
    )


def members(establishment_id: UUID, roles: Iterable[str] = ()) -> QuerySet[Membership]:
    """The present members of an establishment, by name, with their user; only those who hold one of `roles` when given."""
    found = Membership.objects.filter(establishment_id=establishment_id, ended_at=None, user__is_active=True)
    if wanted := list(roles):
        found = found.filter(role__in=wanted)
    return found.select_related("user").order_by("user__family_name", "user__given_name", "id")


def managers(establishment_id: UUID) -> list[User]:
    """The managers of an establishment, by name: the referents of its services."""
    return [one.user for one in members(establishment_id, [Role.MANAGER])]


def practitioners(establishment_id: UUID) -> QuerySet[User]:
    """The professionals who consult in an establishment, by name."""
    return User.objects.filter(
        is_active=True,
        memberships__establishment_id=establishment_id,
        memberships__ended_at=None,
        memberships__role=Role.PRACTITIONER,
    ).order_by("family_name", "given_name", "id")


def names(user_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The full name of each professional by id, in one query; past members and closed accounts included."""
    wanted = {one for one in user_ids if one}
    if not wanted:
        return {}
    return {user.pk: user.full_name for user in User.objects.filter(pk__in=wanted)}


def workplaces(user_id: UUID) -> QuerySet[Membership]:
    """Where a professional works today, with the establishment, by name: what one may choose from at sign-in (TC-04)."""
    return (
        Membership.objects.filter(user_id=user_id, ended_at=None, establishment__active=True)
        .select_related("establishment")
        .order_by("establishment__name", "id")
    )


_workplaces = written(workplaces)  # asked on every page


def short_address(ip: str) -> str:
    """A network address without its end, enough to recognise one's own: `192.0.•.•`, `2001:db8:•`."""
    if ":" in ip:
        return ":".join(ip.split(":")[:2]) + ":•"
    return ".".join([*ip.split(".")[:2], "•", "•"]) if ip.count(".") == 3 else ""


@dataclass(frozen=True)
class Device:
    """Where somebody is signed in, as its owner recognises it."""

    id: int
    browser: str
    system: str
    address: str
    since: datetime
    seen: datetime
    here: bool


# The first that a user agent contains names it: Edge and Opera also say Chrome, Chrome also says Safari.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "Mac", "Linux": "Linux",
}  # fmt: skip


def devices_of(user_id: UUID, session_key: str) -> list[Device]:
    """The open sessions of a professional, this one (`session_key`) first, then the last seen."""
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    rows = UserSession.objects.filter(Exists(live), user_id=user_id).order_by("-last_seen_at", "-id")
    found = [
        Device(
            id=row.pk,
            browser=_first(BROWSERS, row.user_agent) or _("Navigateur inconnu"),
            system=_first(SYSTEMS, row.user_agent) or _("système inconnu"),
            address=short_address(row.ip),
            since=row.created_at,
            seen=row.last_seen_at,
            here=row.session_key == session_key,
        )
        for row in rows
    ]
    return sorted(found, key=lambda device: not device.here)


def _first(names: dict[str, str], agent: str) -> str:
    return next((name for mark, name in names.items() if mark in agent), "")


@dataclass(frozen=True)
class Factors:
    """The second factors of a professional: passkeys, application, recovery codes left."""

    passkeys: list[Authenticator]
    totp: Authenticator | None
    codes_left: int

    @property
    def strong(self) -> bool:
        return bool(self.passkeys or self.totp)


def factors_of(user_id: UUID) -> Factors:
    rows = list(Authenticator.objects.filter(user_id=user_id).order_by("created_at", "id"))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        passkeys=[row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        totp=next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
    )


def find_professional(*, email: str = "", rpps: str = "") -> User | None:
    """Who has this RPPS number, else this e-mail address."""
    by_rpps = User.objects.filter(rpps=rpps).first() if rpps else None
    return by_rpps or (User.objects.filter(email=email.strip().lower()).first() if email else None)


FOUND, SHORTEST = 10, 3  # professionals shown; letters of a name at least


def find_professionals(typed: str, roles: Iterable[str]) -> list[User]:
    """Ten at most who practise in one of these roles anywhere, by name: `typed` is an RPPS number or words of a name,
    accents aside; too few letters find nobody."""
    words = typed.split()
    if sum(map(len, words)) < SHORTEST:
        return []
    working = Membership.objects.filter(user=OuterRef("pk"), ended_at=None, establishment__active=True)
    found = User.objects.filter(Exists(working.filter(role__in=list(roles))), is_active=True)
    if (number := "".join(words)).isdecimal():
        return list(found.filter(rpps=number))
    for word in words:
        found = found.filter(Q(family_name__unaccent__icontains=word) | Q(given_name__unaccent__icontains=word))
    return list(found.order_by("family_name", "given_name", "id")[:FOUND])


@dataclass(frozen=True)
class MembersPage:
    """A part of the list, by name; `next_url` leads on, `first_url` back to the beginning."""

    members: list[Membership]
    next_url: str | None
    first_url: str | None


PAGE = 50


def members_page(establishment_id: UUID, *, after: str = "", typed: str = "") -> MembersPage:
    """Fifty members by name, after the membership `after`; `typed` is part of a name, accents aside."""
    found = members(establishment_id)
    for word in typed.split():
        found = found.filter(
            Q(user__family_name__unaccent__icontains=word) | Q(user__given_name__unaccent__icontains=word)
        )
    if last := _membership(after, establishment_id):
        family, given = last.user.family_name, last.user.given_name
        found = found.filter(
            Q(user__family_name__gt=family)
            | Q(user__family_name=family, user__given_name__gt=given)
            | Q(user__family_name=family, user__given_name=given, id__gt=last.pk)
        )
    rows = list(found[: PAGE + 1])
    shown = rows[:PAGE]
    query: dict[str, str] = {"q": typed} if typed else {}
    return MembersPage(
        members=shown,
        next_url=f"?{urlencode({**query, 'apres': str(shown[-1].pk)})}" if len(rows) > PAGE else None,
        first_url=f"?{urlencode(query)}" if last else None,
    )


def _membership(pk: str, establishment_id: UUID) -> Membership | None:
    try:
        return Membership.objects.select_related("user").filter(pk=UUID(pk), establishment_id=establishment_id).first()
    except ValueError:
        return None


@written
def _named_workplaces(user_id: UUID) -> QuerySet[Membership]:
    return workplaces(user_id).select_related("user")


def identity(actor: Actor) -> Identity:
    """The words of the page shell for a professional: name, role and establishment, in one query."""
    places = _named_workplaces(actor.user_id) if actor.user_id else []
    here = next((one for one in places if one.establishment_id == actor.establishment_id), None)
    if here:
        return Identity(
            name=here.user.full_name,
            role=here.get_role_display(),
            establishment=here.establishment.name,
            can_switch=len(places) > 1,
        )
    user = places[0].user if places else User.objects.filter(pk__in=[actor.user_id]).first()
    return Identity(name=user.full_name if user else "", can_switch=bool(places))
