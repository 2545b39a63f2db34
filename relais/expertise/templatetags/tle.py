"""Words for what happened in a tele-expertise, and its badges."""

from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.core.templatetags.ui import badge
from relais.dossiers.models import Event
from relais.expertise.workflow import TRANSITIONS, State

register = template.Library()

WORDS = {
    "created": _l("Demande commencée"),
    "send": _l("Demande envoyée"),
    "take": _l("Prise en charge"),
    "take_over": _l("Reprise par un autre expert"),
    "give_back": _l("Remise à l’équipe"),
    "expert_gone": _l("L’expert ne répond plus pour ce service"),
    "ask_complement": _l("Complément demandé"),
    "give_complement": _l("Complément donné"),
    "complement_late": _l("Complément attendu : rappel à qui a fait la demande"),
    "complement_silent": _l("Complément attendu : l’expert est prévenu qu’il ne vient pas"),
    "answer": _l("Avis rendu et signé"),
    "correct": _l("Avis corrigé et signé de nouveau"),
    "second_opinion": _l("Second avis demandé"),
    "refuse": _l("Demande refusée"),
    "redirect": _l("Demande réorientée"),
    "to_visio": _l("Échange en visio ouvert"),
    "joined_room": _l("Entrée dans la visio"),
    "to_admission": _l("Admission proposée"),
    "accept_admission": _l("Admission acceptée"),
    "decline_admission": _l("Admission refusée"),
    "cancel": _l("Demande annulée"),
    "died": _l("Demande annulée après le décès du patient"),
    "alive": _l("Décès retiré : noté par erreur"),
    "close": _l("Dossier clôturé"),
    "service_added": _l("Un service a rejoint le dossier"),
    "service_ended": _l("Un service a quitté le dossier"),
    "participant_added": _l("Un professionnel a rejoint le dossier"),
    "step_added": _l("Étape ajoutée"),
    "document_added": _l("Document ajouté"),
    "document_withdrawn": _l("Document retiré"),
    "note_added": _l("Note ajoutée"),
    "sequel_opened": _l("Un autre dossier a été ouvert depuis celui-ci"),
    "review_asked": _l("Réévaluation demandée"),
    "review_set_aside": _l("Réévaluation écartée"),
}
LEVELS = {
    1: _l("Délai dépassé : rappel à l’expert ou à l’équipe"),
    2: _l("Délai dépassé : expert suivant prévenu"),
    3: _l("Délai dépassé : responsable prévenu"),
}
URGENCIES = {
    "immediate": ("danger", "urgent"),
    "urgente": ("warning", "clock-exclamation"),
    "semi-urgente": ("info", "clock"),
    "programmee": ("none", "calendar"),
}
STATES = {
    State.DRAFT: ("none", "pencil"),
    State.SENT: ("info", "send"),
    State.REDIRECTED: ("info", "arrows-right-left"),
    State.TAKEN: ("ok", "user-check"),
    State.COMPLEMENT_ASKED: ("warning", "help-circle"),
    State.COMPLEMENT_GIVEN: ("info", "message-check"),
    State.VISIO: ("info", "video"),
    State.ANSWERED: ("ok", "circle-check"),
    State.ADMISSION: ("ok", "building-hospital"),
    State.REFUSED: ("danger", "circle-x"),
    State.CLOSED: ("none", "lock"),
    State.CANCELLED: ("none", "x"),
}


@register.simple_tag
def event_words(event: Event) -> str:
    """One event of the timeline, as a sentence without clinical content."""
    if event.verb == "overdue":
        return str(LEVELS.get(event.data.get("level", 0), _("Délai dépassé")))
    if event.verb in WORDS:
        return str(WORDS[event.verb])
    return TRANSITIONS[event.verb].label if event.verb in TRANSITIONS else event.verb


@register.simple_tag
def urgency(asked: Any) -> SafeString | str:
    """How urgent, as a badge; nothing while it is not said."""
    if not asked.urgency:
        return ""
    state, icon = URGENCIES[asked.urgency]
    return badge(state, asked.get_urgency_display(), icon)


@register.simple_tag
def state(asked: Any) -> SafeString:
    """The state, as a badge."""
    colour, icon = STATES[State(asked.state)]
    return badge(colour, asked.get_state_display(), icon)


@register.simple_tag
def motive(asked: Any) -> str:
    """The reason of the request in words."""
    words = {
        "avis-diagnostique": _("Avis diagnostique"),
        "avis-therapeutique": _("Avis thérapeutique"),
        "conduite-a-tenir": _("Conduite à tenir"),
        "interpretation-examen": _("Interprétation d’un examen"),
        "demande-admission": _("Demande d’admission"),
        "suivi": _("Suivi"),
        "autre": _("Autre"),
    }
    return words.get(asked.motive, "")
