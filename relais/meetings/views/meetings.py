"""Meetings of professionals: plan, invite, enter, end (VR-07)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.workflow import possible
from relais.meetings.actions import meetings as actions
from relais.meetings.forms import InviteForm, MeetingForm
from relais.meetings.messages import guest_link
from relais.meetings.models import Meeting
from relais.meetings.permissions import meetings as may
from relais.meetings.queries import meetings as queries
from relais.meetings.topics import meeting as topic
from relais.rooms.queries import get_room, who_is_inside
from relais.rooms.views.call import context


@professional()
@require_GET
def meetings(request: Any) -> HttpResponse:
    """Those to come, then those that are over."""
    now = timezone.now()
    values = {"to_come": queries.to_come(request.actor, now), "past": queries.past(request.actor, now)}
    return render(request, "meetings/meetings.html", values)


@professional()
@require_http_methods(["GET", "POST"])
def plan(request: Any) -> HttpResponse:
    """Now, or at an hour."""
    form = MeetingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        said = actions.Planned(
            given["title"], given["starts_at"], given["minutes"], given["max_people"], given["emails"]
        )
        try:
            made = actions.plan(actor=request.actor, said=said, request_key=given["request_key"])
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("La réunion est prévue. Les personnes invitées reçoivent leur message."))
            return redirect("meetings:meeting", made.pk)
    return render(request, "meetings/plan.html", {"form": form}, status=422 if form.errors else 200)


@professional()
@require_GET
def meeting(request: Any, meeting_id: UUID) -> HttpResponse:
    """One meeting: when, who was told, the link for guests, the door."""
    found = queries.find(request.actor, meeting_id)
    return _page(request, found, InviteForm())


def _page(request: Any, found: Meeting, form: InviteForm) -> HttpResponse:
    arranges = may.can_arrange(request.actor, found)
    values = {
        "meeting": found,
        "told": queries.told(found),
        "closed": _why_closed(actions.refuse_closed, found),
        "over": _why_closed(actions.refuse_late, found),
        "may_host": may.can_host(request.actor, found),
        "arranges": arranges,
        "link": guest_link(found) if arranges or may.can_host(request.actor, found) else "",
        "verbs": possible(found, request.actor),
        "inside": who_is_inside(found.pk),
        "form": form,
        "topics": f"{topic(found.pk)} presence:{found.pk}",
    }
    fragment = request.htmx and request.htmx.target == "meeting-now"
    template = "meetings/_meeting_now.html" if fragment else "meetings/meeting.html"
    return render(request, template, values, status=422 if form.errors else 200)


def _why_closed(check: Callable[[Meeting], None], found: Meeting) -> str:
    try:
        check(found)
    except Refused as refused:
        return refused.message
    return ""


@professional()
@require_POST
def invite(request: Any, meeting_id: UUID) -> HttpResponse:
    found = queries.find(request.actor, meeting_id)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            told = actions.invite(actor=request.actor, meeting=found, emails=form.cleaned_data["emails"])
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request,
                _("Invitations envoyées : %s.") % len(told) if told else _("Ces personnes étaient déjà invitées."),
            )
            return redirect("meetings:meeting", found.pk)
    return _page(request, found, form)


@professional()
@require_POST
def renew_link(request: Any, meeting_id: UUID) -> HttpResponse:
    actions.renew_link(actor=request.actor, meeting=queries.find(request.actor, meeting_id))
    messages.success(request, _("Le lien est remplacé : l’ancien n’ouvre plus la réunion."))
    return redirect("meetings:meeting", meeting_id)


@professional()
@require_POST
def join(request: Any, meeting_id: UUID) -> HttpResponse:
    actions.enter(actor=request.actor, meeting=queries.find(request.actor, meeting_id))
    return redirect("meetings:call", meeting_id)


@professional()
@require_GET
def call(request: Any, meeting_id: UUID) -> HttpResponse:
    """The room, for hosts who entered."""
    found = queries.find(request.actor, meeting_id)
    room = queries.room_of(found)
    if room is None:
        raise NotFound
    room, invitation = get_room(request.actor, room.pk)
    values = context(request, room, invitation, back_url=reverse("meetings:meeting", args=[found.pk]))
    link = guest_link(found)
    return render(
        request,
        "meetings/call.html",
        {**values, "meeting": found, "link": link, "arranges": may.can_arrange(request.actor, found)},
    )


@professional()
@require_POST
def cancel(request: Any, meeting_id: UUID) -> HttpResponse:
    actions.cancel(actor=request.actor, meeting=queries.find(request.actor, meeting_id))
    messages.success(request, _("La réunion est annulée. Les personnes invitées en sont prévenues."))
    return redirect("meetings:meeting", meeting_id)


@professional()
@require_POST
def end(request: Any, meeting_id: UUID) -> HttpResponse:
    actions.end(actor=request.actor, meeting=queries.find(request.actor, meeting_id))
    messages.success(request, _("La réunion est terminée pour tous. Les messages écrits sont effacés."))
    return redirect("meetings:meeting", meeting_id)
