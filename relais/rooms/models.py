"""Video rooms: who is invited, who waits, who is there; the two ends of a call find each other here. Knows no dossier."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from relais.core.models import Base

MESH_MAX = 4  # more pages than that would each send their picture too often
RELAYED_MAX = 100  # whatever SFU_MAX_PEOPLE says
ABSENT_AFTER = timedelta(seconds=30)


class Carrier(models.TextChoices):
    """How sound and image go: from page to page, or each once to a video relay (SFU) that gives them to all others."""

    MESH = "mesh", "De navigateur à navigateur"
    SFU = "sfu", "Par le relais vidéo"


class Room(Base):
    """A room that a workflow opened for `about`. Ended rooms let nobody in.

    How it is carried is chosen by its size. While no relay answers, a room of many has `fallen` back to the mesh.
    """

    about = models.UUIDField(unique=True)
    relay_only = models.BooleanField(default=False)
    max_people = models.PositiveSmallIntegerField(default=MESH_MAX)
    carrier = models.CharField(max_length=10, choices=Carrier, default=Carrier.MESH)
    node = models.CharField(max_length=60, blank=True)  # the relay that it is on, by its name in the settings
    fallen_at = models.DateTimeField(null=True)
    # What pages close their frames with, so that the relay cannot read them: another one whenever somebody leaves.
    frames_key = models.CharField(max_length=44, blank=True)
    frames_key_number = models.PositiveIntegerField(default=0)
    # Pinged, beside presence:<about>, when somebody comes or goes: a dashboard watches one topic for all its rows.
    topics = ArrayField(models.CharField(max_length=80), default=list)
    cleared_at = models.DateTimeField(
        null=True
    )  # another conversation begins: who was in the last one is named no more
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(carrier=Carrier.MESH, max_people__gte=2, max_people__lte=MESH_MAX)
                | Q(carrier=Carrier.SFU, max_people__gt=MESH_MAX, max_people__lte=RELAYED_MAX),
                name="room_size_fits_carrier",
            ),
            models.CheckConstraint(condition=Q(carrier=Carrier.SFU) | Q(fallen_at=None), name="room_falls_from_sfu"),
        ]

    @property
    def relayed(self) -> bool:
        """Whether sound and image go through a video relay now."""
        return self.carrier == Carrier.SFU and self.fallen_at is None

    @property
    def places(self) -> int:
        """How many people it lets in now."""
        return self.max_people if self.fallen_at is None else MESH_MAX


class Part(models.TextChoices):
    HOST = "host", "Professionnel"
    PATIENT = "patient", "Patient"
    GUEST = "guest", "Invité"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def live(self) -> "InvitationQuerySet":
        """Neither revoked nor of a room that has ended."""
        return self.filter(revoked_at=None, room__ended_at=None)


class Invitation(Base):
    """`holder_id` (a user, or a grant) may come into the room: at once for a host, once admitted for the others."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="invitations")
    holder_id = models.UUIDField()
    establishment_id = models.UUIDField(null=True)  # of a host: where they are a member
    part = models.CharField(max_length=10, choices=Part)
    name = models.CharField(max_length=200)
    authenticated = models.BooleanField(default=False)
    admitted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["room", "holder_id"], name="invitation_once")]

    @property
    def is_host(self) -> bool:
        return self.part == Part.HOST


class Place(models.TextChoices):
    """Where somebody is seen, from the farthest to the nearest."""

    SPACE = "space", "En ligne"
    WAITING = "waiting", "En salle d’attente"
    CALL = "call", "En appel"


class Presence(models.Model):
    """Last heartbeat of a holder about something: absent after 30 seconds (architecture, Live)."""

    about = models.UUIDField()
    holder_id = models.UUIDField()
    place = models.CharField(max_length=20, choices=Place)
    seen_at = models.DateTimeField(default=timezone.now)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["about", "holder_id", "place"], name="presence_once")]
        indexes = [models.Index(fields=["seen_at"], name="presence_seen")]


class Quality(models.TextChoices):
    """A line, as the page at its end last measured it."""

    GOOD = "good", "Ligne bonne"
    WEAK = "weak", "Ligne faible : la vidéo est réduite"
    AUDIO = "audio", "Son seulement"


class PeerQuerySet(models.QuerySet["Peer"]):
    def inside(self, now: datetime | None = None) -> "PeerQuerySet":
        """In the call now: neither gone nor silent. A page that dies says no goodbye."""
        return self.filter(left_at=None, seen_at__gt=(now or timezone.now()) - ABSENT_AFTER)


class Peer(Base):
    """One browser page in the call; a person has one at a time."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="peers")
    seen_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True)
    quality = models.CharField(max_length=20, choices=Quality, blank=True)
    closes = models.BooleanField(default=False)  # its browser can encrypt frames end to end

    objects = PeerQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["invitation"], condition=Q(left_at=None), name="peer_one_page_a_person")
        ]


class Seat(Base):
    """The place of one page at a video relay (rooms.sfu.Place). Its id is the name of what the page sends there."""

    peer = models.OneToOneField(Peer, on_delete=models.CASCADE, related_name="seat")
    node = models.CharField(max_length=60)
    session = models.BigIntegerField()
    sends = models.BigIntegerField()
    receives = models.BigIntegerField()
    up = models.BooleanField(default=False)  # its line to the relay stands: others can receive it
    feeds = ArrayField(models.UUIDField(), default=list)  # the seats of others that it receives
    unanswered = models.BooleanField(default=False)  # the relay's last offer: the page may never have had it

    class Meta:
        ordering = ["created_at", "id"]


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


class CaptureKind(models.TextChoices):
    PHOTO = "photo", "Photo"
    CLIP = "clip", "Vidéo"


class Capture(Base):
    """A host asked to take a picture of somebody, who agreed or not (TC-42): nothing is taken before."""

    asked_by = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="+")
    subject = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="captures")
    kind = models.CharField(max_length=10, choices=CaptureKind)
    agreed = models.BooleanField(null=True)
    answered_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(null=True)  # one agreement is for one picture

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by", "subject", "kind"], condition=Q(answered_at=None), name="capture_asked_once"
            ),
            models.CheckConstraint(condition=Q(kept_at=None) | Q(agreed=True), name="capture_kept_was_agreed"),
            models.CheckConstraint(
                condition=Q(agreed__isnull=True, answered_at__isnull=True)
                | Q(agreed__isnull=False, answered_at__isnull=False),
                name="capture_answer_has_time",
            ),
        ]


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
