"""States of a request for help and the only ways between them (expectations B14.3)."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.portal import permissions as may


class TicketState(models.TextChoices):
    OPEN = "open", "À traiter"
    ANSWERED = "answered", "Répondue"
    CLOSED = "closed", "Résolue"


EVERY = (TicketState.OPEN, TicketState.ANSWERED, TicketState.CLOSED)

TRANSITIONS: Table = {
    "answer": Transition((TicketState.OPEN, TicketState.ANSWERED), TicketState.ANSWERED, may.can_answer, "Répondre"),
    "reply": Transition(EVERY, TicketState.OPEN, may.can_reply, "Compléter ma demande"),
    "close": Transition((TicketState.OPEN, TicketState.ANSWERED), TicketState.CLOSED, may.can_close, "Marquer résolue"),
    "reopen": Transition((TicketState.CLOSED,), TicketState.OPEN, may.can_reopen, "Rouvrir"),
}
