"""States of a request, and the only ways between them (domain.md §3.3)."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.liaison import permissions as may


class State(models.TextChoices):
    DRAFT = "brouillon", "Brouillon"
    SUBMITTED = "soumise", "Envoyée"
    TAKEN = "prise-en-charge", "Prise en charge"
    COMPLEMENT = "complement", "Complément demandé"
    ADVISED = "avis-rendu", "Avis rendu"
    REVIEW = "a-reevaluer", "À réévaluer"
    ORIENTATION = "orientation-en-cours", "Orientation en cours"
    TO_SAMU = "redirigee-samu", "Passée au SAMU"
    TRANSFERRED = "transferee", "Passée à un autre service"
    CLOSED = "cloturee", "Clôturée"
    CANCELLED = "annulee", "Annulée"


WAITING = (State.SUBMITTED, State.TO_SAMU, State.TRANSFERRED)  # somebody is asked and has not taken it
PASSED_ON = (State.TO_SAMU, State.TRANSFERRED)  # of a service that is not that of its doctor
IN_HAND = (State.TAKEN, State.COMPLEMENT, State.ADVISED, State.REVIEW, State.ORIENTATION)
OPEN = (*WAITING, *IN_HAND)
OVER = (State.CLOSED, State.CANCELLED)
PHASES = dict.fromkeys((State.DRAFT, *OPEN), "open") | {State.CLOSED: "closed", State.CANCELLED: "cancelled"}

TRANSITIONS: Table = {
    "submit": Transition((State.DRAFT,), State.SUBMITTED, may.can_speak, "Envoyer la demande"),
    "take": Transition(WAITING, State.TAKEN, may.can_take, "Prendre en charge"),
    "ask": Transition(
        (State.TAKEN, State.ADVISED, State.REVIEW), State.COMPLEMENT, may.can_decide, "Demander un complément"
    ),
    "give": Transition((State.COMPLEMENT,), State.TAKEN, may.can_speak, "Donner le complément"),
    "stop_asking": Transition((State.COMPLEMENT,), State.TAKEN, may.only_system, "Ne plus attendre de complément"),
    "advise": Transition(IN_HAND, State.ADVISED, may.can_decide, "Rendre l’avis"),
    "plan": Transition((State.ADVISED,), State.REVIEW, may.can_decide, "Programmer une réévaluation"),
    "orient": Transition((State.ADVISED,), State.ORIENTATION, may.can_decide, "Orienter le résident"),
    "redirect": Transition(
        (State.SUBMITTED, State.TRANSFERRED, *IN_HAND), State.TO_SAMU, may.can_redirect, "Passer au SAMU"
    ),
    "transfer": Transition(IN_HAND, State.TRANSFERRED, may.can_decide, "Passer à un autre service"),
    "close": Transition(
        (State.ADVISED, State.REVIEW, State.ORIENTATION, State.TAKEN), State.CLOSED, may.can_close, "Clôturer"
    ),
    "end": Transition(OPEN, State.CLOSED, may.only_system, "Clore après un départ ou un décès"),
    "cancel": Transition((State.DRAFT, State.SUBMITTED), State.CANCELLED, may.can_speak, "Annuler la demande"),
}
