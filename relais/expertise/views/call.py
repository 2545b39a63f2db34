"""The room of a request: both sides see and hear each other, the request beside the video."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from relais.core.access import professional
from relais.core.errors import NotFound
from relais.expertise import permissions as may
from relais.expertise.actions import meeting
from relais.expertise.views.request import asked_of
from relais.questionnaires.queries import shown
from relais.rooms.models import Room
from relais.rooms.queries import get_room
from relais.rooms.views.call import context


@professional(*may.CLINICAL)
@require_POST
def join(request: Any, dossier_id: UUID) -> HttpResponse:
    """*Rejoindre*: a place in the room."""
    meeting.join(actor=request.actor, asked=asked_of(request, dossier_id, "Échange en visio"))
    return redirect("expertise:call", dossier_id)


@professional(*may.CLINICAL)
def page(request: Any, dossier_id: UUID) -> HttpResponse:
    """The call, for those who joined."""
    asked = asked_of(request, dossier_id, "Échange en visio")
    room = Room.objects.filter(about=asked.pk).first()
    if room is None:
        raise NotFound
    room, invitation = get_room(request.actor, room.pk)
    back = reverse("expertise:request", args=[asked.pk])
    beside = {
        "asked": asked,
        "sections": shown(asked.response) if asked.response else [],
        "answers": may.can_answer(request.actor, asked),
        "inside": [],
    }
    return render(request, "expertise/call.html", {**context(request, room, invitation, back_url=back), **beside})
