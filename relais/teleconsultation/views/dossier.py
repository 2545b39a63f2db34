"""The télédossier's page and the verbs on it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.core.access import professional
from relais.core.doors import get_visible, the_one
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.dossiers import actions as dossiers
from relais.dossiers import queries as dossier_queries
from relais.dossiers.models import Document, Dossier
from relais.dossiers.views import show_document
from relais.files import spool
from relais.patients.models import Patient
from relais.rooms import queries as rooms
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries
from relais.teleconsultation.actions import access, booking, call, record
from relais.teleconsultation.forms import AddendumForm, CancelForm, ContactForm, NoteForm, RescheduleForm
from relais.teleconsultation.models import Teleconsultation


def tele_of(request: Any, dossier_id: UUID, why: str) -> Teleconsultation:
    """The appointment behind a dossier's id, through the door that leaves the trace."""
    dossier = dossiers.open_dossier(actor=request.actor, dossier_id=dossier_id, why=why)
    return the_one(queries.of_dossier(dossier.pk))


def one_file(request: Any) -> Any:
    """The file that a form brings; Refused beside the field when there is none."""
    found = spool.received(request)
    if not found:
        raise Refused(_("Choisissez un fichier."), field="file")
    return found[0]


@professional(*may.STAFF)
def dossier(request: Any, dossier_id: UUID) -> HttpResponse:
    """TC-11, TC-23 … TC-25: appointment, documents of both sides, steps, messages; clinical parts for those who may."""
    tele = tele_of(request, dossier_id, "Consultation du télédossier")
    return render(request, "teleconsultation/dossier.html", _context(request, tele))


def _context(request: Any, tele: Teleconsultation) -> dict[str, Any]:
    actor = request.actor
    clinical = may.can_read_clinical(actor)
    verbs = queries.verbs(actor, tele)
    plan = may.can_plan(actor, tele)
    return {
        "tele": tele,
        "links": dossier_queries.links(actor, tele.dossier),
        "side": queries.patient_side(tele),
        "clinical": clinical,
        "documents": dossier_queries.documents(actor, tele.dossier) if clinical else [],
        "forms": queries.forms_of(tele) if clinical else {},
        "steps": list(tele.dossier.steps.select_related("author")) if clinical else [],
        "notes": list(tele.dossier.notes.select_related("author")) if clinical else [],
        "timeline": dossier_queries.timeline(tele.dossier),
        "inside": rooms.who_is_inside(tele.pk) if tele.state == "in_call" else [],
        "verbs": verbs,
        "may": {
            "plan": plan,
            "join": "join" in verbs,
            "add": may.can_add_document(actor, tele),
            "report": may.can_report(actor, tele) and tele.state != "planned",
            "covid": may.can_report(actor, tele) and tele.state != "planned",
            "prescribe": may.can_prescribe(actor, tele) and tele.state != "planned",
            "addendum": clinical and actor.has_role("practitioner") and tele.state == "closed",
            "withdraw": clinical and actor.has_role("practitioner"),
        },
        "practitioners": queries.practitioners(tele.establishment_id) if plan and tele.state == "planned" else [],
        "reschedule_form": RescheduleForm(prefix="r"),
        "cancel_form": CancelForm(),
        "note_form": AddendumForm() if tele.state == "closed" else NoteForm(),
        "filing": {"title": "", "shared": False, "error": ""},
        "topic": dossiers.topic(tele.pk),
    }


@professional(*may.STAFF)
@require_POST
def verb(request: Any, dossier_id: UUID, verb: str) -> HttpResponse:
    """One verb of the transition table, by its button."""
    tele = tele_of(request, dossier_id, "Action sur le télédossier")
    actor, said = request.actor, request.POST
    doing: dict[str, Any] = {
        "finish": lambda: call.finish(actor=actor, tele=tele),
        "continue_by_phone": lambda: call.continue_by_phone(actor=actor, tele=tele, incident=said.get("incident", "")),
        "patient_absent": lambda: call.mark_absent(actor=actor, tele=tele, who="patient"),
        "doctor_absent": lambda: call.mark_absent(actor=actor, tele=tele, who="doctor"),
        "cancel": lambda: booking.cancel(actor=actor, tele=tele, why=said.get("why", "")),
        "reopen": lambda: call.reopen(actor=actor, tele=tele),
        "close": lambda: record.close(actor=actor, tele=tele),
    }
    if verb not in doing:
        raise NotFound
    done = doing[verb]()
    messages.success(
        request, _("C’est fait : la téléconsultation est « %(state)s ».") % {"state": done.get_state_display()}
    )
    return redirect("teleconsultation:dossier", dossier_id)


@professional(*may.STAFF)
@require_POST
def reschedule(request: Any, dossier_id: UUID) -> HttpResponse:
    """Another day and hour; the patient gets a new link."""
    tele = tele_of(request, dossier_id, "Report du rendez-vous")
    form = RescheduleForm(request.POST, prefix="r")
    if form.is_valid():
        try:
            booking.reschedule(
                actor=request.actor, tele=tele, starts_at=form.cleaned_data["starts_at"],
                minutes=form.cleaned_data["minutes"],
            )  # fmt: skip
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("Rendez-vous déplacé. Le patient reçoit un nouveau lien ; l’ancien ne sert plus.")
            )
            return redirect("teleconsultation:dossier", dossier_id)
    return render(
        request, "teleconsultation/dossier.html", {**_context(request, tele), "reschedule_form": form}, status=422
    )


@professional(*may.STAFF)
@require_POST
def reassign(request: Any, dossier_id: UUID) -> HttpResponse:
    """Another practitioner of the establishment."""
    tele = tele_of(request, dossier_id, "Changement de praticien")
    booking.reassign(actor=request.actor, tele=tele, practitioner_id=read_id(request.POST.get("practitioner", "")))
    messages.success(request, _("Praticien changé. Le patient est prévenu."))
    return redirect("teleconsultation:dossier", dossier_id)


@professional(*may.STAFF)
def contact(request: Any, dossier_id: UUID) -> HttpResponse:
    """*Corriger et renvoyer* after a refused message (C28)."""
    tele = tele_of(request, dossier_id, "Correction des coordonnées")
    if not may.can_plan(request.actor, tele):
        raise NotFound
    side = queries.patient_side(tele)
    grant = side.grant
    form = ContactForm(
        request.POST if request.method == "POST" else None,
        initial={"email": grant.email if grant else "", "phone": grant.phone if grant else ""},
    )
    if request.method == "POST" and form.is_valid():
        try:
            access.correct_contact(actor=request.actor, tele=tele, **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Coordonnées corrigées. Un nouveau lien et de nouveaux codes sont partis."))
            return redirect("teleconsultation:dossier", dossier_id)
    context = {"tele": tele, "form": form, "messages_sent": side.messages}
    return render(request, "teleconsultation/contact.html", context, status=422 if form.errors else 200)


@professional(*may.CLINICAL)
@require_POST
def add_document(request: Any, dossier_id: UUID) -> HttpResponse:
    """Another document, shared or not."""
    tele = tele_of(request, dossier_id, "Ajout d’un document")
    said = {"title": request.POST.get("title", ""), "shared": "shared" in request.POST}
    try:
        record.add_document(actor=request.actor, tele=tele, upload=one_file(request), **said)
    except Refused as refused:
        if not may.can_add_document(request.actor, tele):
            raise  # the form is no longer there
        page = {**_context(request, tele), "filing": {**said, "error": refused.message}}
        return render(request, "teleconsultation/dossier.html", page, status=422)
    messages.success(request, _("Document ajouté."))
    return redirect("teleconsultation:dossier", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def capture(request: Any, dossier_id: UUID) -> HttpResponse:
    """A photograph or clip from the call page."""
    tele = tele_of(request, dossier_id, "Photo pendant la téléconsultation")
    document = record.capture(
        actor=request.actor, tele=tele, upload=one_file(request), capture_id=read_id(request.POST.get("consent", ""))
    )
    return HttpResponse(document.title, status=201)


@professional(*may.CLINICAL)
@require_POST
def add_note(request: Any, dossier_id: UUID) -> HttpResponse:
    """A note for professionals."""
    tele = tele_of(request, dossier_id, "Ajout d’une note")
    form = AddendumForm(request.POST) if "addendum" in request.POST else NoteForm(request.POST)
    try:
        if form.is_valid() and "addendum" in request.POST:
            record.addendum(actor=request.actor, tele=tele, text=form.cleaned_data["text"])
        elif form.is_valid():
            dossiers.add_note(actor=request.actor, dossier=tele.dossier, text=form.cleaned_data["text"])
    except Refused as refused:
        form.refuse(refused)
    if form.errors:
        page = {**_context(request, tele), "note_form": form}
        return render(request, "teleconsultation/dossier.html", page, status=422)
    return redirect("teleconsultation:dossier", dossier_id)


def _document(request: Any, document_id: UUID) -> Document:
    document = Document.objects.select_related("dossier__patient", "file").filter(pk=document_id).first()
    if not document:
        raise NotFound
    get_visible(Dossier, request.actor, pk=document.dossier_id)
    return document


@professional(*may.CLINICAL)
def document(request: Any, document_id: UUID) -> HttpResponseBase:
    """A document looked at or downloaded (TC-24), with its trace."""
    return show_document(request, _document(request, document_id))


@professional(*may.CLINICAL)
@require_POST
def document_verb(request: Any, document_id: UUID, verb: str) -> HttpResponse:
    """Share, hide or withdraw a document."""
    document = _document(request, document_id)
    tele = tele_of(request, document.dossier_id, "Action sur un document")
    if verb in ("partager", "masquer"):
        record.share(actor=request.actor, tele=tele, document=document, shared=verb == "partager")
        messages.success(
            request, _("Le patient est prévenu.") if verb == "partager" else _("Le patient ne voit plus ce document.")
        )
    elif verb == "retirer":
        record.withdraw(actor=request.actor, tele=tele, document=document, why=request.POST.get("why", ""))
        messages.success(request, _("Document retiré : plus personne ne peut l’ouvrir, la trace en est gardée."))
    else:
        raise NotFound
    return redirect("teleconsultation:dossier", document.dossier_id)


@professional(*may.CLINICAL)
def readers(request: Any, dossier_id: UUID) -> HttpResponse:
    """Who has seen this file."""
    tele = tele_of(request, dossier_id, "Liste des accès")
    return render(
        request, "teleconsultation/readers.html", {"tele": tele, "readers": dossier_queries.readers(tele.dossier)}
    )


@professional(*may.STAFF)
def of_patient(request: Any, patient_id: UUID) -> HttpResponse:
    """The dossiers of one patient, for the patient's page."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    rows = queries.of_patient(request.actor, patient, seen=request.session)
    return render(request, "teleconsultation/_of_patient.html", {"teles": rows, "patient": patient})
