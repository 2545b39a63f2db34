"""Sessions: opened after both factors, ended one by one or all at once."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from relais.accounts.models import Membership, User
from relais.accounts.queries import ACTIVE_AT, ESTABLISHMENT_KEY, SIGNED_IN_AT, session_actor, workplaces
from relais.audit.actions import record
from relais.core.actor import PROFESSIONAL, SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound


def begin_session(*, user: User, session: Any) -> Actor:
    """Start the clocks of a session just opened, and enter the establishment when there is only one (TC-04)."""
    session[SIGNED_IN_AT] = session[ACTIVE_AT] = timezone.now().timestamp()
    if user.password_by_link:
        User.objects.filter(pk=user.pk).update(password_by_link=False)
    places = list(workplaces(user.pk)[:2])
    if len(places) == 1:
        session[ESTABLISHMENT_KEY] = str(places[0].establishment_id)
    actor = session_actor(user, session) or actor_of_user(user)
    record(actor=actor, action="session.begin", about=user.pk, why=_factors(session))
    return actor


def choose_establishment(*, user: User, session: Any, establishment_id: UUID | str) -> Actor:
    """Work in this establishment from now on (TC-04). Raises NotFound where one is no member."""
    try:
        membership = workplaces(user.pk).get(establishment_id=establishment_id)
    except (Membership.DoesNotExist, ValidationError):
        raise NotFound from None
    session[ESTABLISHMENT_KEY] = str(membership.establishment_id)
    actor = session_actor(user, session) or actor_of_user(user)
    record(actor=actor, action="session.choose", about=membership.establishment_id)
    return actor


def trace_failure(user: User | None, what: str, where: str = "") -> None:
    """Leave the trace of a sign-in that failed (`password`, `factor`, `locked`); no user: an address nobody has."""
    actor = actor_of_user(user) if user else SYSTEM_ACTOR
    record(actor=actor, action=f"session.failure.{what}", about=user.pk if user else None, why=where)


@transaction.atomic
def end_session(*, actor: Actor, session_id: int) -> None:
    """Sign one of one's own devices out. Raises NotFound for another's."""
    row = UserSession.objects.filter(pk=session_id, user_id=actor.user_id).first()
    if row is None:
        raise NotFound
    row.end()
    record(actor=actor, action="session.end", about=actor.user_id)


@transaction.atomic
def end_all_sessions(*, actor: Actor, user_id: UUID, but: str | None = None, why: str = "") -> int:
    """Sign a professional out everywhere (`but` one session key); how many sessions ended."""
    rows = list(UserSession.objects.filter(user_id=user_id).exclude(session_key=but or ""))
    _end(rows)
    record(actor=actor, action="session.end_all", about=user_id, why=why)
    return len(rows)


def end_sessions_in(*, user_id: UUID, establishment_id: UUID) -> int:
    """End the sessions in which a professional works in this establishment (C33); how many ended.

    The membership is read again at each request besides, so that no session outlives it even for one page.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    rows = [
        row
        for row in UserSession.objects.filter(user_id=user_id)
        if store(row.session_key).get(ESTABLISHMENT_KEY) == str(establishment_id)
    ]
    _end(rows)
    return len(rows)


def actor_of_user(user: User) -> Actor:
    """The actor of somebody who is not (or no longer) inside an establishment: for traces about themselves."""
    return Actor(kind=PROFESSIONAL, user_id=user.pk)


def _end(rows: Iterable[UserSession]) -> None:
    for row in rows:
        row.end()


def _factors(session: Any) -> str:
    """The methods that were shown, for the trace: `password, code`."""
    records = session.get("account_authentication_methods", [])
    return ", ".join(one.get("type", one["method"]) for one in records)[:300]
