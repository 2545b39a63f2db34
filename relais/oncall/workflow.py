"""States of a slot and of a request to be replaced."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.oncall import permissions as may


class SlotState(models.TextChoices):
    """domain.md §3.4: prévu, confirmé, remplacé, absent. Of an absent doctor the back-up answers."""

    PLANNED = "planned", "Prévue"
    CONFIRMED = "confirmed", "Confirmée"
    REPLACED = "replaced", "Remplacée"
    ABSENT = "absent", "Absence"


class AskState(models.TextChoices):
    """Of a request to be replaced. One whose slot has begun is void, whatever its state."""

    ASKED = "asked", "En attente"
    ACCEPTED = "accepted", "Acceptée"
    REFUSED = "refused", "Refusée"
    CANCELLED = "cancelled", "Annulée"


# In the rota: the doctor answers, or the back-up instead. A replaced slot is only remembered.
LIVE = (SlotState.PLANNED, SlotState.CONFIRMED, SlotState.ABSENT)
ANSWERS = (SlotState.PLANNED, SlotState.CONFIRMED)

SLOT: Table = {
    "confirm": Transition((SlotState.PLANNED,), SlotState.CONFIRMED, may.is_mine, "Confirmer"),
    "mark_absent": Transition(ANSWERS, SlotState.ABSENT, may.can_say_absent, "Déclarer l’absence"),
    "mark_present": Transition((SlotState.ABSENT,), SlotState.PLANNED, may.can_say_absent, "Annuler l’absence"),
    "move": Transition(ANSWERS, SlotState.PLANNED, may.can_move, "Changer les heures"),
    "give": Transition(LIVE, SlotState.REPLACED, may.can_move, "Donner à un autre médecin"),
    "replace": Transition(LIVE, SlotState.REPLACED, may.by_agreement, "Remplacer"),
}
ASK: Table = {
    "accept": Transition((AskState.ASKED,), AskState.ACCEPTED, may.is_asked, "Accepter"),
    "refuse": Transition((AskState.ASKED,), AskState.REFUSED, may.is_asked, "Refuser"),
    "cancel": Transition((AskState.ASKED,), AskState.CANCELLED, may.can_cancel, "Annuler la demande"),
}
