"""Permanent rooms: the page that leads to them, the room itself, who was there (VR-01 … VR-06)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from relais.core import navigation
from relais.core.access import professional
from relais.core.actor import Actor
from relais.core.doors import the_one
from relais.core.errors import NotFound
from relais.core.written import written
from relais.directory.models import Department, Establishment, Need
from relais.meetings.actions import places as actions
from relais.meetings.models import has_room
from relais.meetings.permissions import places as may
from relais.meetings.queries import meetings
from relais.meetings.queries import places as queries
from relais.meetings.topics import ON_DUTY, doors
from relais.oncall import bells
from relais.oncall.queries import on_call_ids
from relais.rooms.queries import get_room
from relais.rooms.views.call import context

# What a ping draws again, by the element that hears it.
FRAGMENTS = {"places": "meetings/_places.html", "other-places": "meetings/_others.html"}


@professional()
@require_GET
def places(request: Any) -> HttpResponse:
    """*Dispositif COVID-19, accès salles ESMS*: one's own room first, then those that others wait in (VR-04)."""
    actor = request.actor
    on_duty = may.is_on_duty(actor)
    here = Establishment.objects.get(pk=actor.here)
    own = queries.own(actor, here)
    text = request.GET.get("q", "").strip()[:100]
    department = request.GET.get("departement", here.department)
    department = department if department in Department.values else ""
    seen = {one.pk for one in own}
    others = queries.found(actor, text, department) if text else queries.answering(actor, department or here.department)
    more = bool(text) and len(others) > queries.FOUND
    others = [one for one in (others[: queries.FOUND] if text else others) if one.pk not in seen]
    values = {
        "own": queries.cards(actor, own, mine=True, at_once=True),
        "open_now": queries.open_now(actor, but=seen) if on_duty else [],
        "others": queries.cards(actor, others, at_once=on_duty),
        "more": more,
        "on_duty": on_duty,
        "text": text,
        "department": department,
        "departments": Department.choices,
        "topics": " ".join([doors(actor.here), doors(actor.me), *([ON_DUTY] if on_duty else [])]),
        "numbers": queries.numbers(actor, here, timezone.now()),
    }
    return render(request, FRAGMENTS.get(request.htmx.target or "", "meetings/places.html"), values)


@professional()
@require_POST
def enter(request: Any, owner_id: UUID) -> HttpResponse:
    """One tap: into the room, or to its door."""
    actions.enter(actor=request.actor, owner_id=owner_id)
    return redirect(f"{reverse('meetings:place', args=[owner_id])}?entrer=1")


@professional()
@require_GET
def place(request: Any, owner_id: UUID) -> HttpResponse:
    """The room, for those who entered or knock."""
    owner = queries.owner(request.actor, owner_id)
    sitting = queries.open_sitting(owner.pk)
    room = sitting and queries.room_of(sitting)
    try:
        if room is None:
            raise NotFound
        room, invitation = get_room(request.actor, room.pk)
    except NotFound:
        messages.info(request, _("Tout le monde a quitté cette salle. Entrez de nouveau : une salle neuve s’ouvre."))
        return redirect("meetings:places")
    return render(
        request,
        "meetings/place.html",
        {
            **context(request, room, invitation, back_url=reverse("meetings:places")),
            "owner": owner,
            "enter_now": request.GET.get("entrer") == "1",
            "may_read_stays": may.is_of(request.actor, owner),
            "numbers": queries.numbers(request.actor, _holder(owner), timezone.now()),
        },
    )


def _holder(owner: queries.Owner) -> Establishment:
    return owner if isinstance(owner, Establishment) else owner.establishment


@professional()
@require_GET
def stays(request: Any, owner_id: UUID) -> HttpResponse:
    """Who was in the room and when, for those of the place: nothing else is kept."""
    owner = queries.owner(request.actor, owner_id)
    if not may.is_of(request.actor, owner):
        raise NotFound
    found = queries.place_of(owner.pk)
    sittings = queries.stays(found, timezone.now()) if found else []
    return render(request, "meetings/stays.html", {"owner": owner, "sittings": sittings})


@professional()
@require_GET
def alerts(request: Any) -> HttpResponse:
    """The part of the top bar that says who is at the doors of one's own rooms and meetings."""
    place = request.GET.get("lieu")
    place = place if place in (navigation.CALL, navigation.LIST) else navigation.PAGE
    return HttpResponse(_alerts(request.actor, place)[1])


@written
def _here(actor: Actor, needs: tuple[Need, ...], now: datetime) -> QuerySet[Establishment]:
    """The establishment, with whether they have a meeting now, the rooms that they answer for, and for what they are on call."""
    return Establishment.objects.filter(pk=actor.here).annotate(
        meets=meetings.has_one_now(actor, now), answered=queries.answered_ids(actor),
        on_call=on_call_ids(actor, needs, now),
    )  # fmt: skip


def _alerts(actor: Actor, place: str) -> tuple[list[str], str]:
    """The topics, none for whom nothing may ring now, and what rings. Asked on every page: two queries while nobody is in a
    room, one for whom nothing may ring, one more for those on call.

    A call has its own door and leaves no page for another: what rings there is the on-call's alone.
    """
    now = timezone.now()
    here: Any = the_one(_here(actor, tuple(bells.needs()), now))
    heard = bells.heard(actor, here, here.on_call or [], place)  # None: of a role that answers for nothing
    topics = [topic for bell in heard for topic in bell.topics]
    context_: dict[str, Any] = {"bells": [bell.html for bell in heard]}
    rooms = [*([here.pk] if has_room(here) else []), *(here.answered or [])]
    if place != navigation.CALL and (rooms or here.meets):
        topics += [doors(actor.here), doors(actor.me)]
        context_ |= {
            "cards": queries.ringing(actor, rooms), "doors": meetings.doors_of(actor, now) if here.meets else [],
        }  # fmt: skip
    return topics, render_to_string("meetings/_alerts.html", context_) if topics else ""


def tray(actor: Actor, place: str) -> str:
    """On every page of those who have a room or a meeting now, or are on call: who waits there, with a sound (B3.3)."""
    topics, alerts_ = _alerts(actor, place)
    if not topics:
        return ""
    return render_to_string("meetings/tray.html", {"topics": " ".join(topics), "place": place, "alerts": alerts_})
