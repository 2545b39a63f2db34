"""The door of a meeting for somebody without an account: a name, the lobby, the room."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from relais.core.access import patient, public
from relais.core.errors import NotFound, Refused
from relais.meetings import links
from relais.meetings.actions import guests as actions
from relais.meetings.forms import GuestForm
from relais.meetings.models import Meeting
from relais.rooms.models import Room
from relais.rooms.queries import get_room
from relais.rooms.views.call import context


@public
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: Any, meeting_id: UUID) -> HttpResponse:
    """The same page for every id: whether there is a meeting is said to whoever shows its secret."""
    if request.method != "POST" and request.actor and request.actor.about == meeting_id:
        return redirect("meeting_guest:call")
    form = GuestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token = actions.come(meeting_id=meeting_id, **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            response = redirect("meeting_guest:call")
            response.set_cookie(
                links.COOKIE, token, path="/", httponly=True, samesite="Lax", secure=settings.SECURE_TLS
            )
            return response
    return render(request, "meetings/guest_door.html", {"form": form}, status=422 if form.errors else 200)


@patient
@require_GET
def call(request: Any) -> HttpResponse:
    """The lobby, then the room."""
    room = Room.objects.filter(about=request.actor.about).first()
    if room is None or not Meeting.objects.filter(pk=room.about).exists():
        raise NotFound
    room, invitation = get_room(request.actor, room.pk)
    back = reverse("meeting_guest:door", args=[room.about])
    return render(request, "meetings/guest_call.html", context(request, room, invitation, back_url=back))
