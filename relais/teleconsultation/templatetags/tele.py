"""Words for what happened in a teleconsultation."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.dossiers.models import Event
from relais.teleconsultation.workflow import TRANSITIONS

register = template.Library()

WORDS = {
    "created": _l("Rendez-vous réservé"),
    "participant_added": _l("Praticien ajouté au dossier"),
    "rescheduled": _l("Rendez-vous déplacé"),
    "reassigned": _l("Praticien changé"),
    "contact_corrected": _l("Coordonnées corrigées, accès renvoyé"),
    "step_added": _l("Étape ajoutée"),
    "document_added": _l("Document ajouté"),
    "document_shared": _l("Document mis à disposition du patient"),
    "document_hidden": _l("Document masqué au patient"),
    "document_withdrawn": _l("Document retiré (erreur)"),
    "note_added": _l("Note ajoutée"),
    "guest_invited": _l("Une personne a été invitée à l’appel"),
    "join": _l("Un professionnel a rejoint"),
    "finish": _l("Téléconsultation terminée"),
    "cancel": _l("Rendez-vous annulé"),
    "reopen": _l("Absence annulée : notée par erreur"),
    "close": _l("Dossier clôturé"),
}


@register.simple_tag
def event_words(event: Event) -> str:
    """One event of the timeline, as a sentence without clinical content."""
    if event.verb == "document_added" and event.grant_id:
        return _("Le patient a déposé un document")
    if event.verb in WORDS:
        return str(WORDS[event.verb])
    return TRANSITIONS[event.verb].label if event.verb in TRANSITIONS else event.verb
