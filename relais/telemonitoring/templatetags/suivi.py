"""Words of telemonitoring in templates: windows, events."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l

from relais.core import times
from relais.dossiers.models import Event
from relais.telemonitoring import permissions as may
from relais.telemonitoring import wording
from relais.telemonitoring.actions.alerts import NOTED
from relais.telemonitoring.models import Call, FollowUp
from relais.telemonitoring.programme import Slot, Window
from relais.telemonitoring.queries import curves

register = template.Library()

WORDS = {
    "created": _l("Suivi ouvert"),
    "answered": _l("Réponses reçues"),
    "sequel_opened": _l("Un autre dossier a été ouvert depuis ce suivi"),
    "became_case": _l("Personne-contact devenue cas : le suivi continue comme celui d’un cas"),
    "extended": _l("Suivi prolongé de 7 jours"),
    "alert_opened": _l("Alerte ouverte"),
    "alert_raised": _l("Alerte aggravée"),
    "alert_confirmed": _l("Alerte confirmée par une réponse"),
    "document_added": _l("Document ajouté"),
    "note_added": _l("Note ajoutée"),
    "answer_missed": _l("Réponse manquante"),
    "closing_proposed": _l("Clôture proposée"),
    "adjusted": _l("Rythme ou seuils changés"),
    "reader_added": _l("Un professionnel du cercle de soins peut lire le suivi"),
    "reader_removed": _l("Un professionnel du cercle de soins ne lit plus le suivi"),
    "equipped": _l("Oxymètre remis au patient"),
    "pause": _l("Patient hospitalisé : suivi en pause"),
    "resume": _l("Retour à domicile : suivi repris"),
    "died": _l("Suivi clôturé après un décès"),
    "alive": _l("Décès retiré : noté par erreur"),
    "close": _l("Suivi clôturé"),
    "transfer_asked": _l("Patient proposé à une autre cellule"),
    "transfer_accepted": _l("Patient suivi par une autre cellule"),
    "transfer_refused": _l("L’autre cellule n’a pas accepté le patient"),
    "transfer_cancelled": _l("Proposition à une autre cellule annulée"),
    "alert_hand_over": _l("Alerte à reprendre par la nouvelle cellule"),
    "alert_take": _l("Alerte prise en charge"),
    "alert_give_back": _l("Alerte rendue à l’équipe"),
    "alert_call": _l("Appel du patient"),
    "alert_reached": _l("Patient joint"),
    "alert_unreached": _l("Patient non joint"),
    "alert_escalate": _l("Alerte transmise au médecin"),
    "stop_asked": _l("Le patient demande à arrêter le suivi"),
    "alert_requalified": _l("Niveau de l’alerte changé après l’appel"),
    "call_planned": _l("Rappel programmé"),
    "alert_silent": _l("Alerte rouge sans nouvelle réponse depuis 12 h"),
    "alert_check": _l("Un médecin a décidé : vérification sur place ou attente"),
    "alert_finish": _l("Alerte terminée"),
    "alert_mistake": _l("Alerte annulée : erreur de saisie"),
    "alert_settle": _l("Alerte terminée par les règles ou la fin du suivi"),
}
SLOTS = {Slot.DAY: _l("dans la journée"), Slot.MORNING: _l("matin"), Slot.EVENING: _l("soir")}


@register.filter
def is_over(moment: datetime) -> bool:
    """Whether a promise was not kept in time."""
    return moment <= timezone.now()


@register.simple_tag
def window_words(window: Window) -> str:
    """*aujourd’hui matin*, *demain dans la journée*."""
    return f"{times.near(window.day)} {SLOTS[Slot(window.slot)]}"


@register.simple_tag
def slot_words(slot: str) -> str:
    """The slot of an answer in words."""
    return str(SLOTS[Slot(slot)])


@register.simple_tag
def event_words(event: Event) -> str:
    """One event of the timeline, as a sentence without clinical content."""
    return str(WORDS.get(event.verb, event.verb))


@register.simple_tag
def outcome_words(call: Call) -> str:
    """Who was called and how it went, or what a physician decided."""
    return wording.attempt(call.called, call.person, NOTED.get(call.outcome, call.outcome))


@register.simple_tag(takes_context=True)
def may_export(context: Any, cell: Any) -> bool:
    """Whether the reader may take the data of this cell (of `cells_of`) out: `permissions.can_export`, already asked."""
    return bool(cell.mine and context["request"].actor.has_role("practitioner"))


@register.inclusion_tag("telemonitoring/_cell_tabs.html", takes_context=True)
def cell_tabs(context: Any, cell: Any, here: str) -> dict[str, Any]:
    """The pages of a cell that the reader may open; `here`: patients, handover, transfers or members."""
    actor = context["request"].actor
    mine = cell.mine if hasattr(cell, "mine") else may.in_cell(actor, cell)
    return {
        "cell": cell,
        "here": here,
        "mine": mine,
        "manages": may.can_manage(actor, cell),
        "reads_rules": context.get("may_read_rules", mine and actor.has_role("practitioner")),
    }


@register.inclusion_tag("telemonitoring/_curves.html")
def own_curves(follow_up: FollowUp) -> dict[str, curves.Curves]:
    """The patient's own curves."""
    return {"curves": curves.for_patient(follow_up)}
