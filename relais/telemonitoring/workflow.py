"""States of a follow-up and of an alert, and the only ways between them (domain.md §1.8)."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.telemonitoring import permissions as may


class State(models.TextChoices):
    ACTIVE = "active", "En cours"
    PAUSED = "paused", "Hospitalisé, suivi en pause"
    CLOSED = "closed", "Clôturé"


PHASES = {State.ACTIVE: "open", State.PAUSED: "open", State.CLOSED: "closed"}

TRANSITIONS: Table = {
    "pause": Transition((State.ACTIVE,), State.PAUSED, may.can_follow, "Patient hospitalisé"),
    "resume": Transition((State.PAUSED,), State.ACTIVE, may.can_follow, "Reprendre le suivi"),
    "close": Transition((State.ACTIVE, State.PAUSED), State.CLOSED, may.can_close, "Clôturer le suivi"),
    "died": Transition((State.ACTIVE, State.PAUSED), State.CLOSED, may.is_system, "Clôturer après un décès"),
}


class AlertState(models.TextChoices):
    NEW = "new", "Nouvelle"
    TAKEN = "taken", "Prise en charge"
    CALLING = "calling", "Appel en cours"
    REACHED = "reached", "Patient joint"
    UNREACHED = "unreached", "Non joint"
    ESCALATED = "escalated", "Transmise au médecin"
    CLOSED = "closed", "Traitée"
    CANCELLED = "cancelled", "Erreur de saisie"


OPEN = (
    AlertState.NEW, AlertState.TAKEN, AlertState.CALLING, AlertState.REACHED, AlertState.UNREACHED, AlertState.ESCALATED,
)  # fmt: skip
IN_HAND = (AlertState.TAKEN, AlertState.UNREACHED, AlertState.ESCALATED)

ALERT_TRANSITIONS: Table = {
    "take": Transition((AlertState.NEW,), AlertState.TAKEN, may.can_handle, "Prendre en charge"),
    "give_back": Transition((AlertState.TAKEN,), AlertState.NEW, may.can_handle, "Rendre à l’équipe"),
    "call": Transition((*IN_HAND, AlertState.REACHED), AlertState.CALLING, may.can_handle, "Appeler"),
    "reached": Transition((AlertState.CALLING,), AlertState.REACHED, may.can_handle, "Patient joint"),
    "unreached": Transition((AlertState.CALLING,), AlertState.UNREACHED, may.can_handle, "Non joint"),
    "escalate": Transition(
        (AlertState.TAKEN, AlertState.CALLING, AlertState.REACHED, AlertState.UNREACHED),
        AlertState.ESCALATED,
        may.can_escalate,
        "Transmettre au médecin",
    ),
    "check": Transition(
        (AlertState.TAKEN, AlertState.UNREACHED, AlertState.ESCALATED),
        AlertState.UNREACHED,
        may.can_decide_check,
        "Décider d’une vérification",
    ),
    "finish": Transition((AlertState.REACHED, AlertState.ESCALATED), AlertState.CLOSED, may.can_finish, "Terminer"),
    "mistake": Transition(OPEN, AlertState.CANCELLED, may.can_finish, "Erreur de saisie"),
    # By the rules or the end of the follow-up, never by a person:
    "again": Transition((AlertState.REACHED,), AlertState.TAKEN, may.is_system, "Nouvelle aggravation"),
    "hand_over": Transition(
        (AlertState.TAKEN, AlertState.UNREACHED), AlertState.NEW, may.is_system, "Transfert à une autre cellule"
    ),
    "settle": Transition(OPEN, AlertState.CLOSED, may.is_system, "Clôture automatique"),
}


class TransferState(models.TextChoices):
    ASKED = "asked", "Proposé"
    ACCEPTED = "accepted", "Accepté"
    REFUSED = "refused", "Refusé"
    CANCELLED = "cancelled", "Annulé"


TRANSFER_TRANSITIONS: Table = {
    "accept": Transition((TransferState.ASKED,), TransferState.ACCEPTED, may.can_accept, "Accepter"),
    "refuse": Transition((TransferState.ASKED,), TransferState.REFUSED, may.can_accept, "Refuser"),
    "cancel": Transition((TransferState.ASKED,), TransferState.CANCELLED, may.can_cancel, "Annuler la demande"),
    # By the end of the follow-up:
    "drop": Transition((TransferState.ASKED,), TransferState.CANCELLED, may.is_system, "Suivi clôturé"),
}
