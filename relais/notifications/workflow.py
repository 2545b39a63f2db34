"""States of a message and the only ways between them: what is known, never more (expectations D16)."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.notifications import permissions as may


class State(models.TextChoices):
    """Handed over is not received, and a worker that died in between leaves UNCERTAIN."""

    WAITING = "waiting", "En attente"
    SENDING = "sending", "Envoi en cours"
    HANDED = "handed", "Remis au serveur"
    DELIVERED = "delivered", "Reçu"
    REFUSED = "refused", "Refusé"
    UNCERTAIN = "uncertain", "Incertain"
    CANCELLED = "cancelled", "Plus nécessaire"


# A message whose sending began: a receipt or a bounce may come before the worker has noted that it handed it over.
BEGUN = (State.SENDING, State.HANDED, State.UNCERTAIN)

TRANSITIONS: Table = {
    "claim": Transition((State.WAITING,), State.SENDING, may.can_move, "Envoyer"),
    "postpone": Transition((State.WAITING, State.SENDING), State.WAITING, may.can_move, "Réessayer plus tard"),
    "hand": Transition((State.SENDING, State.UNCERTAIN), State.HANDED, may.can_move, "Remettre au serveur"),
    "deliver": Transition(BEGUN, State.DELIVERED, may.can_move, "Noter la réception"),
    "refuse": Transition((State.WAITING, *BEGUN), State.REFUSED, may.can_move, "Noter le refus"),
    "lose": Transition((State.SENDING,), State.UNCERTAIN, may.can_move, "Marquer incertain"),
    "cancel": Transition((State.WAITING,), State.CANCELLED, may.can_move, "Annuler l’envoi"),
}
