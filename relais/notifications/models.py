"""The outbox: a message is a row written in the same transaction as its cause, with an honest state."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from relais.core.models import Base
from relais.notifications.workflow import TRANSITIONS, State


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"


class Message(Base):
    """One e-mail or SMS. `type` is a registered MessageType; `about` the dossier or account it concerns."""

    TRANSITIONS = TRANSITIONS

    type = models.CharField(max_length=60)
    about = models.UUIDField(null=True)
    holder_id = models.UUIDField(null=True)  # the user or grant it is addressed to
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254)
    other_address = models.CharField(max_length=254, blank=True)  # of the other channel, for the fallback
    context = models.JSONField(default=dict)  # ids, times and what every reader of the text may know
    secret = models.BinaryField(null=True)  # encrypted; erased once sent
    had_secret = models.BooleanField(default=False)  # sending again needs a new one
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    send_after = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)  # delivered or refused
    message_id = models.CharField(max_length=200, blank=True)  # ours, one for all attempts
    provider_id = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=300, blank=True)  # what the server said, without addresses
    fallback_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="fallbacks")
    # Pinged, beside messages:<about>, whenever its state changes: a dashboard watches one topic for all its rows.
    topics = ArrayField(models.CharField(max_length=80), default=list)
    replaced = models.BooleanField(default=False)  # corrected and sent again: no longer flagged

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["about", "-created_at"], name="message_about_recent"),
            models.Index(fields=["send_after"], name="message_due", condition=Q(state="waiting")),
            models.Index(fields=["attempted_at"], name="message_in_hand", condition=Q(state="sending")),
            models.Index(fields=["message_id"], name="message_ours", condition=~Q(message_id="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(secret=None) | Q(state__in=["waiting", "sending"]), name="message_secret_erased"
            ),
            models.CheckConstraint(condition=~Q(address=""), name="message_has_address"),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(attempted_at__isnull=False), name="message_attempt_noted"
            ),
            models.UniqueConstraint(
                fields=["fallback_of"], condition=Q(fallback_of__isnull=False), name="message_one_fallback"
            ),
        ]


class DemoCopy(Base):
    """What a message said, for the demo page alone: written only where `settings.DEMO` and no channel is configured."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="demo_copy")
    sealed = models.BinaryField()  # subject and text, encrypted

    class Meta:
        ordering = ["-created_at", "id"]


class OneTimeCode(Base):
    """A 6-digit code sent to someone for one purpose: short-lived, few tries, single use, the last one only (TC-50, TC-51)."""

    holder_id = models.UUIDField()
    purpose = models.CharField(max_length=30)  # sign_in, prescription, device
    about = models.UUIDField(null=True)
    code_hash = models.CharField(max_length=200)
    channel = models.CharField(max_length=5, choices=Channel)
    address_hash = models.CharField(max_length=64)  # keyed: counts the sends to one address
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    superseded = models.BooleanField(default=False)

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["holder_id", "-created_at"], name="code_holder_recent"),
            models.Index(fields=["address_hash", "-created_at"], name="code_address_recent"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["holder_id", "purpose"],
                condition=Q(superseded=False, used_at=None),
                name="code_last_one_only",
            ),
            models.CheckConstraint(condition=Q(tries__lte=5), name="code_few_tries"),
        ]
