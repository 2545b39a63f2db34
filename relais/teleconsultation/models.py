"""Direct teleconsultation: the appointment and the practitioner's hours."""

from typing import TYPE_CHECKING

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from relais.accounts.models import User
from relais.core.models import Base
from relais.directory.models import Establishment
from relais.dossiers.models import Dossier
from relais.teleconsultation.workflow import AWAITED, TRANSITIONS, State

if TYPE_CHECKING:
    from relais.core.actor import Actor


class Reason(models.TextChoices):
    """Exact codes of the source documents (TC-14): the second changes the texts of messages (TC-15)."""

    CONSULTATION = "CONSULTATION", "Consultation"
    COVID_19 = "COVID_19", "COVID_19"


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class TeleconsultationQuerySet(models.QuerySet["Teleconsultation"]):
    def visible_to(self, actor: "Actor") -> "TeleconsultationQuerySet":
        """The same as its dossier."""
        return self.filter(dossier__in=Dossier.objects.visible_to(actor))

    def awaited(self) -> "TeleconsultationQuerySet":
        """On the dashboard: planned or in call, however late (TC-07, TC-08)."""
        return self.filter(state__in=AWAITED)


class Teleconsultation(models.Model):
    """One appointment by video, joined to its dossier."""

    TRANSITIONS = TRANSITIONS

    dossier = models.OneToOneField(Dossier, on_delete=models.CASCADE, primary_key=True, related_name="teleconsultation")
    establishment = models.ForeignKey(
        Establishment, on_delete=models.PROTECT, related_name="+"
    )  # of the dossier, for its index
    practitioner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="teleconsultations")
    state = models.CharField(max_length=20, choices=State, default=State.PLANNED)
    reason = models.CharField("motif", max_length=20, choices=Reason)
    starts_at = models.DateTimeField("début")
    ends_at = models.DateTimeField("fin")
    consent_by = models.CharField("consentement donné par", max_length=200, blank=True)
    consent_at = models.DateTimeField(null=True)
    request_key = models.UUIDField(null=True, unique=True)  # of the booking form: sent twice, it books once
    started_at = models.DateTimeField(null=True)  # first time in call
    ended_at = models.DateTimeField(null=True)
    ready_notified_at = models.DateTimeField(null=True)  # « le professionnel est prêt » is sent once (TC-37)
    cancel_reason = models.CharField("motif d’annulation", max_length=300, blank=True)
    incident = models.CharField("incident technique", max_length=300, blank=True)

    objects = TeleconsultationQuerySet.as_manager()

    class Meta:
        indexes = [
            # The dashboard reads few rows of any number; Historique reads newest first until its page is full.
            models.Index(fields=["establishment", "starts_at"], name="tc_awaited", condition=Q(state__in=AWAITED)),
            models.Index(fields=["establishment", "starts_at"], name="tc_establishment_start"),
            models.Index(fields=["practitioner", "starts_at"], name="tc_practitioner_start"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="tc_ends_after_start"),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | ~Q(cancel_reason=""), name="tc_cancelled_has_reason"
            ),
            models.CheckConstraint(condition=~Q(state="incident") | ~Q(incident=""), name="tc_incident_has_text"),
            ExclusionConstraint(
                name="tc_slot_given_once",
                expressions=[
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                    ("practitioner", RangeOperators.EQUAL),
                ],
                condition=Q(state__in=AWAITED),
            ),
        ]


class Opening(Base):
    """Weekly hours of a practitioner in an establishment, cut into slots."""

    practitioner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="openings")
    establishment = models.ForeignKey(Establishment, on_delete=models.CASCADE, related_name="+")
    weekday = models.PositiveSmallIntegerField("jour")  # 0 Monday … 6 Sunday
    starts = models.TimeField("de")  # Paris time
    ends = models.TimeField("à")
    minutes = models.PositiveSmallIntegerField("durée d’un créneau (minutes)", default=20)

    class Meta:
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="opening_weekday"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="opening_ends_after_start"),
            models.CheckConstraint(condition=Q(minutes__gte=5) & Q(minutes__lte=120), name="opening_minutes"),
        ]


class Absence(Base):
    """Days off: no slot is offered from `starts_at` to `ends_at`."""

    practitioner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    label = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_start")]


class ReportDraft(models.Model):
    """The report being written: one a teleconsultation, saved as one types; `version` finds out two editors."""

    teleconsultation = models.OneToOneField(
        Teleconsultation, on_delete=models.CASCADE, primary_key=True, related_name="draft"
    )
    sections = models.JSONField(default=dict)  # section key -> text
    version = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
