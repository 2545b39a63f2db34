"""Meetings of professionals: planning, inviting, entering, ending (VR-07)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership, User
from relais.audit import actions as audit
from relais.core import live
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import each, whole
from relais.core.workflow import apply
from relais.directory.models import Establishment
from relais.meetings import messages
from relais.meetings.models import KEPT, LATE, Guest, Invitee, Meeting
from relais.meetings.permissions import meetings as may
from relais.meetings.queries.places import display_name
from relais.meetings.topics import doors
from relais.meetings.topics import meeting as topic
from relais.meetings.workflow import State
from relais.rooms import actions as rooms
from relais.rooms import queries as room_queries
from relais.rooms.models import Part, Room

INVITED_MOST = 50
FARTHEST = timedelta(days=366)
PAST = timedelta(minutes=15)  # an hour that is just past is meant for now


@dataclass(frozen=True)
class Planned:
    """What one asks for; `starts_at` None: now."""

    title: str
    starts_at: datetime | None
    minutes: int
    max_people: int
    emails: tuple[str, ...] = ()


@whole
def plan(*, actor: Actor, said: Planned, request_key: UUID | None = None) -> Meeting:
    """Plan a meeting, or begin one now, and tell those invited. The same `request_key` sent twice plans once.

    Raises Refused for an hour that is past or more than a year ahead, and for addresses (see `invite`).
    """
    if not may.can_plan(actor):
        raise NotFound
    if request_key and (done := _planned_before(actor, request_key)):
        return done
    now = timezone.now()
    start = said.starts_at or now
    if start < now - PAST:
        raise Refused(_("Cette heure est passée. Choisissez une heure à venir, ou commencez maintenant."), field="time")
    if start > now + FARTHEST:
        raise Refused(_("Cette date est à plus d’un an. Vérifiez l’année."), field="date")
    meeting = Meeting.objects.create(
        title=said.title,
        organiser_id=actor.me,
        establishment_id=actor.here,
        starts_at=start,
        ends_at=start + timedelta(minutes=said.minutes),
        max_people=said.max_people,
        request_key=request_key,
    )
    audit.record(actor=actor, action="meeting.plan", about=meeting.pk)
    invite(actor=actor, meeting=meeting, emails=said.emails)
    return meeting


def _planned_before(actor: Actor, request_key: UUID) -> Meeting | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"meeting:{request_key}"])
    done = Meeting.objects.filter(request_key=request_key).first()
    if done and done.organiser_id != actor.user_id:
        raise NotFound
    return done


@whole
def invite(*, actor: Actor, meeting: Meeting, emails: Iterable[str]) -> list[Invitee]:
    """Send the hour, the link and the calendar file to these addresses; who was told already is not told again.

    Whoever has an account enters at once, anybody else knocks. Raises Refused once the meeting is over, for more than
    50 people, and for the address of somebody who works nowhere any more.
    """
    locked = _lock(meeting)
    if not may.can_arrange(actor, locked):
        raise NotFound
    refuse_late(locked)
    known = {one.email.lower() for one in locked.invitees.all()}
    wanted = [one for one in dict.fromkeys(email.strip().lower() for email in emails) if one and one not in known]
    if len(known) + len(wanted) > INVITED_MOST:
        raise Refused(_("Cinquante personnes au plus sont invitées à une réunion."), field="emails")
    users = {user.email.lower(): user for user in User.objects.filter(email__in=wanted)}
    for email, user in users.items():
        _refuse_gone(email, user)
    wanted = [email for email in wanted if email not in users or users[email].pk != locked.organiser_id]
    rows = [Invitee(meeting=locked, email=email, user=users.get(email)) for email in wanted]
    Invitee.objects.bulk_create(rows)
    messages.send(messages.INVITED, locked, rows, _sender(locked))
    live.ping(topic(locked.pk))
    return rows


def _refuse_gone(email: str, user: User) -> None:
    working = Membership.objects.filter(user=user, ended_at=None, establishment__active=True)
    if not user.is_active or not working.exists():
        raise Refused(
            _("%(email)s : cette personne ne travaille plus dans un établissement de Relais. Retirez cette adresse.")
            % {"email": email},
            field="emails",
        )


def _sender(meeting: Meeting) -> str:
    return display_name(meeting.organiser, meeting.establishment)


def _lock(meeting: Meeting) -> Meeting:
    return (
        Meeting.objects.select_for_update(of=("self",)).select_related("organiser", "establishment").get(pk=meeting.pk)
    )


def refuse_late(meeting: Meeting) -> None:
    """Raises Refused with the reason why nobody enters any more."""
    if meeting.state == State.CANCELLED:
        raise Refused(_("Cette réunion est annulée."))
    if meeting.state == State.ENDED:
        raise Refused(_("Cette réunion est terminée. Pour en tenir une autre, demandez un nouveau lien."))
    if timezone.now() >= meeting.closes_at:
        raise Refused(
            _("Cette réunion était prévue le %(when)s : elle est passée. Demandez un nouveau lien.")
            % {"when": messages.said(meeting.starts_at)}
        )


def refuse_closed(meeting: Meeting) -> None:
    """Raises Refused when it is too late, or too early."""
    refuse_late(meeting)
    if timezone.now() < meeting.opens_at:
        raise Refused(
            _("La réunion est prévue le %(when)s. Vous pourrez entrer 30 minutes avant, par ce même lien.")
            % {"when": messages.said(meeting.starts_at)}
        )


def open_room(meeting: Meeting) -> Room:
    """The room of this meeting, made on the first entry; its hosts hear who comes."""
    users = [meeting.organiser_id, *meeting.invitees.filter(user__isnull=False).values_list("user_id", flat=True)]
    return rooms.open_room(
        actor=SYSTEM_ACTOR,
        about=meeting.pk,
        relay_only=meeting.establishment.relay_only,
        max_people=meeting.max_people,
        topics=[topic(meeting.pk), *(doors(one) for one in sorted(set(users)))],
    )


@whole
def enter(*, actor: Actor, meeting: Meeting) -> Room:
    """A host enters at once. Raises NotFound for who is not invited, Refused out of its hours."""
    locked = _lock(meeting)
    if not may.can_host(actor, locked):
        raise NotFound
    refuse_closed(locked)
    room = open_room(locked)
    user = User.objects.get(pk=actor.me)
    rooms.invite(
        actor=actor,
        room=room,
        holder_id=user.pk,
        part=Part.HOST,
        name=display_name(user, Establishment.objects.get(pk=actor.here)),
        authenticated=True,
        establishment_id=actor.here,
    )
    audit.record(actor=actor, action="meeting.enter", about=locked.pk)
    return room


@whole
def renew_link(*, actor: Actor, meeting: Meeting) -> Meeting:
    """Another link for guests: the one before opens nothing any more. Who was let in stays, who was not is forgotten."""
    locked = _lock(meeting)
    if not may.can_arrange(actor, locked):
        raise NotFound
    refuse_late(locked)
    locked.link_serial += 1
    locked.save(update_fields=["link_serial"])
    strangers = rooms.forget(actor=actor, about=locked.pk, holders=locked.guests.values_list("pk", flat=True))
    locked.guests.filter(pk__in=strangers).delete()
    audit.record(actor=actor, action="meeting.link", about=locked.pk)
    live.ping(topic(locked.pk))
    return locked


@whole
def cancel(*, actor: Actor, meeting: Meeting) -> Meeting:
    """Call it off: those invited are told, the calendar file takes the entry back."""
    if room_queries.who_is_inside(meeting.pk):
        raise Refused(_("Des personnes sont dans la réunion. Terminez-la au lieu de l’annuler."))
    moved: Meeting = apply(meeting, "cancel", actor, _record)
    messages.forget(moved)
    told = list(moved.invitees.all())
    messages.send(messages.CANCELLED, moved, told, _sender(moved))
    return moved


@whole
def end(*, actor: Actor, meeting: Meeting) -> Meeting:
    """End it for all; what was written in the room is forgotten."""
    moved: Meeting = apply(meeting, "end", actor, _record)
    messages.forget(moved)
    return moved


def _record(meeting: Meeting, verb: str, actor: Actor, source: str) -> None:
    rooms.clear_room(actor=SYSTEM_ACTOR, about=meeting.pk)
    rooms.end_room(actor=SYSTEM_ACTOR, about=meeting.pk)
    audit.record(actor=actor, action=f"meeting.{verb}", about=meeting.pk)
    live.ping(topic(meeting.pk))


def end_past() -> int:
    """End the meetings that are over for four hours and in which nobody is, each by itself; returns how many."""
    ended: list[bool] = []
    over = Meeting.objects.filter(state=State.PLANNED, ends_at__lt=timezone.now() - LATE)
    each(over, lambda meeting: ended.append(_end_left(meeting)))
    return sum(ended)


@whole
def _end_left(meeting: Meeting) -> bool:
    if _lock(meeting).state != State.PLANNED or room_queries.who_is_inside(meeting.pk):
        return False  # a host ended it, or came back, meanwhile
    end(actor=SYSTEM_ACTOR, meeting=meeting)
    return True


@whole
def forget() -> None:
    """Erase who was in the meetings of more than 30 days ago, guests and all; that they were held is kept."""
    over = Meeting.objects.exclude(state=State.PLANNED).filter(ends_at__lt=timezone.now() - KEPT)
    rooms.erase(actor=SYSTEM_ACTOR, abouts=over.order_by().values_list("pk", flat=True))
    Guest.objects.filter(meeting__in=over.order_by()).delete()
