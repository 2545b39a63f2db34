"""Words of liaison in templates: events, urgency."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.core.templatetags.ui import badge, countdown, icon, when
from relais.dossiers.models import Event
from relais.liaison.models import Request
from relais.liaison.workflow import WAITING, State

register = template.Library()

LATE = timedelta(minutes=5)
WORDS = {
    "created": _l("Demande commencée"),
    "submit": _l("Demande envoyée"),
    "service_added": _l("Un service participe"),
    "service_ended": _l("Un service ne participe plus"),
    "completed": _l("Demande complétée"),
    "measured": _l("Constantes reprises"),
    "take": _l("Demande prise en charge"),
    "taken_over": _l("Demande reprise par un autre médecin"),
    "escalated": _l("Sans réponse dans le délai : la personne suivante est prévenue"),
    "unanswered": _l("Le service n’a pas pris la demande dans le délai"),
    "unanswered_help": _l("Demande toujours pas prise : les médecins du service et son responsable sont prévenus"),
    "owner_gone": _l("Le médecin n’est plus d’astreinte : la demande est confiée au suivant"),
    "nobody_told": _l("Personne n’a la demande : les responsables et l’EHPAD sont prévenus"),
    "rerouted": _l("Demande confiée à la personne d’astreinte"),
    "ask": _l("Complément demandé"),
    "give": _l("Complément donné"),
    "advise": _l("Avis rendu"),
    "opinion_late": _l("Avis attendu : le médecin est prévenu que le délai est passé"),
    "opinion_help": _l("Avis attendu : les autres médecins et le responsable du service sont prévenus"),
    "complement_late": _l("Complément attendu : l’EHPAD est relancé"),
    "complement_silent": _l("Complément attendu : le médecin est prévenu que l’EHPAD ne répond pas"),
    "decided": _l("Décision notée"),
    "plan": _l("Réévaluation programmée"),
    "orient": _l("Orientation en cours"),
    "review_due": _l("Réévaluation à faire"),
    "review_help": _l("Réévaluation pas encore faite : les autres médecins et le responsable du service sont prévenus"),
    "redirect": _l("Demande passée au SAMU"),
    "transfer": _l("Demande passée à un autre service"),
    "hand_over_proposed": _l("Relève proposée"),
    "hand_over_rewritten": _l("Texte de la relève corrigé"),
    "hand_over_accepted": _l("Relève acceptée"),
    "hand_over_ended": _l("Relève sans objet : le médecin qui a la demande est de nouveau d’astreinte"),
    "hand_over_late": _l("Relève sans réponse : l’alarme est donnée"),
    "note_written": _l("Note ajoutée"),
    "note_amended": _l("Note corrigée"),
    "document_added": _l("Document ajouté"),
    "documents_copied": _l("Documents repris de la demande d’avant"),
    "document_withdrawn": _l("Document retiré"),
    "sent_off": _l("Fiche de transfert remplie"),
    "sheet_corrected": _l("Fiche de transfert corrigée"),
    "taken_back": _l("Retour des urgences noté"),
    "room_entered": _l("Entrée dans la visio"),
    "sequel_opened": _l("Un autre dossier a été ouvert depuis cette demande"),
    "sequel_told": _l("Une suite arrive d’un dossier ouvert depuis cette demande"),
    "arrived": _l("Suite d’une demande d’un autre EHPAD"),
    "moved_on": _l("Le résident est parti : la demande continue dans son nouvel EHPAD"),
    "moved_away": _l("Le résident est parti"),
    "died": _l("Décès noté"),
    "alive": _l("Décès retiré : noté par erreur"),
    "stop_asking": _l("Le complément n’est plus attendu"),
    "end": _l("Demande close"),
    "close": _l("Demande clôturée"),
    "cancel": _l("Demande annulée"),
}
URGENCY = {
    "vitale": ("danger", _l("Urgence vitale"), "alert-octagon"),
    "urgente": ("warning", _l("Avis en moins d’une heure"), "clock-exclamation"),
    "rapide": ("info", _l("Avis en moins de 4 heures"), "clock"),
    "differee": ("none", _l("Avis en moins de 24 heures"), "clock-pause"),
}
STATES = {
    "soumise": ("warning", "hourglass"), "redirigee-samu": ("danger", "ambulance"), "transferee": ("warning", "transfer"),
    "prise-en-charge": ("info", "stethoscope"), "complement": ("warning", "help"), "avis-rendu": ("ok", "circle-check"),
    "a-reevaluer": ("info", "refresh"), "orientation-en-cours": ("info", "route"), "cloturee": ("none", "lock"),
    "annulee": ("none", "x"), "brouillon": ("none", "pencil"),
}  # fmt: skip


@register.simple_tag
def event_words(event: Event) -> str:
    return str(WORDS.get(event.verb, event.verb))


@register.simple_tag
def urgency(demand: Request) -> SafeString:
    """The urgency of a request as a badge."""
    state, words, icon_name = URGENCY[demand.urgency]
    return badge(state, str(words), icon_name)


@register.simple_tag
def promise(demand: Request) -> SafeString:
    """What is promised of a request and how long until then: *À prendre dans 12 min*; that it is late, once it is."""
    moment = demand.deadline
    if moment is None:
        return SafeString()
    late = moment <= timezone.now()
    if demand.advised_at and demand.state not in WAITING:
        words = format_html(_("À réévaluer maintenant (prévu {})"), when(moment)) if late else _("À réévaluer")
        clock = "" if late else countdown(moment)
    else:
        awaited = _("à prendre") if demand.state in WAITING else _("avis attendu")
        if late and demand.state == State.COMPLEMENT:
            awaited = _("complément attendu")  # not the doctor's lateness
        words = _("En retard : %s") % awaited if late else awaited.capitalize()
        clock = countdown(moment)
    line = format_html("{} {}", words, clock)
    return format_html('<b class="is-over">{} {}</b>', icon("alarm"), line) if late else format_html("<b>{}</b>", line)


@register.simple_tag
def written_before(demand: Request) -> datetime | None:
    """When a request that came late for want of a network was written: its vital signs are of then."""
    response = demand.response
    if response is None or response.device_at is None or response.received_at - response.ended_at < LATE:
        return None
    return response.ended_at


@register.simple_tag
def state(demand: Request) -> SafeString:
    """Where a request stands, as a badge."""
    colour, icon_name = STATES[demand.state]
    return badge(colour, demand.standing, icon_name)
