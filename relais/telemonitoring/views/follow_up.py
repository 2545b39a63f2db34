"""One patient followed at home: the open alert first, then who they are, what they answered, what was done."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.dossiers import queries as dossier_queries
from relais.notifications import queries as outbox
from relais.patients import contact
from relais.telemonitoring import permissions as may
from relais.telemonitoring import wording
from relais.telemonitoring.actions import alerts, states
from relais.telemonitoring.models import Alert, FollowUp
from relais.telemonitoring.programme import PEAK
from relais.telemonitoring.queries import after_call, curves
from relais.telemonitoring.queries import follow_up as queries
from relais.telemonitoring.topics import cell_topic

ALERT_DONE = {
    "take": _l("Vous avez pris cette alerte en charge."),
    "give_back": _l("L’alerte est rendue à l’équipe."),
    "escalate": _l("L’alerte est transmise au médecin."),
    "finish": _l("L’alerte est terminée."),
    "mistake": _l("L’alerte est annulée : erreur de saisie."),
}
DONE = {
    "pause": _l("Le suivi est en pause : aucune réponse n’est attendue pendant l’hospitalisation."),
    "resume": _l("Le suivi reprend pour 14 jours, au rythme renforcé."),
    "extend": _l("Le suivi est prolongé."),
    "close": _l("Le suivi est clôturé."),
}


def follow_up_of(request: Any, dossier_id: UUID, why: str) -> FollowUp:
    """The follow-up behind a dossier's id, through the door that leaves the trace.

    Members of the cell who come from elsewhere see it although its dossier is another establishment's.
    """
    rows = FollowUp.objects.select_related("cell__rules", "dossier__patient", "dossier__establishment", "inclusion")
    found: FollowUp = get_visible(rows.defer("cell__rules__source"), request.actor, pk=dossier_id)
    audit.record(
        actor=request.actor, action="dossier.read", about=found.pk, patient_id=found.dossier.patient_id, why=why
    )
    return found


def booking_url(follow_up: FollowUp) -> str:
    """The booking of a COVID_19 teleconsultation, with what the follow-up knows filled in."""
    asked = {"patient": follow_up.dossier.patient_id, "motif": "COVID_19", "depuis": follow_up.pk}
    return f"{reverse('teleconsultation:book')}?{urlencode(asked)}"


def alert_of(follow_up: FollowUp) -> Alert:
    """The open alert. Refused when it has been ended meanwhile."""
    alert = queries.open_alert(follow_up)
    if alert is None:
        raise Refused(_("Cette alerte est déjà traitée."))
    return alert


@professional(*may.CLINICAL)
@require_safe
def follow_up(request: Any, dossier_id: UUID) -> HttpResponse:
    """EC-05, EC-06, EC-08: everything about one patient followed at home."""
    found = follow_up_of(request, dossier_id, "Consultation du suivi")
    return render(request, "telemonitoring/follow_up.html", page_context(request, found))


def page_context(request: Any, found: FollowUp) -> dict[str, Any]:
    """What telemonitoring/follow_up.html draws."""
    patient, grant = found.dossier.patient, queries.way_in(found)
    today = timezone.localdate()
    answer_sets = queries.answer_sets(found)
    links = dossier_queries.links(request.actor, found.dossier)
    calls, verbs = queries.calls(found), queries.verbs(request.actor, found)
    return {
        "follow_up": found,
        "patient": patient,
        "day": found.day(today),
        "peak": found.day(today) in PEAK,
        "level": wording.level_of(found.level) if found.last_answer_at else wording.UNKNOWN,
        "factors": [wording.FACTORS.get(one, one) for one in found.factors],
        "equipment": [wording.EQUIPMENT.get(one, one) for one in found.equipment],
        "grant": grant,
        "grant_phone": contact.shown(grant.phone) if grant else "",
        "phones": phones(found),
        **queries.alert_context(request.actor, found),
        "answer_sets": answer_sets,
        "curves": curves.curves(found, [one.response for one in answer_sets]),
        "calls": calls,
        "booking_url": booking_url(found),
        "verbs": verbs,
        "links": links,
        "may_share": may.can_share(request.actor, found),
        "after_call": after_call.after_call(found, calls, links, booking_url(found)) if "answer" in verbs else None,
        "transfer": queries.waiting_transfer(found),
        "closings": states.CLOSINGS,
        "closing": states.CLOSINGS.get(found.closing, found.closing),
        "timeline": dossier_queries.timeline(found.dossier),
        "messages_sent": outbox.timeline(found.pk),
        "topic": dossiers.topic(found.pk),
        "cell_topic": cell_topic(found.cell_id),
    }


def phones(found: FollowUp) -> list[tuple[str, str, str]]:
    """(who, number as read, number to dial) of everybody who can be called about the patient, each number once."""
    grant = queries.way_in(found)
    holder = grant.holder_name or str(grant.get_holder_display()) if grant else ""
    given = [
        (_("Patient"), found.dossier.patient.phone),
        (holder, grant.phone if grant else ""),
        *queries.carers(found),
    ]
    seen: dict[str, str] = {}
    for who, number in given:
        dialled = "".join(char for char in number if char.isdecimal() or char == "+")
        if dialled:
            seen.setdefault(dialled, who)
    return [(who, contact.shown(number) or number, number) for number, who in seen.items()]


@professional(*may.CLINICAL)
@require_POST
def alert(request: Any, dossier_id: UUID, verb: str) -> HttpResponse:
    """One verb of the alert's table, by its button; a call goes on to the page where it is noted."""
    found = follow_up_of(request, dossier_id, "Prise en charge d’une alerte")
    actor = request.actor
    doing: dict[str, Any] = {
        "take": alerts.take,
        "give_back": alerts.give_back,
        "call": alerts.call,
        "escalate": alerts.escalate,
        "finish": alerts.finish,
        "mistake": alerts.mistake,
    }
    if verb not in doing:
        raise NotFound
    doing[verb](actor=actor, alert=alert_of(found))
    if verb == "call":
        return redirect("telemonitoring:call", dossier_id)
    messages.success(request, str(ALERT_DONE[verb]))
    return redirect("telemonitoring:follow_up", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def verb(request: Any, dossier_id: UUID, verb: str) -> HttpResponse:
    """One verb of the follow-up, by its button."""
    found = follow_up_of(request, dossier_id, "Action sur le suivi")
    actor = request.actor
    doing: dict[str, Any] = {
        "pause": lambda: states.pause(actor=actor, follow_up=found, ends_alert=True),
        "resume": lambda: states.resume(actor=actor, follow_up=found),
        "extend": lambda: states.extend(actor=actor, follow_up=found),
        "close": lambda: states.close(actor=actor, follow_up=found, why=request.POST.get("why", "")),
    }
    if verb not in doing:
        raise NotFound
    doing[verb]()
    messages.success(request, str(DONE[verb]))
    if verb == "pause" and queries.open_alert(found):
        messages.warning(request, _("L’alerte reste ouverte : elle est rouge, ou un appel est en cours."))
    return redirect("telemonitoring:follow_up", dossier_id)
