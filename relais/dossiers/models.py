"""The case file of a workflow about a patient, and everything that hangs from it."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from relais.accounts.models import User
from relais.core.doors import among
from relais.core.models import Base
from relais.directory.models import Establishment, Service
from relais.files.models import StoredFile
from relais.oncall.models import PoolMember
from relais.patients.models import CareLink, Patient

if TYPE_CHECKING:
    from relais.core.actor import Actor


class Phase(models.TextChoices):
    OPEN = "open", "En cours"
    DONE = "done", "Réalisé"
    CLOSED = "closed", "Clôturé"
    CANCELLED = "cancelled", "Annulé"


class DossierQuerySet(models.QuerySet["Dossier"]):
    def visible_to(self, actor: "Actor") -> "DossierQuerySet":
        """Those of the establishment chosen, those one takes part in from there, and for a patient the one their grant opens."""
        return self if actor.kind == "system" else self.filter(_seen_by(actor))

    def known_to(self, actor: "Actor", now: datetime | None = None) -> "DossierQuerySet":
        """Those that one sees, and those about which one holds a care link (whoever follows the patient elsewhere, their
        care circle): enough to name them and to lead to their page, whose own door decides."""
        if not actor.is_professional:
            return self.visible_to(actor)
        held = CareLink.objects.live(now).held_by(actor).exclude(about=None)
        return self.filter(_seen_by(actor) | among("pk", held.values("about")))


def _seen_by(actor: "Actor") -> Q:
    if actor.is_professional:
        taking_part = Participant.objects.of(actor).values("dossier_id")
        return Q(establishment_id=actor.establishment_id) | among("pk", taking_part)
    if actor.is_patient:
        return Q(pk=actor.about, patient_id=actor.patient_id)
    return Q(pk__in=[])


class Dossier(Base):
    """A télédossier: kind, phase and reference; the workflow's own one-to-one row holds the finer state (TC-20)."""

    kind = models.CharField(max_length=30)
    reference = models.CharField(max_length=20, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="dossiers")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="dossiers")
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.OPEN)
    opened_by = models.UUIDField(null=True)
    done_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    origin = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="sequels")  # opened from it

    objects = DossierQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-created_at"], name="dossier_patient_recent")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(phase="closed") | Q(closed_at__isnull=False), name="dossier_closed_has_time"
            ),
            models.CheckConstraint(condition=~Q(phase="done") | Q(done_at__isnull=False), name="dossier_done_has_time"),
        ]


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def of(self, actor: "Actor") -> "ParticipantQuerySet":
        """Where the actor takes part in the name of the establishment chosen, or a service for which they answer from there:
        who left it takes part no more."""
        alone = Q(user_id=actor.user_id, establishment_id=actor.establishment_id) if actor.user_id else Q(pk__in=[])
        return self.filter(alone | PoolMember.objects.of(actor).serve("service_id"), until=None)


class Participant(Base):
    """Who takes part in a dossier in the name of an establishment, its own or another: a professional, or a service, which
    is whoever answers for it at the time."""

    dossier = models.ForeignKey(Dossier, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20)
    until = models.DateTimeField(null=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["service", "role"], name="participant_as", condition=Q(until=None))]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "user"], condition=Q(until=None), name="participant_once"),
            models.UniqueConstraint(
                fields=["dossier", "service"], condition=Q(until=None), name="participant_service_once"
            ),
            models.CheckConstraint(condition=Q(user=None) ^ Q(service=None), name="participant_user_or_service"),
        ]


class Authored(Base):
    """What someone added: a professional, or the holder of a grant; neither for what the system did."""

    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    author_grant_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


class Step(Authored):
    """A typed step of the record (« Ajouter une étape »): its kind is a word of the workflow that writes and reads it."""

    dossier = models.ForeignKey(Dossier, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=30)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["created_at", "id"]


class DocumentKind(models.TextChoices):
    REPORT = "report", "Compte-rendu"
    PRESCRIPTION = "prescription", "Ordonnance"
    PATIENT = "patient", "Document du patient"
    PHOTO = "photo", "Photo"
    CLIP = "clip", "Vidéo"
    OTHER = "other", "Autre document"


class Document(Authored):
    """A file in a dossier. `shared_at`: since when the patient sees it (TC-47); `withdrawn_at`: filed under the wrong patient."""

    dossier = models.ForeignKey(Dossier, on_delete=models.CASCADE, related_name="documents")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, null=True, related_name="documents")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="document")
    kind = models.CharField(max_length=20, choices=DocumentKind)
    title = models.CharField(max_length=200)
    shared_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_why = models.CharField(max_length=300, blank=True)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | ~Q(withdrawn_why=""), name="document_withdrawn_has_reason"
            ),
        ]


class Note(Authored):
    """A free note of a professional in a dossier, kept for professionals."""

    dossier = models.ForeignKey(Dossier, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField(max_length=5000)

    class Meta:
        ordering = ["created_at", "id"]


class Event(models.Model):
    """One thing that happened in a dossier: timeline, messages and live pings hang from it."""

    dossier = models.ForeignKey(Dossier, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    verb = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=20)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    grant_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)  # ids and states only, never clinical content

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["dossier", "at"], name="event_dossier_at")]
