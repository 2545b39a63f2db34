"""Professionals: who they are, where they work and in which role."""

import uuid
from collections.abc import Iterable
from typing import Any

import phonenumbers
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from relais.core.models import Base
from relais.directory.models import Establishment


class Role(models.TextChoices):
    """What a member may do in an establishment. The secretary never sees clinical content."""

    PRACTITIONER = "practitioner", "Praticien"
    CAREGIVER = "caregiver", "Soignant"
    SECRETARY = "secretary", "Secrétariat"
    MANAGER = "manager", "Responsable"


HELP_DESK = "help_desk"  # a platform role (User.help_desk), not tied to an establishment


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A professional; without `password` nobody can sign in as them."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """A professional of the platform, signed in by e-mail address, password and a second factor."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    email = models.EmailField("adresse e-mail", unique=True)
    family_name = models.CharField("nom", max_length=100)
    given_name = models.CharField("prénom", max_length=100)
    title = models.CharField("civilité", max_length=10, blank=True)
    mobile = models.CharField("téléphone mobile", max_length=20, blank=True)
    rpps = models.CharField("n° RPPS", max_length=11, null=True, blank=True, unique=True)
    profession = models.CharField("profession", max_length=60, blank=True)
    specialty = models.CharField("spécialité", max_length=100, blank=True)
    help_desk = models.BooleanField("agent du support", default=False)
    is_active = models.BooleanField(default=True)
    link_serial = models.PositiveIntegerField(default=0)  # only the last set-password link works
    # A password chosen through an e-mailed link: until the next sign-in a code by e-mail would be the same factor twice.
    password_by_link = models.BooleanField(default=False)
    synthetic = models.BooleanField(default=False)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    is_staff = False
    is_superuser = False

    class Meta:
        ordering = ["family_name", "given_name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rpps__isnull=True) | models.Q(rpps__regex=r"^\d{11}$"),
                name="user_rpps_shape",
            ),
            models.UniqueConstraint(Lower("email"), name="user_email_unique_lower"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.title, self.given_name, self.family_name) if part)

    @property
    def shown_mobile(self) -> str:
        """The mobile number as one reads it: 06 39 98 12 34."""
        try:
            number = phonenumbers.parse(self.mobile, "FR")
        except phonenumbers.NumberParseException:
            return self.mobile
        french = number.country_code == 33
        form = phonenumbers.PhoneNumberFormat.NATIONAL if french else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, form)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def at_work(self, roles: Iterable[str] = Role.values) -> "MembershipQuerySet":
        """Who still works there, in one of these roles: not those who left, nor of an establishment that closed."""
        return self.filter(ended_at=None, user__is_active=True, establishment__active=True, role__in=roles)


class Membership(Base):
    """A professional works in an establishment in a role, until it ends. Ended rows stay: contributions keep an author."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "establishment"],
                condition=models.Q(ended_at=None),
                name="membership_one_live_role",
            ),
        ]


class Attempts(models.Model):
    """Failed attempts of one account, one network address or one second factor: what the growing lock-out counts.

    `key` is a kind and a hash, so that the table names nobody, not even an account that does not exist.
    """

    key = models.CharField(max_length=80, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
