"""Help desk: a request with a number to keep (SU-03, TC-64)."""

import secrets
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from relais.core.models import Base
from relais.portal.permissions import can_serve
from relais.portal.workflow import TRANSITIONS, TicketState

if TYPE_CHECKING:
    from relais.core.actor import Actor

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that the telephone or a tired eye takes for something else


def new_number() -> str:
    """A number to keep, as `AIDE-7KQ4-M2XD`: unguessable (39 bits), unambiguous read aloud."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"AIDE-{letters[:4]}-{letters[4:]}"


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, actor: "Actor") -> "TicketQuerySet":
        """One's own requests; all of them for the agents of the help desk."""
        if actor.kind == "system" or can_serve(actor):
            return self
        if actor.grant_id:
            return self.filter(grant_id=actor.grant_id)
        if actor.user_id:
            return self.filter(user_id=actor.user_id)
        return self.filter(pk=actor.about) if actor.kind == "visitor" else self.none()


class Ticket(Base):
    """A request for help, with where it was made from; never clinical content.

    `moved_at` is when the state last changed: an open request has been waiting since then, and the clock starts
    again when the person writes (expectations B14.3). `key` makes a form that is sent twice one request.
    """

    TRANSITIONS = TRANSITIONS

    number = models.CharField(max_length=20, unique=True, default=new_number)
    key = models.UUIDField(unique=True)
    state = models.CharField(max_length=10, choices=TicketState, default=TicketState.OPEN)
    moved_at = models.DateTimeField(default=timezone.now)
    service = models.CharField("service", max_length=60)
    subject = models.CharField("objet", max_length=150)
    text = models.TextField("votre question", max_length=4000)
    name = models.CharField("nom", max_length=200, blank=True)
    email = models.EmailField("adresse e-mail", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    page = models.CharField(max_length=300, blank=True)
    actor_kind = models.CharField(max_length=20)
    user_id = models.UUIDField(null=True)
    grant_id = models.UUIDField(null=True)
    establishment_id = models.UUIDField(null=True)
    roles = models.CharField(max_length=100, blank=True)
    device_test = models.JSONField(default=dict)
    browser = models.CharField(max_length=300, blank=True)
    sender = models.CharField(max_length=64, blank=True)  # pseudonym of the network address, for the cap

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["state", "moved_at", "id"], name="ticket_state_moved"),
            models.Index(fields=["sender", "created_at"], name="ticket_sender"),
            models.Index(fields=["user_id", "-created_at"], name="ticket_user"),
            models.Index(fields=["grant_id", "-created_at"], name="ticket_grant"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(email="") | ~models.Q(phone=""), name="ticket_has_contact"),
        ]


class Answer(Base):
    """A message in a request, from an agent or from the person who asked. `key`: sent twice, it is one message."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="answers")
    key = models.UUIDField(unique=True)
    author_id = models.UUIDField(null=True)
    from_agent = models.BooleanField()
    text = models.TextField(max_length=4000)

    class Meta:
        ordering = ["created_at", "id"]
