"""The outbox: a message is a row written in the same transaction as its cause, with an honest state."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from relais.core.models import Base


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"


class State(models.TextChoices):
    """What is known, never more: handed over is not received, and a worker that died in between leaves UNCERTAIN."""

    WAITING = "waiting", "En attente"
    SENDING = "sending", "Envoi en cours"
    HANDED = "handed", "Remis au serveur"
    DELIVERED = "delivered", "Reçu"
    REFUSED = "refused", "Refusé"
    UNCERTAIN = "uncertain", "Incertain"
    CANCELLED = "cancelled", "Plus nécessaire"


class Message(Base):
    """One e-mail or SMS. `type` is a registered MessageType; `about` the dossier or account it concerns."""

    type = models.CharField(max_length=60)
    about = models.UUIDField(null=True)
    holder_id = models.UUIDField(null=True)  # the user or grant it is addressed to
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254)
    context = models.JSONField(default=dict)  # ids and times only
    secret = models.BinaryField(null=True)  # encrypted; erased once sent
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    send_after = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True)
    message_id = models.CharField(max_length=200, blank=True)  # ours, one for all attempts
    provider_id = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=300, blank=True)  # what the server said, without addresses
    fallback_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="fallbacks")
    replaced = models.BooleanField(default=False)  # corrected and sent again: no longer flagged

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["about", "-created_at"], name="message_about_recent"),
            models.Index(fields=["state", "send_after"], name="message_due", condition=Q(state="waiting")),
            models.Index(fields=["provider_id"], name="message_provider", condition=~Q(provider_id="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(secret=None) | Q(state__in=["waiting", "sending"]), name="message_secret_erased"
            ),
        ]


class OneTimeCode(Base):
    """A 6-digit code sent to someone for one purpose: short-lived, few tries, single use, the last one only (TC-50, TC-51)."""

    holder_id = models.UUIDField()
    purpose = models.CharField(max_length=30)  # sign_in, prescription, device
    about = models.UUIDField(null=True)
    code_hash = models.CharField(max_length=200)
    channel = models.CharField(max_length=5, choices=Channel)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    superseded = models.BooleanField(default=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["holder_id", "purpose", "-created_at"], name="code_holder_purpose")]
        constraints = [
            models.UniqueConstraint(
                fields=["holder_id", "purpose"],
                condition=Q(superseded=False, used_at=None),
                name="code_last_one_only",
            ),
        ]
