"""Help desk: a ticket with a number to keep (SU-03, TC-64)."""

from django.db import models

from relais.core.models import Base


class TicketState(models.TextChoices):
    OPEN = "open", "Ouverte"
    ANSWERED = "answered", "Répondue"
    CLOSED = "closed", "Résolue"


class Ticket(Base):
    """A request for help, with where it was made from; never clinical content."""

    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=10, choices=TicketState, default=TicketState.OPEN)
    service = models.CharField("service", max_length=60)
    subject = models.CharField("objet", max_length=150)
    text = models.TextField("votre question", max_length=4000)
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

    class Meta:
        ordering = ["-created_at", "id"]


class Answer(Base):
    """A message in a ticket, from an agent or from the person who asked."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="answers")
    author_id = models.UUIDField(null=True)
    from_agent = models.BooleanField()
    text = models.TextField(max_length=4000)

    class Meta:
        ordering = ["created_at", "id"]
