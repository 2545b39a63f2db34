"""States of a meeting and the only ways between them."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.meetings.permissions import meetings as may


class State(models.TextChoices):
    PLANNED = "planned", "Prévue"
    ENDED = "ended", "Terminée"
    CANCELLED = "cancelled", "Annulée"


TRANSITIONS: Table = {
    "end": Transition((State.PLANNED,), State.ENDED, may.can_end, "Terminer la réunion"),
    "cancel": Transition((State.PLANNED,), State.CANCELLED, may.can_arrange, "Annuler la réunion"),
}
