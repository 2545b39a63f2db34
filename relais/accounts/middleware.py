"""From a session to an Actor, and when a session ends by itself."""

from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.queries import ACTIVE_AT, SIGNED_IN_AT, session_actor
from relais.core.middleware import patient_path

NOTED_EVERY = 30  # seconds: a session is not written at each request


class SessionLimits:
    """Ends a session after settings.SESSION_IDLE_SECONDS without a human act, and 12 h after sign-in whatever happens.

    What a page does by itself is no act: live streams, and requests that carry `X-Background: 1` (heartbeats, polls).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        if not patient_path(request.path) and request.user.is_authenticated:
            now = timezone.now().timestamp()
            if sentence := over(request.session, now):
                logout(request)
                messages.info(request, sentence)
            elif not background(request):
                note(request, now)
        return self.get_response(request)


def background(request: HttpRequest) -> bool:
    """Whether the page asks by itself, without anyone acting."""
    return request.path.startswith("/live/") or request.headers.get("X-Background") == "1"


def over(session: Any, now: float) -> str:
    """Why this session has ended, as a sentence; empty while it lasts."""
    if now - session.get(ACTIVE_AT, now) > settings.SESSION_IDLE_SECONDS:
        return _("Votre session a pris fin après un temps sans activité. Connectez-vous pour retrouver votre page.")
    if now - session.get(SIGNED_IN_AT, now) > settings.SESSION_COOKIE_AGE:
        return _("Votre session est ouverte depuis 12 heures. Connectez-vous de nouveau.")
    return ""


def seconds_left(session: Any) -> int:
    """Seconds until this session ends if nobody acts."""
    now = timezone.now().timestamp()
    idle = settings.SESSION_IDLE_SECONDS - (now - session.get(ACTIVE_AT, now))
    whole = settings.SESSION_COOKIE_AGE - (now - session.get(SIGNED_IN_AT, now))
    return max(0, int(min(idle, whole)))


def note(request: Any, now: float) -> None:
    """Someone acted: the idle time starts anew, and the device was last seen now."""
    session = request.session
    session.setdefault(SIGNED_IN_AT, now)
    if now - session.get(ACTIVE_AT, 0) > min(NOTED_EVERY, settings.SESSION_IDLE_SECONDS / 10):
        session[ACTIVE_AT] = now
        if not UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now()):
            UserSession.objects.create_from_request(request)


class ActorMiddleware:
    """Sets `request.actor`: the signed-in professional in the establishment chosen, or None.

    The membership is read at each request, so that removing a member takes effect at once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.actor = None if patient_path(request.path) else session_actor(request.user, request.session)
        return self.get_response(request)
