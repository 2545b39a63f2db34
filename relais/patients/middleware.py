"""From a patient's cookie to an Actor, on patients' pages only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import GUEST, PATIENT, Actor
from relais.core.middleware import patient_path
from relais.patients import entry
from relais.patients.models import Grant, GrantDevice, Holder

SEEN_EVERY = timedelta(minutes=1)


class GrantMiddleware:
    """Sets `request.actor` to the holder of the grant on /p/, /live/p/ and /upload/p/; never touches other pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        if patient_path(request.path):
            request.actor = actor_of(request.COOKIES.get(settings.PATIENT_COOKIE_NAME))
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse what another holder's page sends: on a family's telephone two tabs share the cookie of the last link."""
        if not patient_path(request.path) or request.actor is None or getattr(view, "access", "") == "public":
            return None
        said = request.headers.get("X-Relais-Holder", "")
        if not said and request.method == "POST" and request.path.startswith("/p/"):
            said = request.POST.get("relais_holder", "")
        if not said or said == str(request.actor.grant_id):
            return None
        sentence = _(
            "L’espace d’une autre personne a été ouvert dans un autre onglet. Rien n’a été envoyé : "
            "rouvrez le lien de votre message, puis recommencez."
        )
        return render(request, "core/refused.html", {"message": sentence}, status=409)


def actor_of(cookie: str | None) -> Actor | None:
    """The holder whose device the cookie names first, while device and grant are live; notes that it was seen.

    Read at each request, so that revoking takes effect at once. Streams ask again with the cookie they began with.
    """
    device = device_of(cookie)
    if device is None:
        return None
    now = timezone.now()
    if device.last_seen_at < now - SEEN_EVERY:
        GrantDevice.objects.filter(pk=device.pk).update(last_seen_at=now)
    return actor_for(device.grant, device)


def device_of(cookie: str | None) -> GrantDevice | None:
    """The live device of the cookie's current token."""
    tokens = entry.cookie_tokens(cookie)
    if not tokens:
        return None
    device = (
        GrantDevice.objects.select_related("grant")
        .filter(token_hash=entry.hash_token(tokens[0]), revoked_at=None)
        .first()
    )
    return device if device and device.grant.is_live() else None


def actor_for(grant: Grant, device: GrantDevice | None = None) -> Actor:
    """The actor of a grant. A guest has no patient: the identity stays closed to them."""
    guest = grant.holder == Holder.GUEST
    return Actor(
        kind=GUEST if guest else PATIENT,
        grant_id=grant.pk,
        patient_id=None if guest else grant.patient_id,
        about=grant.about,
        device_id=device.pk if device else None,
        assurance=device.factors if device else 0,
    )
