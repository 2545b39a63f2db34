"""From a guest's cookie to an Actor, on the pages of their meeting only."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from relais.meetings import links
from relais.meetings.actions.guests import actor_of, guest_of
from relais.meetings.models import Guest
from relais.rooms.queries import room_of


class GuestMiddleware:
    """Sets `request.actor` to the guest on /p/reunions/, in the room of their meeting and on its stream.

    Elsewhere, and where a patient is let in with the same browser, it changes nothing. Stands after GrantMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        if request.path.startswith(("/p/reunions/", "/p/salles/", "/live/p/")):
            guest = guest_of(request.COOKIES.get(links.COOKIE, ""))
            if guest and self._theirs(request, guest):
                request.actor = actor_of(guest)
        return self.get_response(request)

    @staticmethod
    def _theirs(request: Any, guest: Guest) -> bool:
        if request.path.startswith("/p/reunions/") or request.actor is None:
            return True
        if request.path == "/p/salles/presence":
            return request.POST.get("about") == str(guest.meeting_id)
        room = room_of(guest.meeting_id)
        return room is not None and f"/{room.pk}/" in request.path
