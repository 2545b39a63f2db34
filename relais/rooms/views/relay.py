"""Between a page of the call and the video relay: session descriptions, carried by the server."""

from typing import Any
from uuid import UUID

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from relais.core.access import anyone_inside
from relais.rooms import actions
from relais.rooms.actions.seats import Lost
from relais.rooms.views.bodies import read_id, read_json

LOST = {"inside": True, "lost": True}


@require_POST
@anyone_inside
def publish(request: Any, room_id: UUID) -> JsonResponse:
    """{peer, sdp, last}: what the page sends. Answers {sdp}, {lost} while no relay answers, or {inside: false}: look again."""
    body = read_json(request)
    try:
        answer = actions.take_seat(
            actor=request.actor,
            peer_id=read_id(body.get("peer")),
            offer=str(body.get("sdp", "")),
            give_up_on_relay=body.get("last") is True,
        )
    except Lost:
        return JsonResponse(LOST)
    return JsonResponse({"inside": answer is not None, "sdp": answer})


@require_POST
@anyone_inside
def receive(request: Any, room_id: UUID) -> JsonResponse:
    """{peer, seats}: whom the page receives. Answers {sdp, lines: {mid: seat}, fresh, seats}: an offer ("" when nothing changes)."""
    body = read_json(request)
    seats = body.get("seats")
    wanted = [read_id(one) for one in seats] if isinstance(seats, list) else []
    try:
        found = actions.receive(actor=request.actor, peer_id=read_id(body.get("peer")), seats=wanted)
    except Lost:
        return JsonResponse(LOST)
    if found is None:
        return JsonResponse({"inside": False})
    return JsonResponse(
        {
            "inside": True,
            "sdp": found.reception.offer,
            "lines": found.reception.lines,
            "fresh": found.fresh,
            "seats": sorted(map(str, found.seats)),
        }
    )


@require_POST
@anyone_inside
def answer(request: Any, room_id: UUID) -> JsonResponse:
    """{peer, sdp}: the page's answer to what `receive` offered."""
    body = read_json(request)
    try:
        inside = actions.answer_relay(
            actor=request.actor, peer_id=read_id(body.get("peer")), answer=str(body.get("sdp", ""))
        )
    except Lost:
        return JsonResponse(LOST)
    return JsonResponse({"inside": inside})
