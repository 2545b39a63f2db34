"""Booking on one page: when, why, who. Nothing typed is lost on the way."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_day
from relais.dossiers import queries as dossier_queries
from relais.dossiers.models import Dossier
from relais.patients import actions as patients
from relais.patients import queries as patient_queries
from relais.patients.actions.identities import Traits
from relais.patients.models import Grant, Holder, Patient
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries, slots
from relais.teleconsultation.actions import access, booking
from relais.teleconsultation.forms import BookingForm
from relais.teleconsultation.models import Reason

DAYS_SHOWN = 5  # with free slots, of the next
DAYS_LOOKED_AT = 28


@professional(*may.STAFF)
@require_http_methods(["GET", "POST"])
def book(request: Any) -> HttpResponse:
    """TC-12 … TC-19: a slot of the grid or a free hour, an existing patient or a new one."""
    actor, posted = request.actor, request.method == "POST"
    known = queries.practitioners(actor.here)
    form = BookingForm(request.POST, initial={}) if posted else BookingForm(initial=_initial(request, known))
    duplicates: list[Any] = []
    if posted and form.is_valid():
        try:
            with transaction.atomic():
                key = form.cleaned_data["request_key"]
                if done := booking.booked_before(actor=actor, request_key=key):
                    return redirect("teleconsultation:dossier", done.pk)
                patient, duplicates = _patient(actor, form.cleaned_data, sure="other_person" in request.POST)
                if patient:
                    tele = _book(actor, patient, form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            if patient:
                messages.success(request, _("Rendez-vous réservé. Le patient reçoit son lien et ses codes."))
                return redirect("teleconsultation:dossier", tele.pk)
    context = {
        "form": form,
        "duplicates": duplicates,
        "practitioners": known,
        "patient": _chosen(actor, form["patient"].value()),
        **grid_context(request, form, known),
    }
    return render(request, "teleconsultation/book.html", context, status=422 if form.errors else 200)


def _initial(request: Any, known: list[User]) -> dict[str, Any]:
    """From an agenda slot (?creneau=), a patient's page (?patient=), a practitioner's agenda (?praticien=), or another
    dossier of the patient (?depuis=), for a reason (?motif=)."""
    initial = {
        "slot": request.GET.get("creneau", ""),
        "practitioner": request.GET.get("praticien") or _default(request.actor, known),
    }
    if request.GET.get("motif") in Reason.values:
        initial["reason"] = request.GET["motif"]
    if patient := _chosen(request.actor, request.GET.get("patient", "")):
        audit.record(actor=request.actor, action="patient.read", patient_id=patient.pk, why="réservation")
        initial |= {"patient": patient.pk, "email": patient.email, "phone": patient.phone}
        initial |= _from(dossier_queries.origin_for(request.actor, patient.pk, request.GET.get("depuis", "")))
    return initial


def _from(origin: Dossier | None) -> dict[str, Any]:
    """The dossier from which one books, and to whom its links go."""
    if origin is None:
        return {}
    grants = Grant.objects.live().filter(about=origin.pk).exclude(holder=Holder.GUEST)
    grant = grants.order_by("-created_at", "-pk").first()
    contact = {name: getattr(grant, name) for name in ("email", "phone", "holder", "holder_name")} if grant else {}
    return {"origin": origin.pk, **contact}


def _default(actor: Actor, known: list[User]) -> Any:
    """A practitioner books for oneself; with one practitioner only there is nothing to choose."""
    mine = [user.pk for user in known if user.pk == actor.user_id]
    return mine[0] if mine else known[0].pk if known else ""


def _chosen(actor: Actor, patient_id: Any) -> Patient | None:
    try:
        return get_visible(Patient, actor, pk=patient_id) if patient_id else None
    except NotFound:
        return None


def _patient(actor: Actor, data: dict[str, Any], *, sure: bool) -> tuple[Patient | None, list[Any]]:
    """The patient chosen, or a new one; likely duplicates are proposed before (TC-16)."""
    if data["patient"]:
        chosen = _chosen(actor, data["patient"])
        if not chosen:
            raise Refused(_("Ce patient n’est plus accessible : cherchez-le de nouveau."))
        return chosen, []
    traits = {name: data[name] for name in ("birth_date", "email", "phone")}
    if not sure:
        alike = patient_queries.likely_duplicates(actor, family=data["family_name"], given=data["given_name"], **traits)
        if alike:
            shown = [each.patient.pk for each in alike]
            audit.record_list(actor=actor, action="patient.duplicates", ids=shown)
            return None, alike
    new = Traits(
        birth_family_name=data["family_name"],
        birth_given_names=data["given_name"],
        sex=data["sex"],
        insurance_scheme=data["insurance_scheme"],
        social_security_number=data["social_security_number"],
        **traits,
    )
    return patients.create_patient(actor=actor, traits=new, request_key=data["request_key"]), []


def _book(actor: Actor, patient: Patient, data: dict[str, Any]) -> Any:
    consent_by = data["consent_by"].strip() or _("le patient") if data["consent"] else ""
    origin = dossier_queries.origin_for(actor, patient.pk, data["origin"])  # none once another patient was chosen
    return booking.book(
        actor=actor,
        patient=patient,
        practitioner_id=data["practitioner"],
        starts_at=data["starts_at"],
        minutes=data["minutes"],
        reason=data["reason"],
        contact=access.Contact(data["email"], data["phone"], data["holder"], data["holder_name"].strip()),
        consent_by=consent_by,
        request_key=data["request_key"],
        origin_id=origin.pk if origin else None,
    )


@professional(*may.STAFF)
def slot_grid(request: Any) -> HttpResponse:
    """The grid alone, for another week or practitioner."""
    known = queries.practitioners(request.actor.here)
    form = BookingForm(initial=_initial(request, known))
    return render(request, "teleconsultation/_slots.html", grid_context(request, form, known))


def grid_context(request: Any, form: BookingForm, practitioners: list[User]) -> dict[str, Any]:
    """The free slots of some days from the one asked for, never before today."""
    wanted = request.POST.get("practitioner") or request.GET.get("practitioner") or form["practitioner"].value()
    known = {str(user.pk): user for user in practitioners}
    first = max(read_day(request.GET.get("semaine", "")) or timezone.localdate(), timezone.localdate())
    days: dict[Any, Any] = {}
    if str(wanted) in known:
        offered = slots.free(
            practitioner_id=known[str(wanted)].pk,
            establishment_id=request.actor.establishment_id,
            first=first,
            days=DAYS_LOOKED_AT,
        )
        days = dict([(day, free) for day, free in offered.items() if free][:DAYS_SHOWN])
    return {
        "days": days,
        "grid_practitioner": str(wanted),
        "today": timezone.localdate() if first > timezone.localdate() else None,
        "after": (max(days) if days else first + timedelta(days=DAYS_LOOKED_AT - 1)) + timedelta(days=1),
        "chosen_slot": form["slot"].value() or "",
    }
