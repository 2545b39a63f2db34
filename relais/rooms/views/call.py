"""The page of the call, and what its scripts ask and tell."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from relais.core.access import anyone_inside
from relais.core.middleware import patient_path
from relais.core.reading import read_number
from relais.rooms import actions, turn
from relais.rooms.models import Invitation, Room
from relais.rooms.queries import call_state, get_room, lines
from relais.rooms.views.bodies import read_id, read_json

URLS = (
    "state",
    "join",
    "stay",
    "leave",
    "signal",
    "publish",
    "receive",
    "answer_relay",
    "say",
    "lines",
    "people",
    "ask",
    "answer",
)


def link(request: HttpRequest, name: str, *arguments: Any) -> str:
    """The address of a page of rooms, on the side (professional or patient) of this request."""
    return reverse(f"{side(request)}:{name}", args=arguments)


def side(request: HttpRequest) -> str:
    """The namespace of the addresses that fit who asks."""
    return "patient_rooms" if patient_path(request.path) else "rooms"


def context(
    request: Any, room: Room, invitation: Invitation, *, back_url: str, capture_url: str = ""
) -> dict[str, Any]:
    """What rooms/call.html needs: a workflow that extends it passes this on, with its own blocks.

    `back_url` is where one goes after leaving. `capture_url` takes POSTs of `file`, `kind` (photo or clip) and
    `consent` (the id of the Capture agreed to: use it up with actions.keep_capture); empty, nothing can be taken.
    """
    urls = {name: link(request, name, room.pk) for name in URLS} | {"presence": link(request, "presence")}
    return {
        "room": room,
        "me": invitation,
        "urls": urls,
        "topics": {
            "call": f"room:{room.pk} invitation:{invitation.pk}",
            "lines": f"lines:{room.pk}",
            "people": f"room:{room.pk} presence:{room.about}",
        },
        "back_url": back_url,
        "capture_url": capture_url,
        "test_url": link(request, "test"),
        "call_config": {
            "about": str(room.about),
            "host": invitation.is_host,
            "urls": urls,
            "backUrl": back_url,
            "sealUrl": static("rooms/call/sealing-worker.js"),
            "captureUrl": capture_url if invitation.is_host else "",
        },
        "lines": lines(room, invitation),
    }


@require_GET
@anyone_inside
def page(request: Any, room_id: UUID) -> HttpResponse:
    """The call without a workflow around it: guests come here."""
    room, invitation = get_room(request.actor, room_id)
    return render(request, "rooms/call.html", context(request, room, invitation, back_url=_home(request)))


def _home(request: HttpRequest) -> str:
    return "/p/" if patient_path(request.path) else "/"


@require_GET
@anyone_inside
def state(request: Any, room_id: UUID) -> JsonResponse:
    """?peer=&after=: what the page must know now (queries.call_state)."""
    room, invitation = get_room(request.actor, room_id)
    peer = request.GET.get("peer")
    after = read_number(request.GET.get("after", "0"), most=10**18) or 0
    return JsonResponse(call_state(room, invitation, read_id(peer) if peer else None, after))


@require_POST
@anyone_inside
def join(request: Any, room_id: UUID) -> JsonResponse:
    """Enter: the page's peer id, its ICE servers, and the state."""
    room, invitation = get_room(request.actor, room_id)
    closes = request.content_type == "application/json" and read_json(request).get("closes") is True
    peer = actions.join(actor=request.actor, room=room, closes=closes)
    room.refresh_from_db()  # a room of many may just have fallen back, or come back
    answer = {"peer": str(peer.pk), "servers": turn.credentials(peer.pk), "relay_only": room.relay_only}
    return JsonResponse({**answer, "state": call_state(room, invitation, peer.pk, 0)})


@require_POST
@anyone_inside
def stay(request: Any, room_id: UUID) -> JsonResponse:
    """{peer, quality, read, up}: the page is still there. Answers whether it is inside, and seated at the relay if it was."""
    body = read_json(request)
    read = body.get("read", 0)
    inside = actions.stay(
        actor=request.actor,
        peer_id=read_id(body.get("peer")),
        quality=str(body.get("quality", "")),
        read=read if isinstance(read, int) else 0,
    )
    page, up = read_id(body.get("peer")), body.get("up") is True
    seated = not inside or actions.keep_seat(actor=request.actor, peer_id=page, up=up)
    return JsonResponse({"inside": inside, "seated": seated})


@require_POST
@anyone_inside
def leave(request: Any, room_id: UUID) -> HttpResponse:
    """peer=…: sent as a form, so that a page that closes can still send it."""
    actions.leave_call(actor=request.actor, peer_id=read_id(request.POST.get("peer")))
    return HttpResponse(status=204)


@require_POST
@anyone_inside
def signal(request: Any, room_id: UUID) -> JsonResponse:
    """{peer, messages: [{to, payload}]}. Answers whether the page is still inside."""
    body = read_json(request)
    messages = body.get("messages")
    inside = actions.signal(
        actor=request.actor,
        peer_id=read_id(body.get("peer")),
        messages=messages if isinstance(messages, list) else [],
    )
    return JsonResponse({"inside": inside})


@require_POST
@anyone_inside
def say(request: Any, room_id: UUID) -> HttpResponse:
    """text=…: write to the others; answers with all lines."""
    room, invitation = get_room(request.actor, room_id)
    actions.say(actor=request.actor, room=room, text=request.POST.get("text", ""))
    return _lines(request, room, invitation)


@require_GET
@anyone_inside
def read_lines(request: Any, room_id: UUID) -> HttpResponse:
    """The lines of the room, for those who may enter."""
    room, invitation = get_room(request.actor, room_id)
    return _lines(request, room, invitation)


def _lines(request: HttpRequest, room: Room, invitation: Invitation) -> HttpResponse:
    return render(request, "rooms/lines.html", {"lines": lines(room, invitation), "me": invitation})


@require_POST
@anyone_inside
def ask(request: Any, room_id: UUID) -> JsonResponse:
    """{subject, kind}: ask somebody to agree to a picture."""
    room, _invitation = get_room(request.actor, room_id)
    body = read_json(request)
    capture = actions.ask_capture(
        actor=request.actor, room=room, subject_id=read_id(body.get("subject")), kind=str(body.get("kind"))
    )
    return JsonResponse({"id": str(capture.pk)})


@require_POST
@anyone_inside
def answer(request: Any, room_id: UUID) -> HttpResponse:
    """{id, agreed}: agree to a picture, or not."""
    body = read_json(request)
    actions.answer_capture(actor=request.actor, capture_id=read_id(body.get("id")), agreed=body.get("agreed") is True)
    return HttpResponse(status=204)
