"""Tele-expertise: a request to a service, its opinions, the recommended texts of services."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pgtrigger
from django.db import models
from django.db.models import Q

from relais.accounts.models import User
from relais.core.models import Base
from relais.directory.models import Establishment, Service
from relais.dossiers.models import Document, Dossier, Step
from relais.expertise.workflow import AFTER, FREE, OPEN, RUNNING, TRANSITIONS, State
from relais.oncall.models import PoolMember
from relais.questionnaires.models import Response

if TYPE_CHECKING:
    from relais.core.actor import Actor

EXPERT, WARD = "expert", "admission"  # as what a service takes part that is asked for an opinion, or to admit
MOST_OPINIONS = 2
ADMISSION_STEPS = ("admission", "admission_answer")  # proposed, accepted or refused


class Form(models.TextChoices):
    """Which questionnaire is filled in (TE-04)."""

    GENERAL = "tle-general", "Générale"
    COVID = "tle-covid", "COVID-19"


class Urgency(models.TextChoices):
    """Codes of `tg.urgence`, the most urgent first."""

    IMMEDIATE = "immediate", "Immédiate"
    URGENT = "urgente", "Urgente"
    SOON = "semi-urgente", "Semi-urgente"
    PLANNED = "programmee", "Programmée"


class AskedAs(models.TextChoices):
    """As whom the requester asks (TE-06)."""

    TREATING = "medecin-traitant", "Médecin traitant"
    MOBILE = "equipe-mobile", "Équipe mobile gériatrique"
    ON_CALL = "astreinte", "Astreinte gériatrique"
    HOSPITAL = "hopital", "Médecin hospitalier"
    HOME = "etablissement", "Soignant de l’établissement"


class Refusal(models.TextChoices):
    """Why a request is refused (domain.md §2.1)."""

    NOT_OURS = "hors-competence", "Hors compétence"
    TWICE = "doublon", "Doublon"
    INCOMPLETE = "incomplet", "Incomplète"
    AWAY = "indisponible", "Indisponible"


class Recourse(models.TextChoices):
    """What became of the recourse to hospital, said when the dossier is closed (TE-03)."""

    AVOIDED = "evite", "Recours à l’hôpital évité"
    MADE = "realise", "Patient adressé à l’hôpital"
    NONE = "sans-objet", "Aucun recours n’était envisagé"


class ExpertiseQuerySet(models.QuerySet["Expertise"]):
    def visible_to(self, actor: "Actor") -> "ExpertiseQuerySet":
        """The same as its dossier."""
        return self.filter(dossier__in=Dossier.objects.visible_to(actor))

    def asked_of(self, actor: "Actor") -> "ExpertiseQuerySet":
        """Those of the services for which the actor answers, that await an answer."""
        return self.filter(PoolMember.objects.of(actor).serve("service_id"), state__in=OPEN)

    def overdue(self, now: datetime) -> "ExpertiseQuerySet":
        return self.filter(state__in=RUNNING, due_at__lte=now)


class Expertise(models.Model):
    """One request for an opinion, joined to its dossier (FHIR ServiceRequest)."""

    TRANSITIONS = TRANSITIONS

    dossier = models.OneToOneField(Dossier, on_delete=models.CASCADE, primary_key=True, related_name="expertise")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")  # of the dossier
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_as = models.CharField("en tant que", max_length=20, choices=AskedAs, blank=True)
    form = models.CharField("formulaire", max_length=20, choices=Form)
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    draft = models.JSONField(default=dict)  # answers as they are typed, unchecked; emptied once sent
    request_key = models.UUIDField(unique=True)  # of the page that began it: sent twice, it begins once
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")  # asked now
    expert = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")
    urgency = models.CharField("urgence", max_length=20, choices=Urgency, blank=True)
    motive = models.CharField("motif", max_length=30, blank=True)  # code of tg.motif
    rank = models.BigIntegerField(default=0)  # delays.rank: by urgency, then by the time left; a draft stands first
    sent_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    left = models.DurationField(null=True)  # what was left of the delay when a complement was asked
    taken_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)  # first opinion
    level = models.PositiveSmallIntegerField(default=0)  # delays.level_at, or silence_at, as it was told
    called = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # the next expert, overdue
    refusal = models.CharField("motif du refus", max_length=20, choices=Refusal, blank=True)
    refusal_note = models.CharField("précision", max_length=300, blank=True)
    cancel_reason = models.CharField("motif de l’annulation", max_length=300, blank=True)
    orientation = models.CharField(max_length=30, blank=True)  # code of tr.orientation, of the last opinion
    recourse = models.CharField("recours à l’hôpital", max_length=20, choices=Recourse, blank=True)
    review_on = models.DateField("à réévaluer le", null=True)  # tr.suivi of the last opinion
    reviewed_at = models.DateTimeField(null=True)  # a follow-up request was opened, or the date set aside
    noted_at = models.DateTimeField(null=True)  # last note of the thread
    noted_by = models.UUIDField(null=True)

    objects = ExpertiseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["service", "rank"], name="te_service_open", condition=Q(state__in=OPEN)),
            models.Index(fields=["expert", "rank"], name="te_expert_open", condition=Q(state__in=OPEN)),
            models.Index(fields=["called"], name="te_called_open", condition=Q(state__in=OPEN, called__isnull=False)),
            models.Index(fields=["due_at"], name="te_running", condition=Q(state__in=RUNNING)),
            models.Index(fields=["expert"], name="te_admission", condition=Q(state=State.ADMISSION)),
            models.Index(
                fields=["establishment", "rank"],
                name="te_place_open",
                condition=Q(state__in=[State.DRAFT, *OPEN, *AFTER]),
            ),
            models.Index(fields=["establishment", "-sent_at"], name="te_place_recent"),
            models.Index(fields=["service", "-sent_at"], name="te_service_recent"),
            models.Index(
                fields=["establishment", "review_on"],
                name="te_review",
                condition=Q(review_on__isnull=False, reviewed_at=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["brouillon", "annulee"])
                | Q(service__isnull=False, sent_at__isnull=False, due_at__isnull=False, response__isnull=False)
                & ~Q(urgency=""),
                name="te_sent_is_whole",
            ),
            models.CheckConstraint(condition=~Q(state__in=FREE) | Q(expert=None), name="te_free_has_no_expert"),
            models.CheckConstraint(
                condition=~Q(state__in=[state for state in OPEN if state not in FREE]) | Q(expert__isnull=False),
                name="te_held_has_expert",
            ),
            models.CheckConstraint(condition=~Q(state="refusee") | ~Q(refusal=""), name="te_refused_has_reason"),
            models.CheckConstraint(
                condition=~Q(state="repondue") | Q(answered_at__isnull=False), name="te_answered_has_time"
            ),
        ]

    @cached_property
    def pools(self) -> dict[Any, bool]:
        """What permissions have looked up about this row already: one page asks for a dozen verbs."""
        return {}

    @cached_property
    def expert_is_there(self) -> bool:
        """Whether the expert who has it still answers for the service, as a practitioner."""
        if self.service_id is None or self.expert_id is None:
            return False
        return PoolMember.objects.on_call().filter(service_id=self.service_id, user_id=self.expert_id).exists()

    @cached_property
    def last_admission(self) -> Step | None:
        """The last word about an admission: that it is proposed, or the answer to that."""
        rows = self.dossier.steps.filter(kind__in=ADMISSION_STEPS)
        return rows.order_by("-created_at", "-id").first()

    @property
    def expected_at(self) -> str:
        """The id of the service to which an admission is proposed, or that accepted it; empty once it refused."""
        last = self.last_admission
        return str(last.data["service"]) if last and last.data.get("accepted", True) else ""

    @property
    def is_admitted(self) -> bool:
        """The service to which the admission is proposed has accepted it."""
        return self.last_admission is not None and self.last_admission.data.get("accepted", False)

    @property
    def complement_asked_at(self) -> datetime | None:
        """Since when a complement is awaited: its clock stood still from then on."""
        return self.due_at - self.left if self.due_at and self.left is not None else None

    def is_overdue(self, now: datetime) -> bool:
        """Its delay has run out; while a complement is awaited the clock stands still."""
        return self.state in RUNNING and self.due_at is not None and self.due_at <= now

    @property
    def is_covid(self) -> bool:
        return self.form == Form.COVID


class Opinion(Base):
    """What an expert answered and signed; the first, and one of another service at most (`number`).

    A correction is a row of its own, that replaces the version before and says why: what was signed stays as it was.
    """

    expertise = models.ForeignKey(Expertise, on_delete=models.CASCADE, related_name="opinions")
    number = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    reason = models.CharField("motif de la correction", max_length=300, blank=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    expert = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="+")
    document = models.OneToOneField(Document, on_delete=models.PROTECT, null=True, related_name="+")
    rpps = models.CharField(max_length=11)
    digest = models.CharField(max_length=64)  # SHA-256 of what was signed
    asked_at = models.DateTimeField()  # when the request came to this service, for the last time before it signed
    signed_at = models.DateTimeField()
    passed_on = models.BooleanField(default=False)  # another service was asked since: its own list shows it no more

    class Meta:
        ordering = ["number", "version", "id"]
        indexes = [
            models.Index(fields=["service"], name="opinion_passed_on", condition=Q(passed_on=True)),
            models.Index(fields=["service", "asked_at"], include=["signed_at"], name="opinion_of_service"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["expertise", "number", "version"], name="opinion_version_once"),
            models.CheckConstraint(
                condition=Q(version=1, replaces=None, reason="")
                | Q(version__gt=1, replaces__isnull=False) & ~Q(reason=""),
                name="opinion_correction_has_reason",
            ),
            models.CheckConstraint(condition=Q(number__gte=1) & Q(number__lte=2), name="opinion_two_at_most"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="signed", exclude=["passed_on"]),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]


class Wording(Base):
    """A recommended text of a service: what its experts insert into an opinion, then change."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="wordings")
    title = models.CharField("titre", max_length=80)
    conclusion = models.TextField("conclusion", max_length=3000, blank=True)
    conduct = models.TextField("conduite à tenir", max_length=3000, blank=True)

    class Meta:
        ordering = ["title", "id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "title"], name="wording_title_once"),
            models.CheckConstraint(condition=~Q(conclusion="") | ~Q(conduct=""), name="wording_says_something"),
        ]


class Seen(models.Model):
    """When somebody last looked at the thread of a request: later notes are marked unread."""

    expertise = models.ForeignKey(Expertise, on_delete=models.CASCADE, related_name="seen")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["expertise", "user"], name="expertise_seen_once")]
