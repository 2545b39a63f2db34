"""Who answers for a service of the directory: its pool, and who is on duty when."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.utils import timezone

from relais.accounts.models import Membership, Role, User
from relais.core.doors import among
from relais.core.models import Base
from relais.directory.models import Establishment, Service
from relais.oncall.workflow import ASK, LIVE, SLOT, AskState, SlotState

if TYPE_CHECKING:
    from relais.core.actor import Actor

POOL_ROLES = (Role.PRACTITIONER, Role.CAREGIVER)  # who answers for a service


class PoolMemberQuerySet(models.QuerySet["PoolMember"]):
    def at_work(self, roles: Iterable[str] = POOL_ROLES) -> "PoolMemberQuerySet":
        """Who can still answer: not those who left the establishment in whose name they joined, or changed their role."""
        there = {"user_id": OuterRef("user_id"), "establishment_id": OuterRef("establishment_id")}
        return self.filter(Exists(Membership.objects.at_work(roles).filter(**there)), until=None)

    def on_call(self) -> "PoolMemberQuerySet":
        """Who may stand in a rota: practitioners at work. A caregiver answers for a service, but takes no request."""
        return self.at_work([Role.PRACTITIONER])

    def of(self, actor: "Actor") -> "PoolMemberQuerySet":
        """Where the actor answers in the name of the establishment chosen, in a role that may."""
        if not (actor.is_professional and actor.has_role(*POOL_ROLES)):
            return self.none()
        return self.filter(user_id=actor.user_id, establishment_id=actor.establishment_id, until=None)

    def serve(self, field: str) -> Q:
        """Rows whose `field`, a service's id, is one of these members'."""
        return among(field, self.values("service_id"))


class PoolMember(Base):
    """A professional who answers for a service as a member of an establishment, its own or another."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="pool")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(null=True)

    objects = PoolMemberQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "user"], condition=Q(until=None), name="pool_member_once"),
        ]
        indexes = [models.Index(fields=["user", "establishment"], condition=Q(until=None), name="pool_member_live")]


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class OnCallSlotQuerySet(models.QuerySet["OnCallSlot"]):
    def visible_to(self, actor: "Actor") -> "OnCallSlotQuerySet":
        """One's own slots and those that one stands behind, the rota of the services one answers for, and of those of the
        establishment one manages."""
        if not actor.is_professional or actor.establishment_id is None:
            return self.none()
        mine = (
            Q(user=actor.user_id)
            | Q(backup=actor.user_id)
            | Q(service__in=PoolMember.objects.of(actor).values("service"))
        )
        held = Q(service__establishment=actor.establishment_id) if actor.has_role(Role.MANAGER) else Q(pk__in=[])
        return self.filter(mine | held)

    def live(self) -> "OnCallSlotQuerySet":
        """In the rota: those that somebody else took over are only remembered."""
        return self.filter(state__in=LIVE)

    def at(self, moment: datetime) -> "OnCallSlotQuerySet":
        return self.live().filter(starts_at__lte=moment, ends_at__gt=moment)

    def between(self, start: datetime, end: datetime) -> "OnCallSlotQuerySet":
        """Those that have a part of this time."""
        return self.live().filter(starts_at__lt=end, ends_at__gt=start)

    def told(self) -> "OnCallSlotQuerySet":
        """With `doctor_here` and `backup_here`: whether they still answer for the service, as practitioners."""
        here = PoolMember.objects.on_call().filter(service_id=OuterRef("service_id"))
        return self.annotate(
            doctor_here=Exists(here.filter(user_id=OuterRef("user_id"))),
            backup_here=Exists(here.filter(user_id=OuterRef("backup_id"))),
        )


class OnCallSlot(Base):
    """A doctor is on call for a service, in the name of an establishment, from an instant to another (domain.md §3.4)."""

    TRANSITIONS = SLOT

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="slots")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField("début")
    ends_at = models.DateTimeField("fin")
    phone = models.CharField("téléphone", max_length=20)
    backup = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    backup_phone = models.CharField("téléphone du renfort", max_length=20, blank=True)
    state = models.CharField(max_length=20, choices=SlotState, default=SlotState.PLANNED)

    doctor_here: bool  # of `told`
    backup_here: bool

    objects = OnCallSlotQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            models.Index(fields=["service", "ends_at"], condition=Q(state__in=LIVE), name="oncall_service_end"),
            models.Index(fields=["user", "ends_at"], name="oncall_user_end"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="oncall_ends_after_start"),
            models.CheckConstraint(
                condition=Q(backup=None, backup_phone="") | (Q(backup__isnull=False) & ~Q(backup=F("user"))),
                name="oncall_backup_is_another",
            ),
            # Two doctors may be on call at once, the same one may not.
            ExclusionConstraint(
                name="oncall_doctor_once",
                expressions=[
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                    ("service", RangeOperators.EQUAL),
                    ("user", RangeOperators.EQUAL),
                ],
                condition=Q(state__in=LIVE),
            ),
        ]


class Replacement(Base):
    """A doctor asks another one to take a slot over, perhaps against one of theirs. Nothing changes until they accept."""

    TRANSITIONS = ASK

    slot = models.ForeignKey(OnCallSlot, on_delete=models.CASCADE, related_name="replacements")
    asked = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    against = models.ForeignKey(OnCallSlot, on_delete=models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=20, choices=AskState, default=AskState.ASKED)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["asked"], condition=Q(state="asked"), name="replacement_awaited")]
        constraints = [
            models.UniqueConstraint(fields=["slot"], condition=Q(state="asked"), name="replacement_asked_once"),
            models.CheckConstraint(condition=~Q(slot=F("against")), name="replacement_against_another"),
        ]

    @property
    def is_open(self) -> bool:
        """Whether an answer still counts: neither slot has begun, or changed hands."""
        now = timezone.now()
        slots = [one for one in (self.slot, self.against) if one]
        return self.state == AskState.ASKED and all(one.starts_at > now and one.state in LIVE for one in slots)


class Cover(Base):
    """Which on-call answers for a nursing home by day, and which one stands in when it does not."""

    establishment = models.OneToOneField(Establishment, on_delete=models.CASCADE, related_name="cover")
    primary = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="covers")
    backup = models.ForeignKey(Service, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(backup=None) | ~Q(backup=F("primary")), name="cover_two_services"),
        ]


class ToldGap(Base):
    """A hole in a rota that its referents were told of: once some days before, and once more when it is about to begin."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    pressed_at = models.DateTimeField(null=True)  # told as one that is about to begin

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [models.UniqueConstraint(fields=["service", "starts_at"], name="told_gap_once")]
