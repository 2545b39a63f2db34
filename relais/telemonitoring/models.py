"""Telemonitoring at home: cells, follow-ups, what the rules said of each answer set, alerts and calls."""

from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from relais.accounts.models import Membership, Role, User
from relais.core.models import Base
from relais.directory.models import Establishment
from relais.dossiers.models import Dossier
from relais.patients.models import Basis, CareLink
from relais.questionnaires.models import Response
from relais.telemonitoring.delays import Clock, clock
from relais.telemonitoring.drafts import RuleDraft, RuleReplay, RuleSignature
from relais.telemonitoring.programme import Plan, Rhythm, Slot
from relais.telemonitoring.reaching import Called
from relais.telemonitoring.workflow import (
    ALERT_TRANSITIONS,
    OPEN,
    TRANSFER_TRANSITIONS,
    TRANSITIONS,
    AlertState,
    State,
    TransferState,
)

__all__ = ["RuleDraft", "RuleReplay", "RuleSignature"]  # tables of the laboratory, found here as the others are

if TYPE_CHECKING:
    from relais.core.actor import Actor


CELL_ROLES = (Role.PRACTITIONER, Role.CAREGIVER)  # who works in a cell


class CellKind(models.TextChoices):
    HOSPITAL = "hospital", "Hôpital"
    CENTRE = "centre", "Centre COVID ambulatoire"
    DAC = "dac", "Dispositif d’appui à la coordination"
    REGIONAL = "regional", "Cellule régionale"


class CellQuerySet(models.QuerySet["Cell"]):
    def visible_to(self, actor: "Actor") -> "CellQuerySet":
        """Those of the establishment chosen, and those in which the actor works from there."""
        if actor.kind == "system":
            return self
        if not actor.is_professional:
            return self.none()
        mine = CellMember.objects.of(actor).values("cell_id")
        return self.filter(Q(establishment_id=actor.establishment_id) | Q(pk__in=mine))

    def open_to(self, actor: "Actor") -> "CellQuerySet":
        """Those to which the actor may entrust a patient: the ones that they see, and those that take patients of other
        establishments and have somebody to look after them (EC-14)."""
        if not actor.is_professional:
            return self.none()
        staffed = CellMember.objects.at_work().values("cell_id")
        return self.filter(Q(pk__in=self.model.objects.visible_to(actor)) | Q(accepts_others=True, pk__in=staffed))


class Cell(Base):
    """A team that watches over patients at home; it belongs to an establishment, others join it (EC-13, EC-14)."""

    name = models.CharField("nom", max_length=120)
    kind = models.CharField("type", max_length=10, choices=CellKind)
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="cells")
    opens = models.TimeField("ouvre à", default=time(8))
    closes = models.TimeField("ferme à", default=time(20))
    minutes_per_call = models.PositiveSmallIntegerField("minutes par appel", default=9)
    rules = models.ForeignKey("RuleSet", on_delete=models.PROTECT, related_name="cells")
    accepts_others = models.BooleanField("suit les patients d’autres établissements", default=False)

    objects = CellQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes=F("opens")), name="cell_closes_after_opening"
            )
        ]


class CellMemberQuerySet(models.QuerySet["CellMember"]):
    def of(self, actor: "Actor") -> "CellMemberQuerySet":
        """Where the actor works in the name of the establishment chosen."""
        return self.filter(user_id=actor.user_id, establishment_id=actor.establishment_id, until=None)

    def at_work(self) -> "CellMemberQuerySet":
        """Who can still come: not those who left the establishment in whose name they joined, or changed their role there."""
        live = Membership.objects.filter(
            user_id=OuterRef("user_id"), establishment_id=OuterRef("establishment_id"), ended_at=None,
            user__is_active=True, establishment__active=True, role__in=CELL_ROLES,
        )  # fmt: skip
        return self.filter(Exists(live), until=None)


class CellMember(Base):
    """A professional who works in a cell as a member of an establishment, its own or another."""

    cell = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(null=True)
    here_until = models.DateTimeField(null=True)  # they said that they are there, until this moment at most

    objects = CellMemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cell", "user", "establishment"], condition=Q(until=None), name="cell_member_once"
            )
        ]


class RuleSet(Base):
    """A published version of the alert rules, never changed; no cell opens on one that no clinician approved.

    `establishment` is the one whose physicians published it, for its own cells; None: it came with Relais.
    """

    COMES_WITH_MIGRATE = True

    name = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    source = models.JSONField()
    published_at = models.DateTimeField(null=True)
    approved_by = models.CharField("approuvé par", max_length=200, blank=True)
    approved_on = models.DateField(null=True)
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, null=True, related_name="+")
    before = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")  # at work until then
    reason = models.CharField("motif", max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="rule_set_version_once"),
            models.CheckConstraint(
                condition=Q(approved_by="") | Q(approved_on__isnull=False), name="rule_set_approved_has_day"
            ),
            models.CheckConstraint(
                condition=Q(establishment=None) | ~Q(reason="") & ~Q(approved_by=""), name="rule_set_ours_is_signed"
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


class Status(models.TextChoices):
    """What is known of the disease (EC-01); codes of the inclusion form."""

    CONFIRMED = "confirme", "Cas confirmé"
    PROBABLE = "probable", "Cas probable"
    POSSIBLE = "possible", "Cas possible, test en attente"
    CONTACT = "contact", "Personne-contact"
    DISCHARGED = "sortie", "Sortie d’hospitalisation"


class Risk(models.TextChoices):
    STANDARD = "standard", "Standard"
    HIGH = "eleve", "Élevé"
    VERY_HIGH = "tres-eleve", "Très élevé"


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def visible_to(self, actor: "Actor") -> "FollowUpQuerySet":
        """Those whose dossier the actor sees, those of the cells of their establishment or in which they work, and those of
        patients of whose care circle they or their establishment are (TS-14): the circle reads, and acts on nothing."""
        own = Q(dossier__in=Dossier.objects.visible_to(actor))
        if actor.is_professional:
            own |= Q(cell__in=Cell.objects.visible_to(actor))
            circle = CareLink.objects.live().held_by(actor).filter(basis=Basis.CIRCLE)
            own |= Q(dossier__patient__in=circle.values("patient_id"))
        return self.filter(own)


class FollowUp(models.Model):
    """A patient followed at home: joined to its dossier, always with a cell (EC-14).

    Whoever locks a row joins no cell to it: while one waits for the row the cell may change, and the join would then
    find nothing.
    """

    TRANSITIONS = TRANSITIONS

    dossier = models.OneToOneField(Dossier, on_delete=models.CASCADE, primary_key=True, related_name="follow_up")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="follow_ups")
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    status = models.CharField("statut", max_length=10, choices=Status)
    onset = models.DateField("J0")
    starts_on = models.DateField()
    ends_on = models.DateField()
    extensions = models.PositiveSmallIntegerField(default=0)
    rhythm = models.CharField("rythme", max_length=10, choices=Rhythm)
    risk = models.CharField("niveau de risque", max_length=10, choices=Risk, default=Risk.STANDARD)
    factors = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # linkIds of the rf group
    facts = models.JSONField(default=dict, blank=True)  # of history.FACTS: baseline, target, o2_prescribed…
    equipment = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # oxymetre, thermometre, effort
    inclusion = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")
    enrolled_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    request_key = models.UUIDField(null=True, unique=True)
    closing = models.CharField("motif de clôture", max_length=40, blank=True)
    level = models.CharField(max_length=12, default="vert")  # of the last answer set, for the list
    last_answer_at = models.DateTimeField(null=True)
    watched_until = models.DateTimeField(null=True)  # reminders and ends of windows were looked at up to here
    closing_proposed_at = models.DateTimeField(null=True)  # its days are over and all is well: a person decides
    stop_asked_at = models.DateTimeField(null=True)  # the patient no longer wants to be followed

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["cell"], name="follow_up_active", condition=~Q(state="closed"))]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="follow_up_ends_after_start"),
            models.CheckConstraint(condition=~Q(state="closed") | ~Q(closing=""), name="follow_up_closed_has_reason"),
        ]

    @property
    def plan(self) -> Plan:
        """Needs `pauses` prefetched, or asks for them."""
        paused = tuple((one.first, one.last) for one in self.pauses.all())
        return Plan(self.onset, self.starts_on, self.ends_on, self.rhythm, paused)

    def day(self, on: date) -> int:
        return (on - self.onset).days


class Pause(Base):
    """Days in hospital: no answer is awaited (EC-07)."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="pauses")
    first = models.DateField()
    last = models.DateField(null=True)

    class Meta:
        ordering = ["first", "id"]
        constraints = [
            models.UniqueConstraint(fields=["follow_up"], condition=Q(last=None), name="pause_one_open"),
            models.CheckConstraint(condition=Q(last=None) | Q(last__gte=F("first")), name="pause_ends_after_start"),
        ]


class Transfer(Base):
    """One cell asks another to follow a patient; the asking one keeps patient, alert and clocks until the other accepts."""

    TRANSITIONS = TRANSFER_TRANSITIONS

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="transfers")
    source = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="leaving")
    target = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="arriving")
    state = models.CharField(max_length=10, choices=TransferState, default=TransferState.ASKED)
    why = models.CharField("motif", max_length=300)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField("motif du refus", max_length=300, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["target"], name="transfer_to_decide", condition=Q(state="asked")),
            models.Index(fields=["source"], name="transfer_waiting", condition=Q(state="asked")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["follow_up"], condition=Q(state="asked"), name="transfer_one_asked"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_to_another_cell"),
            models.CheckConstraint(
                condition=Q(state="asked", decided_at=None) | ~Q(state="asked") & Q(decided_at__isnull=False),
                name="transfer_decided_has_time",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(refusal=""), name="transfer_refused_has_reason"),
        ]


class Judgement(Base):
    """What the rules said of one answer set, with the version that said it; never changed."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="judgements")
    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="judgement")
    rules = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()  # the response's receipt
    day = models.DateField()  # of the window that it counts for
    slot = models.CharField(max_length=5, choices=Slot)
    late = models.BooleanField(default=False)  # it came after its window had closed
    level = models.CharField(max_length=12)
    fired = ArrayField(models.CharField(max_length=30), default=list)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["follow_up", "-at"], name="judgement_recent")]


class Alert(Base):
    """What the cell has to look after: at most one open alert a patient, whose level only rises."""

    TRANSITIONS = ALERT_TRANSITIONS

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="alerts")
    state = models.CharField(max_length=10, choices=AlertState, default=AlertState.NEW)
    level = models.CharField(max_length=12)
    priority = models.BooleanField(default=False)  # an orange that is called sooner (AC08)
    fired = ArrayField(models.CharField(max_length=30), default=list)  # rule ids, in the order in which they came
    since = models.DateTimeField()  # of its level: the clocks run from here
    opened_at = models.DateTimeField()
    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    taken_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_called = models.CharField(max_length=20, choices=Called, blank=True)  # once MA04 fired; "" before
    call_at = models.DateTimeField(null=True)  # the next call, when a rule, the last call or who was reached set it

    class Meta:
        indexes = [models.Index(fields=["follow_up"], name="alert_open", condition=Q(state__in=OPEN))]
        constraints = [
            models.UniqueConstraint(fields=["follow_up"], condition=Q(state__in=OPEN), name="alert_one_open"),
            models.CheckConstraint(
                condition=Q(state="new", taken_by=None)
                | ~Q(state="new") & (Q(taken_by__isnull=False) | Q(state__in=["closed", "cancelled"])),
                name="alert_in_hand_has_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, closed_at=None) | ~Q(state__in=OPEN) & Q(closed_at__isnull=False),
                name="alert_closed_has_time",
            ),
        ]

    def clock(self, cell: Cell) -> Clock:
        found = clock(self.level, self.since, priority=self.priority, opens=cell.opens, closes=cell.closes)
        if self.call_at is None:
            return found
        return replace(found, call_by=self.call_at, take_by=min(found.take_by, self.call_at))


class Call(Base):
    """One attempt to have news of the patient, by whoever was called, with what was said (form ecovid-appel).

    Of a physician's decision that somebody goes and looks (*verification*) the outcome is one of actions.calls.CHECKS.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="calls")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    called = models.CharField(max_length=20, choices=Called, default=Called.PATIENT)
    person = models.CharField(max_length=120, blank=True)  # their name
    outcome = models.CharField(max_length=20)  # ap.issue
    response = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["created_at", "id"]


class Missed(Base):
    """A window that went by without an answer: noted once, however late the scheduler is (MA01)."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="missed")
    day = models.DateField()
    slot = models.CharField(max_length=5, choices=Slot)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["follow_up", "day", "slot"], name="missed_once")]
