"""Organisations of the region (the care directory, ROR)."""

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from relais.core.models import Base

if TYPE_CHECKING:
    from relais.core.actor import Actor


class Kind(models.TextChoices):
    """What an establishment is (domain.md §9.1)."""

    HOSPITAL = "hospital", "Hôpital"
    SSR = "ssr", "Soins de suite (SSR)"
    HAD = "had", "Hospitalisation à domicile"
    PSYCHIATRY = "psychiatry", "Établissement psychiatrique"
    EHPAD = "ehpad", "EHPAD"
    ESMS = "esms", "Établissement médico-social"
    CENTRE = "centre", "Centre ou cabinet de ville"
    SAMU = "samu", "SAMU"


class Department(models.TextChoices):
    PARIS = "75", "Paris (75)"
    SEINE_ET_MARNE = "77", "Seine-et-Marne (77)"
    YVELINES = "78", "Yvelines (78)"
    ESSONNE = "91", "Essonne (91)"
    HAUTS_DE_SEINE = "92", "Hauts-de-Seine (92)"
    SEINE_SAINT_DENIS = "93", "Seine-Saint-Denis (93)"
    VAL_DE_MARNE = "94", "Val-de-Marne (94)"
    VAL_D_OISE = "95", "Val-d’Oise (95)"


class Fold(models.Func):
    """relais_fold(): no accents, case, hyphens or apostrophes (core migration 0001)."""

    function = "relais_fold"
    output_field = models.TextField()


class EstablishmentQuerySet(models.QuerySet["Establishment"]):
    def visible_to(self, actor: "Actor") -> "EstablishmentQuerySet":
        """The directory is open to every signed-in professional; a patient sees none of it through this door."""
        return self.filter(active=True) if actor.is_professional or actor.kind == "system" else self.none()


class Establishment(Base):
    """An organisation, known by its geographic FINESS number (standards.md §2)."""

    finess = models.CharField(max_length=9, unique=True)
    name = models.CharField("nom", max_length=200)
    kind = models.CharField("type", max_length=20, choices=Kind)
    department = models.CharField("département", max_length=2, choices=Department)
    address = models.CharField("adresse", max_length=200, blank=True)
    postal_code = models.CharField("code postal", max_length=5, blank=True)
    city = models.CharField("ville", max_length=100, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    relay_only = models.BooleanField("vidéo par relais uniquement", default=False)
    active = models.BooleanField(default=True)
    synthetic = models.BooleanField(default=False)

    objects = EstablishmentQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            GinIndex(OpClass(Fold("name"), name="gin_trgm_ops"), name="establishment_name_search"),
            models.Index(fields=["department", "kind", "name"], name="establishment_place"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(finess__regex=r"^(\d{2}|2[AB])\d{7}$"), name="establishment_finess_shape"
            ),
        ]

    def __str__(self) -> str:
        return self.name
