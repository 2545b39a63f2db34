"""Words for what happened in a teleconsultation, and the cells of its line."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.dossiers.models import Event
from relais.teleconsultation.queries import Row
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
    "prepared": _l("Questionnaire de préparation rempli"),
    "preparation_corrected": _l("Questionnaire de préparation corrigé"),
    "note_added": _l("Note ajoutée"),
    "guest_invited": _l("Une personne a été invitée à l’appel"),
    "sequel_opened": _l("Un autre dossier a été ouvert depuis celui-ci"),
    "join": _l("Un professionnel a rejoint"),
    "finish": _l("Téléconsultation terminée"),
    "cancel": _l("Rendez-vous annulé"),
    "died": _l("Rendez-vous annulé après un décès"),
    "alive": _l("Décès retiré : noté par erreur"),
    "reopen": _l("Absence annulée : notée par erreur"),
    "close": _l("Dossier clôturé"),
}


@register.simple_tag
def event_words(event: Event) -> str:
    """One event of the timeline, as a sentence without clinical content."""
    if event.verb == "document_added" and event.grant_id:
        return _("Le patient a déposé un document")
    if event.verb == "step_added" and event.data.get("kind") == "form":
        return _("Formulaire rempli")
    if event.verb in WORDS:
        return str(WORDS[event.verb])
    return TRANSITIONS[event.verb].label if event.verb in TRANSITIONS else event.verb


@register.simple_tag
def dashboard_cells(row: Row) -> SafeString:
    """The cells of a line but its button, which carries a token of the page.

    Forty dashboards of one place ask for the same twenty lines at each event: equal rows are drawn once a minute,
    since that is how often their words about time change.
    """
    return _cells(row, int(timezone.now().timestamp() // 60))


@lru_cache(maxsize=4096)
def _cells(row: Row, _minute: int) -> SafeString:
    return render_to_string("teleconsultation/_dashboard_cells.html", {"row": row})
