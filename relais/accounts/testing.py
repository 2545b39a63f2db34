"""People for tests: professionals, memberships and a signed-in client, with synthetic values only."""

import itertools
import time
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client
from django.utils import timezone
from stdnum import luhn

from relais.accounts.models import Membership, Role, User
from relais.core.actor import PROFESSIONAL, Actor
from relais.directory.models import Establishment
from relais.notifications import vault
from relais.notifications.models import Message

PASSWORD = "des tulipes sur le quai"  # noqa: S105 - synthetic
_numbers = itertools.count(1)


def with_key(digits: str) -> str:
    """`digits` followed by their Luhn key, as RPPS and FINESS end."""
    return digits + luhn.calc_check_digit(digits)


def make_establishment(name: str = "Centre des Tilleuls", **fields: Any) -> Establishment:
    """An establishment with a synthetic FINESS number."""
    values = {"finess": with_key(f"99{next(_numbers):06d}"), "kind": "centre", "department": "75", "synthetic": True}
    return Establishment.objects.create(name=name, **{**values, **fields})


def make_user(family_name: str = "Martin", given_name: str = "Claire", **fields: Any) -> User:
    """A professional without a password (pass `password=PASSWORD` to sign in through the form)."""
    number = next(_numbers)
    values = {"email": f"pro{number}@exemple.test", "synthetic": True}
    return User.objects.create_user(family_name=family_name, given_name=given_name, **{**values, **fields})


def make_member(
    establishment: Establishment | None = None,
    role: str = Role.PRACTITIONER,
    user: User | None = None,
    **fields: Any,
) -> Membership:
    """A professional (`fields` are theirs) who works in `establishment` (a new one when None) as `role`."""
    return Membership.objects.create(
        user=user or make_user(**fields), establishment=establishment or make_establishment(), role=role
    )


def make_practitioner(establishment: Establishment | None = None, **fields: Any) -> Membership:
    """A practitioner with RPPS and specialty."""
    values = {
        "title": "Dr",
        "rpps": with_key(f"899{next(_numbers):07d}"),
        "profession": "Médecin",
        "specialty": "Médecine générale",
    }
    return make_member(establishment, Role.PRACTITIONER, **{**values, **fields})


def actor_for(membership: Membership) -> Actor:
    """The actor of this member once signed in, in that establishment."""
    return Actor(
        kind=PROFESSIONAL,
        user_id=membership.user_id,
        establishment_id=membership.establishment_id,
        roles=frozenset({membership.role}),
        assurance=2,
    )


def sign_in(
    client: Client, who: User | Membership, establishment: Establishment | None = None, *, confirmed: bool = False
) -> Client:
    """Give `client` a real session of `who`, both factors shown just now, in `establishment`.

    A Membership brings its own establishment; a User without `establishment` has chosen none yet. `confirmed`: the
    password was asked again just now, as changes of factors want it.
    """
    user = who.user if isinstance(who, Membership) else who
    chosen = who.establishment_id if isinstance(who, Membership) else establishment and establishment.pk
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    shown = {"method": "password", "at": time.time(), "email": user.email}
    session["account_authentication_methods"] = [shown, *([{**shown, "reauthenticated": True}] if confirmed else [])]
    session["account_authentication_methods_user"] = str(user.pk)
    session["signed_in_at"] = session["active_at"] = timezone.now().timestamp()
    if chosen:
        session["establishment"] = str(chosen)
    session.save()
    UserSession.objects.create(
        user=user, ip="192.0.2.17", session_key=session.session_key, user_agent="Firefox (Linux)"
    )
    return client


def client_of(who: User | Membership, establishment: Establishment | None = None) -> Client:
    """A browser of its own, signed in as `who`."""
    return sign_in(Client(), who, establishment)


def last_secret(user: User) -> dict[str, Any]:
    """What the last message with a secret told this professional: `code` or `link`."""
    message = Message.objects.filter(holder_id=user.pk, secret__isnull=False).order_by("-created_at", "-id").first()
    assert message is not None, "no secret was sent"  # noqa: S101  a helper of tests
    assert message.secret is not None  # noqa: S101
    return vault.unseal(message.secret)
