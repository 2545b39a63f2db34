"""What a nursing home asks of whoever is on call, until the decision is made (FilGERIA, domain.md §3)."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.models import Base
from relais.directory.models import Establishment, Service
from relais.dossiers.models import Document, Dossier
from relais.dossiers.registry import KINDS
from relais.liaison import delays
from relais.liaison.workflow import IN_HAND, OPEN, PASSED_ON, TRANSITIONS, WAITING, State
from relais.patients.models import Patient
from relais.questionnaires.models import Response

if TYPE_CHECKING:
    from relais.core.actor import Actor


class Urgency(models.TextChoices):
    VITAL = "vitale", "Vitale"
    URGENT = "urgente", "Moins d’une heure"
    FAST = "rapide", "Moins de 4 heures"
    LATER = "differee", "Moins de 24 heures"


class Closing(models.TextChoices):
    """How a request ended (fin.*)."""

    BETTER = "ameliore", "Amélioré"
    STABLE = "stabilise", "Stabilisé"
    HOSPITAL = "hospitalise", "Hospitalisé"
    HAD = "had", "Hospitalisation à domicile"
    PALLIATIVE = "palliatif-en-cours", "Soins palliatifs en cours"
    DIED_HERE = "deces-ehpad", "Décès dans l’EHPAD"
    DIED_IN_HOSPITAL = "deces-hopital", "Décès à l’hôpital"
    NO_FOLLOW_UP = "sans-suite", "Sans suite"
    DUPLICATE = "doublon", "Doublon"
    ELSEWHERE = "autre-ehpad", "Suite dans un autre EHPAD"


class Code(models.TextChoices):
    """What was decided (dec.*)."""

    STAY = "maintien-surveillance", "Maintien en EHPAD, surveillance"
    TREAT = "maintien-traitement", "Maintien en EHPAD avec traitement"
    OXYGEN = "maintien-o2", "Maintien en EHPAD avec oxygène"
    MOBILE = "emge-passage", "Passage de l’équipe mobile gériatrique"
    HAD = "had", "Hospitalisation à domicile dans l’EHPAD"
    VIDEO = "teleconsultation", "Téléconsultation"
    SPECIALIST = "consultation-specialisee", "Consultation spécialisée"
    TEST = "test-isolement", "Test et isolement"
    GERIATRICS = "admission-directe-geriatrie", "Admission directe en gériatrie"
    MEDICINE = "admission-medecine", "Admission en médecine"
    SSR = "ssr-geriatrique", "SSR gériatrique"
    SAMU = "urgences-via-samu", "Urgences, par la régulation du 15"
    INTENSIVE = "rea-usc", "Réanimation ou surveillance continue"
    COMFORT = "soins-palliatifs-ehpad", "Soins de confort sur place"
    PALLIATIVE_UNIT = "usp-admission", "Admission en soins palliatifs"
    REFUSED = "refus-hospitalisation", "Refus d’hospitalisation"
    DEATH = "deces", "Décès"
    NOTHING = "sans-suite", "Sans suite"


# Decisions that take the resident elsewhere: the request stays open until they are there (FG-09).
ELSEWHERE = (
    Code.HAD, Code.SPECIALIST, Code.GERIATRICS, Code.MEDICINE, Code.SSR, Code.SAMU, Code.INTENSIVE, Code.PALLIATIVE_UNIT,
)  # fmt: skip

# Those for which the nursing home fills a transfer sheet.
TO_HOSPITAL = (Code.GERIATRICS, Code.MEDICINE, Code.SSR, Code.SAMU, Code.INTENSIVE, Code.PALLIATIVE_UNIT)


class CareLevel(models.TextChoices):
    FULL = "maximal", "Maximal"
    NO_INTENSIVE = "pas-de-rea", "Pas de réanimation"
    NO_HOSPITAL = "pas-hospit-sauf-confort", "Pas d’hospitalisation, sauf confort"
    PALLIATIVE = "palliatif", "Palliatif"


class Told(models.TextChoices):
    YES = "oui", "Oui"
    NO = "non", "Non"
    UNREACHED = "injoignable", "Injoignable"


class RequestQuerySet(models.QuerySet["Request"]):
    def visible_to(self, actor: "Actor") -> "RequestQuerySet":
        """Those whose dossier the actor sees: the nursing home, and who answers for a service that takes part."""
        return self.filter(dossier__in=Dossier.objects.visible_to(actor))


class Request(models.Model):
    """One request of a nursing home about a resident: joined to its dossier, from the first word to its closing.

    Open, it has exactly one owner: `responsible`, or nobody since `unowned_since`, which is an alarm (a constraint says so).
    """

    TRANSITIONS = TRANSITIONS

    dossier = models.OneToOneField(Dossier, on_delete=models.CASCADE, primary_key=True, related_name="liaison")
    # Those of the dossier; of a resident one draft each.
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="liaisons")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="liaisons")
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    draft = models.JSONField(default=dict, blank=True)  # answers being typed, {linkId: [values]}; empty once sent
    drafted_at = models.DateTimeField(null=True)
    draft_page = models.UUIDField(null=True)  # the page that kept it last
    response = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")
    urgency = models.CharField("urgence", max_length=10, choices=Urgency, blank=True)
    motive = models.CharField("motif", max_length=30, blank=True)
    red = models.BooleanField(default=False)  # FG-R1 fires, by the last vital signs
    news2 = models.PositiveSmallIntegerField(null=True)
    qsofa = models.PositiveSmallIntegerField(null=True)
    submitted_at = models.DateTimeField(null=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")  # who is asked now
    line = models.CharField("téléphone", max_length=20, blank=True)  # of whoever is asked
    responsible = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    unowned_since = models.DateTimeField(null=True)
    alarm_told_at = models.DateTimeField(null=True)  # when people were last told that nobody has it
    asked_at = models.DateTimeField(null=True)  # of the service that is asked: the clock of taking runs from here
    asked = ArrayField(models.UUIDField(), default=list, blank=True)  # people and services asked in turn since then
    late_told_at = models.DateTimeField(null=True)  # that it is not taken in time, or its opinion late
    taken_at = models.DateTimeField(null=True)  # first time
    advised_at = models.DateTimeField(null=True)  # first decision
    review_at = models.DateTimeField(null=True)  # when to look again
    review_told_at = models.DateTimeField(null=True)  # that this re-evaluation is due
    closing = models.CharField("motif de clôture", max_length=20, choices=Closing, blank=True)
    closed_at = models.DateTimeField(null=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["establishment", "-submitted_at"], name="request_of_home"),
            models.Index(fields=["state"], name="request_open", condition=Q(state__in=OPEN)),
            models.Index(fields=["responsible"], name="request_in_hand", condition=Q(state__in=OPEN)),
            models.Index(fields=["-closed_at"], name="request_ended", condition=Q(state="cloturee")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "establishment"], condition=Q(state="brouillon"), name="request_one_draft"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=OPEN)
                | Q(responsible__isnull=False, unowned_since=None)
                | Q(responsible=None, unowned_since__isnull=False),
                name="request_open_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.DRAFT, State.CANCELLED])
                | Q(response__isnull=False, submitted_at__isnull=False) & ~Q(urgency=""),
                name="request_sent_has_answers",
            ),
            models.CheckConstraint(
                condition=~Q(state="cloturee") | ~Q(closing="") & Q(closed_at__isnull=False),
                name="request_closed_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="a-reevaluer") | Q(review_at__isnull=False), name="request_review_has_time"
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def passed_on(self) -> bool:
        """Asked of a service that is not that of its doctor: `service` and `line` are of whom it is asked."""
        return self.state in PASSED_ON

    @property
    def awaits_opinion(self) -> bool:
        """In hand, its first opinion not given yet."""
        return self.state in (State.TAKEN, State.COMPLEMENT) and self.advised_at is None

    @property
    def standing(self) -> str:
        """Where it stands, in words: a re-evaluation is only planned until its hour."""
        if self.state == State.REVIEW and self.review_at and self.review_at > timezone.now():
            return str(_("Réévaluation prévue"))
        return self.get_state_display()

    @property
    def deadline(self) -> datetime | None:
        """The next moment that was promised; None when nothing is awaited by a clock."""
        if self.state in WAITING and self.asked_at:
            return delays.take_by(self.urgency, self.asked_at)
        if self.awaits_opinion and self.submitted_at:
            return delays.advise_by(self.urgency, self.submitted_at)
        return self.review_at if self.state in IN_HAND else None


class Decision(Base):
    """What was decided of a request, why, and when to look again; never changed."""

    demand = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    responsible = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")
    code = models.CharField("décision", max_length=30, choices=Code)
    care_level = models.CharField("niveau de soins", max_length=30, choices=CareLevel)
    justification = models.TextField("justification", max_length=3000)
    plan = models.TextField("prescription et consignes de surveillance", max_length=3000, blank=True)
    family = models.CharField("famille prévenue", max_length=12, choices=Told)
    review_at = models.DateTimeField("prochaine évaluation", null=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(justification=""), name="decision_has_reason")]


class Note(Base):
    """A note of the exchange, with the role in which its author wrote; only they amend it, the earlier words are kept."""

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        ASKED = "ask", "Complément demandé"
        GIVEN = "give", "Complément donné"

    demand = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    function = models.CharField("fonction", max_length=160)  # *Médecin, Gériatrie* when it was written
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.NOTE)
    text = models.TextField("note", max_length=5000)
    urgent = models.BooleanField("urgente", default=False)
    sequel = models.ForeignKey(Dossier, on_delete=models.PROTECT, null=True, related_name="+")  # which it came from
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="+")  # came with it
    mentions = models.ManyToManyField(User, related_name="+")
    amended_at = models.DateTimeField(null=True)
    before = models.JSONField(default=list, blank=True)  # [{at, text}], the oldest first

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="liaison_note_has_text")]

    @property
    def came_from(self) -> str:
        """The kind of dossier from which it came, in words; "" for a note that was written here."""
        return KINDS[self.sequel.kind].label if self.sequel else ""


class Seen(Base):
    """Up to when a professional has read the notes of a request."""

    demand = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="seen")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["demand", "user"], name="seen_once")]


class HandOver(Base):
    """A request passed from the doctor who leaves to the one who comes: theirs until the other accepts (D10)."""

    demand = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="hand_overs")
    leaving = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")  # which takes over
    taking = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # on duty there
    due_at = models.DateTimeField()
    situation = models.TextField("situation", max_length=2000)
    background = models.TextField("antécédents et contexte", max_length=2000, blank=True)
    assessment = models.TextField("évaluation", max_length=2000, blank=True)
    recommendation = models.TextField("recommandations", max_length=2000, blank=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    dropped_at = models.DateTimeField(null=True)  # the request ended or changed hands otherwise, or this was missed
    alarmed_at = models.DateTimeField(null=True)  # the last time

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["demand"], condition=Q(accepted_at=None, dropped_at=None), name="hand_over_one_open"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="hand_over_accepted_by_somebody",
            ),
        ]


class DluQuerySet(models.QuerySet["Dlu"]):
    def visible_to(self, actor: "Actor") -> "DluQuerySet":
        """Those of the residents whom the actor sees; who may read clinical content is `permissions.can_read`."""
        return self.filter(patient__in=Patient.objects.visible_to(actor))


class Dlu(Base):
    """The liaison document of a resident, kept up to date (HAS/ANESM 2015, domain.md §3.5): the version in force.

    Each version is a Response about this row that replaces the one before; all stay readable.
    """

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="dlu")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")  # wrote that version
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    objects = DluQuerySet.as_manager()


class HospitalTransferQuerySet(models.QuerySet["HospitalTransfer"]):
    def visible_to(self, actor: "Actor") -> "HospitalTransferQuerySet":
        """Those of the residents whom the actor sees."""
        return self.filter(patient__in=Patient.objects.visible_to(actor))


class HospitalTransfer(Base):
    """A resident taken to the hospital, and their return: the two sides of the transfer sheet (domain.md §3.5).

    Each side is a Response about this row; a corrected one replaces the one before. The id is that of the form that made
    it: sent twice, it makes one.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="hospital_transfers")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")  # the nursing home
    demand = models.ForeignKey(Request, on_delete=models.PROTECT, null=True, related_name="hospital_transfers")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    front = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    back = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, related_name="+")
    departed_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)

    objects = HospitalTransferQuerySet.as_manager()

    class Meta:
        ordering = ["-departed_at", "id"]
        indexes = [models.Index(fields=["patient", "-departed_at"], name="hospital_transfer_recent")]
        constraints = [
            models.CheckConstraint(
                condition=Q(back=None, returned_at=None)
                | Q(back__isnull=False, returned_at__gte=models.F("departed_at")),
                name="hospital_transfer_returns_after",
            )
        ]

    @property
    def destination(self) -> str:
        """Where the resident was taken, in the words of the sheet."""
        return str(next(iter(self.front.answers.get("ft.destination", [])), ""))


class DepartureQuerySet(models.QuerySet["Departure"]):
    def lasting(self) -> "DepartureQuerySet":
        """Those from which the resident did not come back: the home that was left sent no request for them since, and nobody
        wrote their return from the hospital to it (to the other one, of those who entered it meanwhile). A death that was
        withdrawn is none."""
        there = {"patient": OuterRef("demand__patient"), "establishment": OuterRef("demand__establishment")}
        since = Q(dossier__created_at__gt=OuterRef("created_at")) | Q(submitted_at__gt=OuterRef("created_at"))
        asked = Request.objects.filter(since, response__isnull=False, **there)
        home_again = HospitalTransfer.objects.filter(returned_at__gt=OuterRef("at"), **there)
        mistaken = Q(kind=Departure.Kind.DIED, demand__patient__deceased_on=None)
        return self.filter(~Exists(asked), Q(kind=Departure.Kind.HOME) | ~Exists(home_again)).exclude(mistaken)


class Departure(Base):
    """A resident left while a request was open: for another nursing home, for elsewhere, or they died. Never changed."""

    class Kind(models.TextChoices):
        HOME = "home", "Entrée dans un autre EHPAD"
        ELSEWHERE = "elsewhere", "Départ vers un autre lieu"
        DIED = "died", "Décès"

    demand = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="departures")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField("moment")
    why = models.CharField("raison", max_length=300)
    place = models.CharField("lieu", max_length=160, blank=True)  # where to, in words
    home = models.ForeignKey(Establishment, on_delete=models.PROTECT, null=True, related_name="+")
    sequel = models.OneToOneField(Request, on_delete=models.PROTECT, null=True, related_name="arrival")  # goes on there

    objects = DepartureQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(why=""), name="departure_has_reason"),
            models.CheckConstraint(
                condition=Q(kind="home", home__isnull=False, sequel__isnull=False)
                | ~Q(kind="home") & Q(home=None, sequel=None),
                name="departure_goes_on_in_a_home",
            ),
        ]
