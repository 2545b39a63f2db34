"""Words of telemonitoring in templates: windows, events."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.core import times
from relais.dossiers.models import Event
from relais.telemonitoring.actions.alerts import OUTCOMES
from relais.telemonitoring.programme import Slot, Window
from relais.telemonitoring.workflow import ALERT_TRANSITIONS, TRANSITIONS

register = template.Library()

WORDS = {
    "created": _l("Suivi ouvert"),
    "answered": _l("Réponses reçues"),
    "became_case": _l("Personne-contact devenue cas : le suivi continue comme celui d’un cas"),
    "extended": _l("Suivi prolongé de 7 jours"),
    "alert_opened": _l("Alerte ouverte"),
    "alert_raised": _l("Alerte aggravée"),
    "alert_confirmed": _l("Alerte confirmée par une réponse"),
    "document_added": _l("Document ajouté"),
    "note_added": _l("Note ajoutée"),
    "answered_for": _l("Réponses saisies à la place du patient"),
}
SLOTS = {Slot.DAY: _l("dans la journée"), Slot.MORNING: _l("matin"), Slot.EVENING: _l("soir")}


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
    verb = event.verb
    if verb in WORDS:
        return str(WORDS[verb])
    if verb in TRANSITIONS:
        return TRANSITIONS[verb].label
    alert_verb = verb.removeprefix("alert_")
    if alert_verb in ALERT_TRANSITIONS:
        return _("Alerte : %(verb)s") % {"verb": ALERT_TRANSITIONS[alert_verb].label.lower()}
    return verb


@register.simple_tag
def outcome_words(outcome: str) -> str:
    """How a call went."""
    return OUTCOMES.get(outcome, outcome)
