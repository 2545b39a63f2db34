"""Who is in the room, who waits at its door; presence."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from relais.core.access import anyone_inside
from relais.rooms import actions
from relais.rooms.models import Invitation, Room
from relais.rooms.permissions import can_enter
from relais.rooms.queries import get_guest, get_room, people
from relais.rooms.views.bodies import read_id
from relais.rooms.views.call import side


@require_GET
@anyone_inside
def read_people(request: Any, room_id: UUID) -> HttpResponse:
    """The list of people, for those who may enter; hosts get its buttons."""
    room, invitation = get_room(request.actor, room_id)
    return _people(request, room, invitation)


@require_POST
@anyone_inside
def admit(request: Any, room_id: UUID, invitation_id: UUID) -> HttpResponse:
    room, invitation = get_room(request.actor, room_id)
    actions.admit(actor=request.actor, invitation=get_guest(request.actor, room, invitation_id))
    return _people(request, room, invitation)


@require_POST
@anyone_inside
def revoke(request: Any, room_id: UUID, invitation_id: UUID) -> HttpResponse:
    room, invitation = get_room(request.actor, room_id)
    actions.revoke(actor=request.actor, invitation=get_guest(request.actor, room, invitation_id))
    return _people(request, room, invitation)


def _people(request: HttpRequest, room: Room, invitation: Invitation) -> HttpResponse:
    if not can_enter(invitation):
        return HttpResponse(status=204)  # at the door, or after the end: nothing to show, and nothing wrong
    values = {"people": people(room), "me": invitation, "room": room, "side": side(request)}
    return render(request, "rooms/people.html", values)


@require_POST
@anyone_inside
def presence(request: Any) -> HttpResponse:
    """about=…&place=…[&left=1]: this page is open there, or closes."""
    act = actions.leave if request.POST.get("left") else actions.beat
    act(actor=request.actor, about=read_id(request.POST.get("about")), place=request.POST.get("place", ""))
    return HttpResponse(status=204)
