"""Organisations of the region and what they offer (the care directory, ROR)."""

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.models import Base
from relais.core.paris import PARIS

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


NURSING_HOMES = (Kind.EHPAD, Kind.ESMS)  # what asks an on-call for support


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


class Need(models.TextChoices):
    """What a service is asked for (domain.md §2.1, §3.1)."""

    GERIATRIC = "geriatric", "Astreinte gériatrique"
    NIGHT = "night", "Garde de nuit régionale"
    SAMU = "samu", "Régulation du SAMU"
    MOBILE = "mobile", "Équipe mobile gériatrique"
    EXPERT = "expert", "Avis spécialisé"
    PALLIATIVE = "palliative", "Équipe mobile de soins palliatifs"
    HAD = "had", "Hospitalisation à domicile"


class Way(models.TextChoices):
    """How a service can be asked."""

    PHONE = "phone", "Appel direct"
    EXPERTISE = "expertise", "Télé-expertise"
    VIDEO = "video", "Visio"
    VISIT = "visit", "Déplacement"
    ADMISSION = "admission", "Admission directe"


class Day(models.IntegerChoices):
    """Of the week, as `date.weekday` counts them."""

    MONDAY = 0, "lundi"
    TUESDAY = 1, "mardi"
    WEDNESDAY = 2, "mercredi"
    THURSDAY = 3, "jeudi"
    FRIDAY = 4, "vendredi"
    SATURDAY = 5, "samedi"
    SUNDAY = 6, "dimanche"


EVERY_DAY = list(Day.values)


def every_day() -> list[int]:
    return list(EVERY_DAY)


class ServiceQuerySet(models.QuerySet["Service"]):
    def visible_to(self, actor: "Actor") -> "ServiceQuerySet":
        """As establishments: open to every signed-in professional. One that is closed is its manager's alone."""
        if not actor.is_professional and actor.kind != "system":
            return self.none()
        here = Q(establishment=actor.establishment_id) if actor.has_role("manager") else Q(pk__in=[])
        return self.filter(Q(active=True, establishment__active=True) | here)

    def open_at(self, moment: datetime) -> "ServiceQuerySet":
        return self.filter(answers_at(moment))


def answers_at(moment: datetime) -> Q:
    """Services that answer at this moment, by Paris time; hours may go over midnight, and the night is that of the day on
    which it began. One that was closed never does."""
    local = moment.astimezone(PARIS)
    clock, today = local.time(), Q(days__contains=[local.weekday()])
    yesterday = Q(days__contains=[(local.weekday() - 1) % 7])
    by_day = Q(opens__lt=F("closes"), opens__lte=clock, closes__gt=clock) & today
    over_midnight = Q(opens__gt=F("closes")) & (Q(opens__lte=clock) & today | Q(closes__gt=clock) & yesterday)
    return Q(active=True) & (Q(opens=F("closes")) & today | by_day | over_midnight)


class Service(Base):
    """What a part of an establishment offers to the others: for what need, where, when, by which line (TE-02).

    FHIR HealthcareService. Equal hours: day and night, from midnight to midnight of its days.
    """

    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="services")
    name = models.CharField("nom", max_length=120)
    need = models.CharField("besoin", max_length=20, choices=Need)
    specialty = models.CharField("spécialité", max_length=80, blank=True)
    departments = ArrayField(models.CharField(max_length=2, choices=Department))  # area served
    days = ArrayField(models.PositiveSmallIntegerField(choices=Day), verbose_name="jours", default=every_day)
    opens = models.TimeField("ouvre à")
    closes = models.TimeField("ferme à")
    phone = models.CharField("ligne directe", max_length=20)
    ways = ArrayField(models.CharField(max_length=20, choices=Way))
    note = models.CharField("à savoir", max_length=300, blank=True)  # what it accepts, and under which conditions
    active = models.BooleanField(default=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            GinIndex(fields=["departments"], name="service_area"),
            models.Index(fields=["need", "name"], name="service_need"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["establishment", "name"], condition=Q(active=True), name="service_name_once"
            ),
            models.CheckConstraint(condition=~Q(departments=[]) & ~Q(ways=[]), name="service_has_area_and_way"),
            models.CheckConstraint(condition=~Q(days=[]) & Q(days__contained_by=EVERY_DAY), name="service_has_days"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def day_and_night(self) -> bool:
        return self.opens == self.closes

    @property
    def days_words(self) -> str:
        """*tous les jours*, *du lundi au vendredi*, *lundi et jeudi*."""
        named = [str(Day(one).label) for one in sorted(self.days)]
        if len(named) == len(Day):
            return _("tous les jours")
        if len(named) > 2 and max(self.days) - min(self.days) == len(named) - 1:
            return _("du %(first)s au %(last)s") % {"first": named[0], "last": named[-1]}
        return _(" et ").join([part for part in (", ".join(named[:-1]), named[-1]) if part])

    @property
    def next_opening(self) -> datetime:
        """When it opens the next time."""
        return self.opens_after(timezone.now())

    def opens_after(self, moment: datetime) -> datetime:
        """When it opens the first time after this moment, by Paris time; an hour that does not exist is the one that begins
        in its place."""
        first, clock = moment.astimezone(PARIS).date(), time.min if self.day_and_night else self.opens
        days = (first + timedelta(days=ahead) for ahead in range(8))
        openings = (
            datetime.combine(day, clock, tzinfo=PARIS).astimezone(UTC) for day in days if day.weekday() in self.days
        )
        return next(opening for opening in openings if opening > moment)

    @property
    def area(self) -> str:
        """The departments served, in words."""
        if len(self.departments) == len(Department):
            return "Toute la région"
        return ", ".join(str(Department(one).label) for one in self.departments)

    @property
    def way_words(self) -> list[str]:
        return [str(Way(one).label) for one in self.ways]
