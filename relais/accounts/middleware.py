"""From a session to an Actor."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from relais.accounts.models import HELP_DESK, Membership
from relais.core.actor import PROFESSIONAL, Actor
from relais.core.middleware import patient_path

ESTABLISHMENT_KEY = "establishment"


class ActorMiddleware:
    """Sets `request.actor`: the signed-in professional in the establishment chosen, or None.

    The membership is read at each request, so that removing a member takes effect at once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.actor = None if patient_path(request.path) else actor_of(request)
        return self.get_response(request)


def actor_of(request: Any) -> Actor | None:
    user = request.user
    if not user.is_authenticated:
        return None
    roles = {HELP_DESK} if user.help_desk else set()
    chosen = request.session.get(ESTABLISHMENT_KEY)
    membership = (
        Membership.objects.filter(user=user, establishment_id=chosen, ended_at=None).first() if chosen else None
    )
    if membership:
        roles.add(membership.role)
    return Actor(
        kind=PROFESSIONAL,
        user_id=user.pk,
        establishment_id=membership.establishment_id if membership else None,
        roles=frozenset(roles),
        assurance=2,
    )
