"""Questionnaires as they were loaded, and what was answered. Append-only: a correction is a new row."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from relais.core.models import Base
from relais.questionnaires.form import Form, kept, read_once


class Questionnaire(Base):
    """One version of a questionnaire: its FHIR R4 source, never changed once loaded."""

    COMES_WITH_MIGRATE = True

    name = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    rank = models.BigIntegerField()  # 1.2.3 as 1_0002_0003: the newest has the highest
    title = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)  # of the source as canonical JSON
    source = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="questionnaire_version_once"),
            models.UniqueConstraint(fields=["name", "rank"], name="questionnaire_rank_once"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    @property
    def form(self) -> Form:
        """The form of this version, read once a process: its source, long as a book, is asked for that once alone."""
        return kept(self.sha256) or read_once(self.sha256, self.source)


class Voice(models.TextChoices):
    """To whom the questions are put."""

    PATIENT = "patient", _("Au patient")
    PROXY = "proxy", _("À un proche")


class Relation(models.TextChoices):
    """Who answered, seen from the patient (EC-10, domain.md §1.2). *professionnel* answers a form of their own."""

    PATIENT = "patient", _("Le patient")
    PARENT = "parent", _("Un parent")
    CARER = "proche-aidant", _("Un proche aidant")
    CELL = "professionnel-cellule", _("Un professionnel de la cellule")
    DOCTOR = "medecin-traitant", _("Le médecin traitant")
    NURSE = "ide", _("Un infirmier ou une infirmière")
    HOME = "ehpad", _("L’EHPAD")
    PROFESSIONAL = "professionnel", _("Un professionnel")


class Reason(models.TextChoices):
    """Why somebody else answered."""

    DEPENDENT = "non-autonome", _("Le patient ne peut pas répondre seul")
    NO_TELEPHONE = "pas-de-smartphone", _("Le patient n’a pas de smartphone")
    LANGUAGE = "barriere-langue", _("Barrière de la langue")
    CHILD = "enfant", _("Le patient est un enfant")
    CALL = "appel-telephonique", _("Réponses recueillies par téléphone")


OWN = (Relation.PATIENT, Relation.PROFESSIONAL)  # nobody's place was taken: there is no reason to give


class Response(Base):
    """Answers to one version of a questionnaire, about something of a higher module (`about`), never changed.

    `answers` are {linkId: [values]} (docs/adr/0009); `ended_at` is when the last question was answered and `device_at` what
    the device's clock said when it sent, `received_at` when the server had it.
    """

    questionnaire = models.ForeignKey(Questionnaire, models.PROTECT, related_name="responses")
    about = models.UUIDField()
    answers = models.JSONField(default=dict)
    voice = models.CharField(max_length=10, choices=Voice)
    relation = models.CharField(max_length=30, choices=Relation)
    reason = models.CharField(max_length=30, choices=Reason, blank=True)
    actor_kind = models.CharField(max_length=20)
    user_id = models.UUIDField(null=True)
    grant_id = models.UUIDField(null=True)
    establishment_id = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    device_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    request_key = models.UUIDField()
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["about", "request_key"], name="response_request_once"),
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at")), name="response_ends_after_start"),
            models.CheckConstraint(condition=Q(voice__in=Voice.values), name="response_voice_known"),
            models.CheckConstraint(
                condition=Q(relation__in=OWN, reason="")
                | Q(relation__in=[each for each in Relation.values if each not in OWN], reason__in=Reason.values),
                name="response_reason_when_in_place",
            ),
        ]
        indexes = [models.Index(fields=["about", "-received_at"], name="response_about")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
