"""Video rooms: who is invited, who waits, who is there; the two ends of a call find each other here. Knows no dossier."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from relais.core.models import Base


class Room(Base):
    """A room that a workflow opened for `about`. Ended rooms let nobody in."""

    about = models.UUIDField(unique=True)
    relay_only = models.BooleanField(default=False)
    max_people = models.PositiveSmallIntegerField(default=4)
    ended_at = models.DateTimeField(null=True)


class Part(models.TextChoices):
    HOST = "host", "Professionnel"
    PATIENT = "patient", "Patient"
    GUEST = "guest", "Invité"


class Invitation(Base):
    """`holder_id` (a user, or a grant) may come into the room: at once for a host, once admitted for the others."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="invitations")
    holder_id = models.UUIDField()
    part = models.CharField(max_length=10, choices=Part)
    name = models.CharField(max_length=200)
    authenticated = models.BooleanField(default=False)
    admitted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "holder_id"], name="invitation_once")]


class Presence(models.Model):
    """Last heartbeat of a holder about something: absent after 30 seconds (architecture, Live)."""

    about = models.UUIDField()
    holder_id = models.UUIDField()
    place = models.CharField(max_length=20)  # space, waiting, call, report…
    seen_at = models.DateTimeField(default=timezone.now)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["about", "holder_id", "place"], name="presence_once")]
        indexes = [models.Index(fields=["seen_at"], name="presence_seen")]


class Peer(Base):
    """One browser page in the call."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="peers")
    seen_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True)
    quality = models.CharField(max_length=20, blank=True)  # as the peer last measured: good, weak, audio


class Signal(models.Model):
    """An offer, answer or candidate from one peer to another; deleted once the call has ended."""

    sender = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="+")
    recipient = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="signals")
    payload = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["recipient", "id"], name="signal_inbox")]


class Line(Base):
    """An instant message in the room (TC-43)."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="lines")
    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField(max_length=1000)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="line_not_empty")]


class Outcome(models.TextChoices):
    OK = "ok", "Réussi"
    KO = "ko", "Échec"


class DeviceTest(Base):
    """A self-test of browser, camera, microphone, loudspeaker and network, with what each part found (TC-10, TC-31)."""

    about = models.UUIDField()
    holder_id = models.UUIDField()
    outcome = models.CharField(max_length=2, choices=Outcome)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["about", "-created_at"], name="devicetest_about_recent")]
