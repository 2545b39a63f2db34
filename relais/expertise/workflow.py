"""States of a tele-expertise and the only ways between them (domain.md §2.1)."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.expertise import permissions as may


class State(models.TextChoices):
    """The codes of domain.md §2.1."""

    DRAFT = "brouillon", "Brouillon"
    SENT = "envoyee", "Envoyée"
    TAKEN = "prise-en-charge", "Prise en charge"
    COMPLEMENT_ASKED = "complement-demande", "Complément demandé"
    COMPLEMENT_GIVEN = "complement-fourni", "Complément donné"
    ANSWERED = "repondue", "Avis rendu"
    CLOSED = "cloturee", "Clôturée"
    REFUSED = "refusee", "Refusée"
    CANCELLED = "annulee", "Annulée"
    REDIRECTED = "reorientee", "Réorientée"
    VISIO = "convertie-visio", "En visio"
    ADMISSION = "convertie-admission", "Admission proposée"


PHASES = {
    State.DRAFT: "open",
    State.SENT: "open",
    State.TAKEN: "open",
    State.COMPLEMENT_ASKED: "open",
    State.COMPLEMENT_GIVEN: "open",
    State.REDIRECTED: "open",
    State.VISIO: "open",
    State.ANSWERED: "done",
    State.REFUSED: "done",
    State.ADMISSION: "done",
    State.CLOSED: "closed",
    State.CANCELLED: "cancelled",
}
FREE = (State.SENT, State.REDIRECTED)  # nobody has taken it
HELD = (State.TAKEN, State.COMPLEMENT_ASKED, State.COMPLEMENT_GIVEN, State.VISIO)  # an expert has it
OPEN = (*FREE, *HELD)  # an answer is awaited
RUNNING = tuple(state for state in OPEN if state != State.COMPLEMENT_ASKED)  # its clock runs
AFTER = (State.ANSWERED, State.REFUSED, State.ADMISSION)  # its requester closes it

TRANSITIONS: Table = {
    "send": Transition((State.DRAFT,), State.SENT, may.can_write, "Envoyer la demande"),
    "take": Transition(FREE, State.TAKEN, may.can_take, "Prendre en charge"),
    "take_over": Transition(HELD, State.TAKEN, may.can_take_over, "Reprendre la demande"),
    "give_back": Transition((State.TAKEN,), State.SENT, may.can_answer, "Remettre à l’équipe"),
    "ask_complement": Transition(
        (State.TAKEN, State.COMPLEMENT_GIVEN), State.COMPLEMENT_ASKED, may.can_answer, "Demander un complément"
    ),
    "give_complement": Transition(
        (State.COMPLEMENT_ASKED,), State.COMPLEMENT_GIVEN, may.can_follow, "Donner le complément"
    ),
    "answer": Transition(HELD, State.ANSWERED, may.can_answer, "Rendre l’avis"),
    "second_opinion": Transition((State.ANSWERED,), State.SENT, may.can_ask_second, "Demander un second avis"),
    "refuse": Transition(
        (*FREE, State.TAKEN, State.COMPLEMENT_ASKED, State.COMPLEMENT_GIVEN), State.REFUSED, may.can_refuse, "Refuser"
    ),
    "redirect": Transition(
        (*FREE, State.TAKEN, State.COMPLEMENT_ASKED, State.COMPLEMENT_GIVEN, State.REFUSED),
        State.REDIRECTED,
        may.can_redirect,
        "Réorienter",
    ),
    "to_visio": Transition(
        (State.TAKEN, State.COMPLEMENT_ASKED, State.COMPLEMENT_GIVEN), State.VISIO, may.can_answer, "Passer en visio"
    ),
    "to_admission": Transition(
        (State.TAKEN, State.COMPLEMENT_GIVEN, State.VISIO, State.ANSWERED, State.ADMISSION),
        State.ADMISSION,
        may.can_propose,
        "Proposer une admission",
    ),
    "accept_admission": Transition((State.ADMISSION,), State.ADMISSION, may.can_accept, "Accepter l’admission"),
    "decline_admission": Transition((State.ADMISSION,), State.ADMISSION, may.can_decline, "Refuser l’admission"),
    "cancel": Transition((State.DRAFT, *OPEN), State.CANCELLED, may.can_cancel, "Annuler la demande"),
    "died": Transition((State.DRAFT, *OPEN), State.CANCELLED, may.only_system, "Annuler après un décès"),
    "close": Transition(AFTER, State.CLOSED, may.can_follow, "Clôturer le dossier"),
}
