"""The page of a request: what was asked, what was answered, the thread, the verbs."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST

from relais.core.access import professional
from relais.core.doors import get_visible, the_one
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_moment
from relais.core.written import written
from relais.dossiers import actions as dossiers
from relais.dossiers import permissions as dossier_may
from relais.dossiers import queries as dossier_queries
from relais.dossiers.models import Document, Dossier
from relais.dossiers.views import show_document
from relais.expertise import permissions as may
from relais.expertise.actions import admission, answering, keeping
from relais.expertise.actions.states import ROWS
from relais.expertise.actions.thread import mark_read as mark
from relais.expertise.forms import CloseForm, NoteForm, RefusalForm
from relais.expertise.models import Expertise
from relais.expertise.queries import request as queries
from relais.expertise.queries import worklist
from relais.expertise.workflow import State
from relais.files import spool
from relais.questionnaires import queries as questionnaires
from relais.rooms import queries as rooms
from relais.rooms.models import MESH_MAX

PICTURES = ("image/jpeg", "image/png")
TYPED = ("text", "note", "why")  # what a verb's dialog asks for in words
ROOM_OPEN = _l("La salle est ouverte et un message part au requérant. Pressez « Rejoindre la visio ».")
DONE = {
    "take": _l("Vous avez cette demande en charge."),
    "take_over": _l("Vous avez repris cette demande."),
    "give_back": _l("La demande est remise à l’équipe, qui reçoit un message."),
    "ask_complement": _l("Le complément est demandé au requérant. Le délai est suspendu."),
    "give_complement": _l("Le complément est donné. Le délai reprend."),
    "refuse": _l("La demande est refusée. Un message part au requérant."),
    "accept_admission": _l("L’admission est acceptée. Un message part à l’expert et au requérant."),
    "decline_admission": _l("L’admission est refusée. Un message part à l’expert et au requérant."),
    "to_visio": ROOM_OPEN,
    "to_visio_of_many": ROOM_OPEN,
    "cancel": _l("La demande est annulée."),
    "close": _l("Le dossier est clôturé."),
    "set_review_aside": _l("La réévaluation est écartée."),
}


def asked_of(request: Any, dossier_id: UUID, why: str) -> Expertise:
    """The request behind a dossier's id, through the door that leaves the trace."""
    dossier = dossiers.open_dossier(actor=request.actor, dossier_id=dossier_id, why=why)
    return the_one(_of_dossier(dossier.pk))


@written
def _of_dossier(dossier_id: UUID) -> QuerySet[Expertise]:
    return Expertise.objects.select_related(*ROWS).filter(pk=dossier_id).order_by("pk")


def one_file(request: Any) -> Any:
    """The file that a form brings; Refused beside the field when there is none."""
    found = spool.received(request)
    if not found:
        raise Refused(_("Choisissez un fichier."), field="file")
    return found[0]


@professional(*may.CLINICAL)
def page(request: Any, dossier_id: UUID) -> HttpResponse:
    """The request as both sides read it; a draft leads its author to the form."""
    asked = asked_of(request, dossier_id, "Consultation de la télé-expertise")
    if asked.state == State.DRAFT and may.can_write(request.actor, asked):
        return redirect("expertise:draft", asked.pk)
    return render(request, "expertise/request.html", _context(request, asked))


def _context(request: Any, asked: Expertise, **more: Any) -> dict[str, Any]:
    actor = request.actor
    seen = worklist.seen_at(actor, [asked]).get(asked.pk)
    thread = queries.thread(actor, asked, seen)
    documents = dossier_queries.documents(actor, asked.dossier)
    unread_documents = queries.unread(actor, asked, documents, seen)
    closed = asked.state == State.CLOSED
    now = timezone.now()
    opinions = queries.opinions(actor, asked, documents)
    return {
        "asked": asked,
        "sections": questionnaires.shown(asked.response) if asked.response else [],
        "opinions": opinions,
        "replaced": {one.opinion.document_id for given in opinions for one in given.former},
        "thread": thread,
        "unread": sum(one.unread for one in thread),
        "read_until": max([*(one.at for one in thread), *(one.created_at for one in unread_documents)], default=""),
        "documents": documents,
        "unread_documents": {one.pk for one in unread_documents},
        "pictures": PICTURES,
        "links": dossier_queries.links(actor, asked.dossier),
        "timeline": dossier_queries.timeline(asked.dossier),
        "verbs": queries.verbs(actor, asked),
        "late": asked.is_overdue(now),
        "may_be_many": rooms.most_people() > MESH_MAX,
        "inside": rooms.who_is_inside(asked.pk) if asked.state == State.VISIO else [],
        "admission": queries.admission(asked),
        "may": {
            "add": dossier_may.can_add(actor, asked.dossier),
            "addendum": dossier_may.can_add_addendum(actor, asked.dossier),
            "withdraw": actor.has_role("practitioner"),
            "join": may.can_join(actor, asked),
            "review": may.can_follow(actor, asked)
            and asked.review_on is not None
            and asked.reviewed_at is None
            and asked.dossier.patient.deceased_on is None,
        },
        "note_form": NoteForm(),
        "refusal_form": RefusalForm(),
        "close_form": CloseForm(),
        "closed": closed,
        "topic": dossiers.topic(asked.pk),
        "unsent": None,
        **more,
    }


@professional(*may.CLINICAL)
@require_POST
def verb(request: Any, dossier_id: UUID, verb: str) -> HttpResponse:
    """One verb of the transition table, by its button."""
    asked = asked_of(request, dossier_id, "Action sur la télé-expertise")
    actor, said = request.actor, request.POST
    doing: dict[str, Callable[[], Any]] = {
        "take": lambda: answering.take(actor=actor, asked=asked),
        "take_over": lambda: answering.take_over(actor=actor, asked=asked),
        "give_back": lambda: answering.give_back(actor=actor, asked=asked),
        "ask_complement": lambda: answering.ask_complement(actor=actor, asked=asked, text=said.get("text", "")),
        "give_complement": lambda: answering.give_complement(actor=actor, asked=asked, text=said.get("text", "")),
        "refuse": lambda: answering.refuse(
            actor=actor, asked=asked, reason=said.get("reason", ""), note=said.get("note", "")
        ),
        "accept_admission": lambda: admission.answer(actor=actor, asked=asked, accepts=True, text=said.get("text", "")),
        "decline_admission": lambda: admission.answer(
            actor=actor, asked=asked, accepts=False, text=said.get("text", "")
        ),
        "to_visio": lambda: answering.to_visio(actor=actor, asked=asked),
        "to_visio_of_many": lambda: answering.to_visio(actor=actor, asked=asked, many=True),
        "cancel": lambda: keeping.cancel(actor=actor, asked=asked, why=said.get("why", "")),
        "close": lambda: keeping.close(actor=actor, asked=asked, recourse=said.get("recourse", "")),
        "set_review_aside": lambda: keeping.set_review_aside(actor=actor, asked=asked),
    }
    if verb not in doing:
        raise NotFound
    try:
        doing[verb]()
    except Refused as refused:
        text = "\n".join(said[name] for name in TYPED if said.get(name, "").strip())
        if text:
            unsent = {"error": refused.message, "text": text}
            return render(request, "expertise/request.html", _context(request, asked, unsent=unsent), status=422)
        messages.error(request, refused.message)
    else:
        dropped = verb == "cancel" and asked.state == State.DRAFT
        messages.success(request, _("Le brouillon est abandonné.") if dropped else DONE[verb])
        if dropped or verb == "set_review_aside":
            return redirect(reverse("expertise:worklist") + "?liste=demandes")
        if verb == "decline_admission":  # the dossier is theirs to read no more
            return redirect("expertise:worklist")
    return redirect("expertise:request", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def add_note(request: Any, dossier_id: UUID) -> HttpResponse:
    """A note of the thread, or an addendum once it is closed."""
    asked = asked_of(request, dossier_id, "Ajout d’une note")
    form = NoteForm(request.POST)
    try:
        if form.is_valid() and "addendum" in request.POST:
            keeping.addendum(actor=request.actor, asked=asked, text=form.cleaned_data["text"])
        elif form.is_valid():
            keeping.add_note(actor=request.actor, asked=asked, text=form.cleaned_data["text"])
    except Refused as refused:
        form.refuse(refused)
    if form.errors:
        return render(request, "expertise/request.html", _context(request, asked, note_form=form), status=422)
    return redirect("expertise:request", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def mark_read(request: Any, dossier_id: UUID) -> HttpResponse:
    """The page is in front of somebody: its thread is read, up to the last that it shows."""
    asked = asked_of(request, dossier_id, "Lecture des échanges")
    until = read_moment(request.GET.get("jusqu", ""))
    if until:
        mark(actor=request.actor, asked=asked, until=until)
    return HttpResponse(status=204)


def document_of(request: Any, document_id: UUID) -> Document:
    """A document of a request that the actor sees. NotFound for those of other kinds of dossier."""
    document = Document.objects.select_related("dossier__patient", "file").filter(pk=document_id).first()
    if document is None or document.dossier.kind != "expertise":
        raise NotFound
    get_visible(Dossier, request.actor, pk=document.dossier_id)
    return document


@professional(*may.CLINICAL)
def document(request: Any, document_id: UUID) -> HttpResponseBase:
    """A document looked at or downloaded, with its trace."""
    return show_document(request, document_of(request, document_id))


@professional(*may.CLINICAL)
@require_POST
def withdraw(request: Any, document_id: UUID) -> HttpResponse:
    """A document of the wrong patient."""
    found = document_of(request, document_id)
    asked = asked_of(request, found.dossier_id, "Retrait d’un document")
    try:
        keeping.withdraw(actor=request.actor, asked=asked, document=found, why=request.POST.get("why", ""))
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Document retiré : plus personne ne peut l’ouvrir, la trace en est gardée."))
    return redirect("expertise:request", asked.pk)


@professional(*may.CLINICAL)
def readers(request: Any, dossier_id: UUID) -> HttpResponse:
    """Who has seen this file."""
    asked = asked_of(request, dossier_id, "Liste des accès")
    context = {"asked": asked, "readers": dossier_queries.readers(asked.dossier)}
    return render(request, "expertise/readers.html", context)
