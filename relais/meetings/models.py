"""Permanent rooms of nursing homes, on-calls and SAMU, and meetings of professionals: no patient in either."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower

from relais.accounts.models import User
from relais.core.models import Base
from relais.directory.models import Establishment, Kind, Need, Service
from relais.meetings.workflow import TRANSITIONS, State

if TYPE_CHECKING:
    from relais.core.actor import Actor

EARLY, LATE = (
    timedelta(minutes=30),
    timedelta(hours=4),
)  # before its hour, after its end: when people may enter a meeting

KEPT = timedelta(days=30)  # who was in a room, and when

# Who has a permanent room (VR-01): establishments by kind, services by need.
KINDS = (Kind.EHPAD, Kind.ESMS, Kind.SAMU)
NEEDS = (Need.GERIATRIC, Need.NIGHT, Need.MOBILE)


class Place(Base):
    """The permanent room of an establishment or of a service, made when somebody first enters."""

    establishment = models.OneToOneField(Establishment, on_delete=models.PROTECT, null=True, related_name="place")
    service = models.OneToOneField(Service, on_delete=models.PROTECT, null=True, related_name="place")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(establishment__isnull=True, service__isnull=False)
                | Q(establishment__isnull=False, service__isnull=True),
                name="place_has_one_owner",
            )
        ]

    @property
    def owner(self) -> Establishment | Service:
        return self.service or cast(Establishment, self.establishment)

    @property
    def holder(self) -> Establishment:
        """The establishment whose room it is, itself or through its service."""
        return self.service.establishment if self.service else cast(Establishment, self.establishment)


class Sitting(Base):
    """One conversation in a permanent room: its rooms.Room is `about` this row, so that none goes on in the next."""

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="sittings")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["place"], condition=Q(ended_at=None), name="sitting_one_open_a_place")
        ]


def has_room(owner: Establishment | Service) -> bool:
    """Whether this establishment or service is one of those that have a permanent room (VR-01)."""
    if isinstance(owner, Service):
        return owner.active and owner.establishment.active and owner.need in NEEDS
    return owner.active and owner.kind in KINDS


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def visible_to(self, actor: "Actor") -> "MeetingQuerySet":
        """Those that one planned, is invited to, or whose establishment one manages."""
        if not actor.is_professional or actor.establishment_id is None:
            return self.none()
        invited = Invitee.objects.filter(meeting=OuterRef("pk"), user=actor.user_id)
        managed = Q(establishment=actor.establishment_id) if actor.has_role("manager") else Q(pk__in=[])
        return self.filter(Q(organiser=actor.user_id) | Exists(invited) | managed)


class Meeting(Base):
    """Professionals meet by video, without a patient, now or at an hour (VR-07). Its rooms.Room is `about` this row."""

    TRANSITIONS = TRANSITIONS

    title = models.CharField("objet", max_length=120)
    organiser = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField("début")
    ends_at = models.DateTimeField("fin")
    max_people = models.PositiveSmallIntegerField("personnes au plus", default=4)
    state = models.CharField(max_length=20, choices=State, default=State.PLANNED)
    link_serial = models.PositiveIntegerField(default=0)  # only the last link for guests opens the door
    request_key = models.UUIDField(null=True, unique=True)  # of the form: sent twice, it plans once

    objects = MeetingQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["organiser", "starts_at"], name="meeting_organiser")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="meeting_ends_after_start"),
            models.CheckConstraint(condition=Q(max_people__gte=2), name="meeting_of_two_or_more"),
        ]

    @property
    def opens_at(self) -> datetime:
        """People enter from this instant on."""
        return self.starts_at - EARLY

    @property
    def closes_at(self) -> datetime:
        """Nobody enters from this instant on."""
        return self.ends_at + LATE


class Invitee(Base):
    """A professional told of a meeting by e-mail: with an account (`user`) they enter at once, without one they knock."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="invitees")
    email = models.EmailField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(Lower("email"), "meeting", name="invitee_once")]
        indexes = [models.Index(fields=["user"], name="invitee_user")]


class Guest(Base):
    """Somebody without an account who came by the link and said a name: never authenticated, always let in by a host."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="guests")
    name = models.CharField(max_length=80)
    token_hash = models.CharField(max_length=64, unique=True)  # of the browser's cookie
    link_serial = models.PositiveIntegerField(default=0)  # of the link by which they came

    class Meta:
        ordering = ["created_at", "id"]
