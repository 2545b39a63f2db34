"""Patients: identity by the French rules (INS, RNIV), who cares for them, and their own way in."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from relais.core.models import Base
from relais.directory.models import Establishment, Kind
from relais.oncall.models import PoolMember
from relais.patients import contact

if TYPE_CHECKING:
    from relais.core.actor import Actor


NAMES = ("birth_family_name", "birth_given_names", "used_family_name", "used_given_name")


class Sex(models.TextChoices):
    MALE = "M", "Masculin"
    FEMALE = "F", "Féminin"
    UNKNOWN = "I", "Indéterminé"


class MistakenDeath(models.TextChoices):
    """Why a death that was noted is withdrawn; a choice, so that no name is typed into the trace."""

    OTHER_PERSON = "other_person", "Le décès était celui d’une autre personne"
    WRONG_NEWS = "wrong_news", "L’information reçue était fausse"
    SLIP = "slip", "Erreur de saisie"


class IdentityStatus(models.TextChoices):
    """Two facts crossed (RNIV EXI SI 07): INS retrieved from INSi, identity checked on a strong document."""

    PROV = "PROV", "Provisoire"
    VALI = "VALI", "Validée"
    RECUP = "RECUP", "Récupérée"
    QUAL = "QUAL", "Qualifiée"


class InsAuthority(models.TextChoices):
    """A matricule is never stored without its OID (standards.md §1.1)."""

    NIR = "1.2.250.1.213.1.4.8", "INS-NIR"
    NIA = "1.2.250.1.213.1.4.9", "INS-NIA"
    TEST = "1.2.250.1.213.1.4.10", "INS-NIR de test"
    DEMO = "1.2.250.1.213.1.4.11", "INS-NIR de démonstration"


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, actor: "Actor") -> "PatientQuerySet":
        """Those whom a live care link joins to the actor or to the establishment chosen; the patient's own; all for the system."""
        if actor.kind == "system":
            return self
        if actor.is_professional:
            return self.filter(pk__in=CareLink.objects.live().held_by(actor).values("patient_id"))
        return self.filter(pk=actor.patient_id) if actor.is_patient else self.none()


class Patient(Base):
    """A person's identity. Only names are needed to begin (TC-17); strict traits are completed later."""

    birth_family_name = models.CharField("nom de naissance", max_length=100)
    birth_given_names = models.CharField("prénoms de naissance", max_length=200)
    used_family_name = models.CharField("nom utilisé", max_length=100, blank=True)
    used_given_name = models.CharField("prénom utilisé", max_length=100, blank=True)
    birth_date = models.DateField("date de naissance", null=True, blank=True)
    sex = models.CharField("sexe", max_length=1, choices=Sex, blank=True)
    birth_place = models.CharField("lieu de naissance (code INSEE)", max_length=5, blank=True)
    identity_status = models.CharField(max_length=5, choices=IdentityStatus, default=IdentityStatus.PROV)
    identity_marks = ArrayField(models.CharField(max_length=10), default=list, blank=True)  # homonyme, douteux, fictif
    ins = models.CharField("matricule INS", max_length=15, blank=True)
    ins_oid = models.CharField(max_length=30, choices=InsAuthority, blank=True)
    social_security_number = models.CharField("n° de sécurité sociale", max_length=15, blank=True)
    insurance_scheme = models.CharField("régime d’assurance maladie", max_length=60, blank=True)
    email = models.EmailField("adresse e-mail", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    deceased_on = models.DateField(null=True, blank=True)
    synthetic = models.BooleanField(default=False)
    request_key = models.UUIDField(null=True, unique=True)  # of the form: sent twice, it makes one patient
    # Both are made by functions of migration 0001. search_name: no accents, case, hyphens or apostrophes, and compound
    # names glued as well; typo_keys: the first letters of each word, whole and with one letter left out.
    search_name = models.GeneratedField(
        expression=models.Func(*NAMES, function="relais_search_name"), output_field=models.TextField(), db_persist=True
    )
    typo_keys = models.GeneratedField(
        expression=models.Func(models.Func(*NAMES, function="relais_search_name"), function="relais_typo_keys"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["birth_family_name", "birth_given_names", "id"]
        indexes = [
            GinIndex(fields=["search_name"], opclasses=["gin_trgm_ops"], name="patient_search_name"),
            GinIndex(fields=["typo_keys"], name="patient_typo_keys"),
            GinIndex(fields=["phone"], opclasses=["gin_trgm_ops"], name="patient_phone"),
            models.Index(fields=["birth_date"], name="patient_birth_date"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(Q(ins="") & Q(ins_oid="")) | (~Q(ins="") & ~Q(ins_oid="")),
                name="patient_ins_with_oid",
            ),
            models.CheckConstraint(
                condition=~Q(identity_status__in=["RECUP", "QUAL"]) | ~Q(ins=""),
                name="patient_retrieved_has_ins",
            ),
            models.CheckConstraint(
                condition=~Q(identity_marks__overlap=["douteux", "fictif"]) | Q(identity_status__in=["PROV", "RECUP"]),
                name="patient_doubtful_not_checked",
            ),
            models.UniqueConstraint(fields=["ins", "ins_oid"], condition=~Q(ins=""), name="patient_ins_unique"),
        ]

    @property
    def family_name(self) -> str:
        return self.used_family_name or self.birth_family_name

    @property
    def given_name(self) -> str:
        return self.used_given_name or self.birth_given_names.split(" ")[0]

    @property
    def full_name(self) -> str:
        return f"{self.family_name.upper()} {self.given_name}"

    @property
    def qualified_ins(self) -> str:
        """The matricule as it may be shown and exchanged: only that of a qualified identity (EXI SI 07)."""
        return self.ins if self.identity_status == IdentityStatus.QUAL else ""


class Basis(models.TextChoices):
    """Why a professional or an establishment may see a patient."""

    EPISODE = "episode", "Prise en charge"
    CIRCLE = "circle", "Cercle de soins"


class CareLinkQuerySet(models.QuerySet["CareLink"]):
    def live(self, now: datetime | None = None) -> "CareLinkQuerySet":
        return self.filter(Q(until=None) | Q(until__gt=now or timezone.now()))

    def held_by(self, actor: "Actor") -> "CareLinkQuerySet":
        """Those of the actor, of the establishment chosen and of the services for which they answer from there; an absent id
        holds nothing (NULL would match the others')."""
        held = PoolMember.objects.of(actor).serve("service_id")
        if actor.establishment_id:
            held |= Q(establishment_id=actor.establishment_id)
        if actor.user_id:
            held |= Q(user_id=actor.user_id)
        return self.filter(held)


class CareLink(Base):
    """This establishment, this professional or this service cares for this patient, because of `about` (a dossier), for a
    time."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="care_links")
    establishment_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    service_id = models.UUIDField(null=True)
    basis = models.CharField(max_length=10, choices=Basis)
    about = models.UUIDField(null=True)
    until = models.DateTimeField(null=True)

    objects = CareLinkQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["establishment_id", "patient"], name="carelink_establishment"),
            models.Index(fields=["user_id", "patient"], name="carelink_user"),
            models.Index(
                fields=["service_id", "patient"], name="carelink_service", condition=Q(service_id__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(establishment_id__isnull=False) | Q(user_id__isnull=False) | Q(service_id__isnull=False),
                name="carelink_has_holder",
            ),
            models.UniqueConstraint(
                fields=["patient", "establishment_id", "user_id", "service_id", "basis", "about"],
                name="carelink_once",
                nulls_distinct=False,
            ),
        ]


class Holder(models.TextChoices):
    """Who holds a patient's key."""

    SELF = "self", "Le patient"
    PARENT = "parent", "Parent"
    GUARDIAN = "guardian", "Tuteur ou curateur"
    FAMILY = "family", "Proche"
    CAREGIVER = "caregiver", "Soignant de l’établissement"
    GUEST = "guest", "Invité"  # a third person in a call: the room alone, never the patient's space


class GrantQuerySet(models.QuerySet["Grant"]):
    def live(self, now: datetime | None = None) -> "GrantQuerySet":
        """Those that open something now; the same rule as `Grant.is_live`."""
        moment = now or timezone.now()
        return self.filter(revoked_at=None, valid_from__lte=moment, valid_until__gte=moment)


class Grant(Base):
    """A patient's (or proxy's) way in: to one thing (`about`), for a time, by a login and a password of its own (TC-21, TC-22)."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="grants")
    establishment = models.ForeignKey(
        Establishment, on_delete=models.PROTECT, null=True, related_name="+"
    )  # who sent it
    about = models.UUIDField(db_index=True)
    holder = models.CharField(max_length=10, choices=Holder, default=Holder.SELF)
    holder_name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True)  # E.164
    login = models.CharField(max_length=12, unique=True)
    password_hash = models.CharField(max_length=200)
    secrets_at = models.DateTimeField(
        default=timezone.now
    )  # when this password was made: a message of an older one is dropped
    valid_from = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    failed_tries = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["phone"], name="grant_phone", condition=~Q(phone="")),
            models.Index(Lower("email"), name="grant_email", condition=~Q(email="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(holder="self") | ~Q(holder_name=""), name="grant_proxy_is_named"
            ),  # children and people under guardianship: the holder is named
        ]

    def is_live(self, now: datetime | None = None) -> bool:
        """Revoked or past `valid_until` (that instant still included) no longer opens anything."""
        moment = now or timezone.now()
        return self.revoked_at is None and self.valid_from <= moment <= self.valid_until

    @property
    def sender(self) -> str:
        """Who sent it, as a page may say before anyone has signed in: never the name of a psychiatric hospital."""
        return self.establishment.name if self.establishment and self.establishment.kind != Kind.PSYCHIATRY else ""

    @property
    def mobile(self) -> str:
        """The number that SMS reach, or "" for a landline: messages ask this, never `phone`."""
        return self.phone if contact.is_mobile(self.phone) else ""


class GrantDevice(models.Model):
    """A browser that was let in with a grant: its cookie holds a random token whose hash is here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="devices")
    token_hash = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=120, blank=True)
    factors = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=Q(factors__in=[1, 2]), name="device_factors")]


class Throttle(models.Model):
    """How often something was tried from one place (an address of the network, a number): a keyed hash, never the place."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(default=timezone.now)
