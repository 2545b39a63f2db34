"""One request: what is asked, who has it, what was decided, the exchange, and the verbs of its table."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.actor import Actor
from relais.core.doors import the_one
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.core.written import written
from relais.directory.models import Service
from relais.dossiers import actions as dossiers
from relais.dossiers import queries as dossier_queries
from relais.liaison import permissions as may
from relais.liaison.actions import asking, deciding, owning, rooming
from relais.liaison.models import Closing, Request
from relais.liaison.queries import dlu, transfers
from relais.liaison.queries import request as queries
from relais.liaison.queries.people import told_of
from relais.liaison.queries.sbar import signs
from relais.liaison.workflow import State
from relais.questionnaires.queries import shown
from relais.rooms.models import Room
from relais.rooms.queries import get_room
from relais.rooms.views.call import context as call_context

DONE = {
    "take": _l("Vous avez cette demande en charge."),
    "take_over": _l("Vous avez repris cette demande."),
    "ask": _l("Le complément est demandé à l’EHPAD."),
    "give": _l("Le complément est donné."),
    "redirect": _l("Un message part au SAMU. Appelez aussi le 15."),
    "transfer": _l("Un message part au service. La demande reste à vous jusqu’à ce qu’il la prenne."),
    "close": _l("La demande est clôturée."),
    "cancel": _l("La demande est annulée."),
    "discard": _l("Le brouillon est abandonné."),
}

PASSING = ("redirect", "transfer")


def request_of(request: Any, dossier_id: UUID, why: str) -> Request:
    """The request behind a dossier's id, through the door that leaves the trace."""
    found = the_one(_visible(request.actor, dossier_id))
    audit.record(actor=request.actor, action="dossier.read", about=found.pk, patient_id=found.patient_id, why=why)
    return found


@written
def _visible(actor: Actor, dossier_id: UUID) -> QuerySet[Request]:
    rows = (
        Request.objects.visible_to(actor)
        .filter(pk=dossier_id)
        .select_related("dossier", "patient", "establishment", "response__questionnaire", "responsible", "service")
    )
    return rows.defer("response__questionnaire__source").order_by("pk")


@professional(*may.CLINICAL)
@require_safe
def page(request: Any, dossier_id: UUID) -> HttpResponse:
    """FG-02, FG-06, FG-08: everything about one request on one page, live."""
    found = request_of(request, dossier_id, "Lecture d’une demande")
    if found.state == State.DRAFT and may.can_speak(request.actor, found):
        return redirect("liaison:fill", dossier_id)
    return render(request, "liaison/request.html", context_of(request, found))


def context_of(request: Any, found: Request, **more: Any) -> dict[str, Any]:
    """What the page of a request draws; `more`: a form that comes back with its errors."""
    actor = request.actor
    return {
        "found": found,
        "patient": found.patient,
        **queries.page(actor, found),
        "dlu": dlu.brief(found.patient, until=may.moved_at(actor, found.patient)),
        "may_keep": may.can_keep_dlu(actor, found.patient) and not found.patient.deceased_on,
        "to_fill": transfers.wanted(found) if may.can_send_off(actor, found.patient) else None,
        "transfers": transfers.of_request(found),
        "documents": dossier_queries.documents(actor, found.dossier),
        "links": dossier_queries.links(actor, found.dossier),
        "timeline": dossier_queries.timeline(found.dossier),
        "topic": dossiers.topic(found.pk),
        "closings": [one for one in Closing.choices if found.patient.deceased_on or one[0] not in deciding.DEATHS],
        "noting": {"text": "", "urgent": False, "mentions": [], "error": "", "field": ""},
        "filing": {"title": "", "error": ""},
        "unsent": None,
        **more,
    }


@professional(*may.CLINICAL)
@require_safe
def room(request: Any, dossier_id: UUID) -> HttpResponse:
    """FG-07: the call, for those who entered its room."""
    found = request_of(request, dossier_id, "Visio d’une demande")
    opened = Room.objects.filter(about=found.pk).first()
    if opened is None:
        raise NotFound
    opened, invitation = get_room(request.actor, opened.pk)
    back = reverse("liaison:request", args=[found.pk])
    beside = {"found": found, "signs": signs(found), "sections": shown(found.response) if found.response else []}
    return render(request, "liaison/call.html", {**call_context(request, opened, invitation, back_url=back), **beside})


@professional(*may.CLINICAL)
@require_safe
def readers(request: Any, dossier_id: UUID) -> HttpResponse:
    """Who has seen this request."""
    found = request_of(request, dossier_id, "Liste des accès")
    context = {"found": found, "patient": found.patient, "readers": dossier_queries.readers(found.dossier)}
    return render(request, "liaison/readers.html", context)


@professional(*may.CLINICAL)
@require_POST
def verb(request: Any, dossier_id: UUID, verb: str) -> HttpResponse:
    """One verb of the request, by its button."""
    found = request_of(request, dossier_id, "Action sur une demande")
    actor, said = request.actor, request.POST
    if verb in ("room", "room_of_many"):
        rooming.enter(actor=actor, demand=found, many=verb == "room_of_many")
        return redirect("liaison:room", dossier_id)
    doing: dict[str, Any] = {
        "take": lambda: owning.take(actor=actor, demand=found),
        "take_over": lambda: owning.take_over(actor=actor, demand=found),
        "ask": lambda: deciding.ask(actor=actor, demand=found, text=said.get("text", "")),
        "give": lambda: deciding.give(actor=actor, demand=found, text=said.get("text", "")),
        "redirect": lambda: owning.redirect(actor=actor, demand=found),
        "transfer": lambda: owning.transfer(actor=actor, demand=found, service=_service(request)),
        "close": lambda: deciding.close(actor=actor, demand=found, why=said.get("why", "")),
        "cancel": lambda: asking.cancel(actor=actor, demand=found),
        "discard": lambda: asking.discard(actor=actor, demand=found),
    }
    if verb not in doing:
        raise NotFound
    try:
        done = doing[verb]()
    except Refused as refused:
        return unsent(request, found, refused)
    _say(request, verb, done)
    if verb in ("cancel", "discard"):
        return redirect("liaison:sheet", found.patient_id) if may.in_home(actor, found) else redirect("liaison:on_call")
    return redirect("liaison:request", dossier_id)


def unsent(request: Any, found: Request, refused: Refused) -> HttpResponse:
    """The request as it is now, with the words that were typed for what it takes no more; raises when there are none."""
    text = request.POST.get("text", "").strip()
    if not text:
        raise refused
    said = {"error": refused.message, "text": text}
    return render(request, "liaison/request.html", context_of(request, found, unsent=said), status=422)


def _say(request: Any, verb: str, done: Request) -> None:
    """What was done; that nobody was told where nobody answers for the service it was passed to."""
    if verb in PASSING and done.service and not told_of(done.service, timezone.now()):
        words = _("La demande est passée, mais personne n’est nommé pour « %(name)s » : téléphonez au %(phone)s.")
        messages.warning(request, words % {"name": done.service.name, "phone": done.service.phone})
    else:
        messages.success(request, str(DONE[verb]))


def _service(request: Any) -> Service:
    """The service that was chosen, of those that the actor may see."""
    wanted = read_id(request.POST.get("service", ""))
    found = (
        Service.objects.visible_to(request.actor)
        .select_related("establishment")
        .filter(pk__in=[wanted] if wanted else [])
        .first()
    )
    if found is None:
        raise Refused(_("Choisissez le service."), field="service")
    return found
