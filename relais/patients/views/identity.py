"""A patient's identity: the page, a new one, a correction, finding one again by matricule."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import Refused
from relais.patients import actions, contact, identity, queries, sections
from relais.patients import permissions as may
from relais.patients.forms import AliveForm, ClaimForm, CorrectForm, DeathForm, NewPatientForm
from relais.patients.models import Patient
from relais.patients.views.search import picked

STATUS_BADGES = {"PROV": "warning", "VALI": "info", "RECUP": "info", "QUAL": "ok"}


@professional(*may.STAFF)
@require_safe
def detail(request: Any, patient_id: UUID) -> HttpResponse:
    """Who a patient is, how to reach them, and what other modules show of them."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    audit.record(actor=request.actor, action="patient.read", patient_id=patient.pk, why="fiche patient")
    context = {
        "patient": patient,
        "status_badge": STATUS_BADGES[patient.identity_status],
        "marks": [identity.MARKS[mark] for mark in patient.identity_marks if mark in identity.MARKS],
        "phone": contact.shown(patient.phone),
        "mobile": contact.is_mobile(patient.phone),
        "warnings": _warnings(patient),
        "can_correct": may.can_correct(request.actor, patient),
        "sections": sections.loaded_for(request.actor, patient),
    }
    return render(request, "patients/detail.html", context)


def _warnings(patient: Patient) -> list[str]:
    number = patient.ins or patient.social_security_number
    return identity.warnings(number, sex=patient.sex, birth_date=patient.birth_date)


@professional(*may.STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Any) -> HttpResponse:
    """A new patient; those whom they might already be are proposed first."""
    pick = picked(request.POST.get("pick") or request.GET.get("pick", ""))
    if request.method != "POST":
        form = NewPatientForm(initial={"request_key": uuid4()})
        return render(request, "patients/create.html", {"form": form, "pick": pick})
    form = NewPatientForm(request.POST)
    likely: list[queries.Likely] = []
    if form.is_valid():
        asked = form.cleaned_data
        try:
            fields = form.traits().cleaned()
            if not asked["sure"]:
                likely = _likely(request, fields, asked["ins"])
            if not likely:
                patient = actions.create_patient(
                    actor=request.actor,
                    traits=form.traits(),
                    ins=asked["ins"],
                    ins_oid=asked["ins_oid"],
                    document_checked=asked["document_checked"],
                    request_key=asked["request_key"],
                )
                messages.success(request, _("%s est enregistré.") % patient.full_name)
                return redirect(_after(pick, patient))
        except Refused as refused:
            form.refuse(refused)
    context = {"form": form, "pick": pick, "likely": likely}
    return render(request, "patients/create.html", context, status=422)


def _likely(request: Any, fields: dict[str, Any], ins: str) -> list[queries.Likely]:
    likely = queries.likely_duplicates(
        request.actor,
        family=fields["birth_family_name"],
        given=fields["birth_given_names"],
        birth_date=fields["birth_date"],
        phone=fields["phone"],
        email=fields["email"],
    )
    shown = [each.patient.pk for each in likely]
    audit.record_list(actor=request.actor, action="patient.duplicates", ids=shown, seen=request.session)
    return likely


def _after(pick: str, patient: Patient) -> str:
    if pick:
        return f"{pick}{'&' if '?' in pick else '?'}{urlencode({'patient': patient.pk})}"
    return reverse("patients:detail", args=[patient.pk])


@professional(*may.CARERS)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: Any, patient_id: UUID) -> HttpResponse:
    """Correct what is written about a patient."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    if request.method != "POST":
        audit.record(actor=request.actor, action="patient.read", patient_id=patient.pk, why="correction")
        return render(request, "patients/correct.html", {"form": CorrectForm.of(patient), "patient": patient})
    form = CorrectForm(request.POST)
    if form.is_valid():
        try:
            after = actions.correct_traits(
                actor=request.actor,
                patient=patient,
                traits=form.traits(),
                document_checked=form.cleaned_data["document_checked"],
                marks=form.cleaned_data["marks"],
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            _say_what_changed(request, patient, after)
            return redirect("patients:detail", patient.pk)
    return render(request, "patients/correct.html", {"form": form, "patient": patient}, status=422)


@professional(*may.CARERS)
@require_http_methods(["GET", "HEAD", "POST"])
def death(request: Any, patient_id: UUID) -> HttpResponse:
    """A death that no request of the nursing home told: the day, then read again with the name and what stops, then done."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    if patient.deceased_on:
        return redirect("patients:detail", patient.pk)
    form = DeathForm(request.POST or None, initial={"day": timezone.localdate()})
    context = {"form": form, "patient": patient}
    if request.method != "POST":
        audit.record(actor=request.actor, action="patient.read", patient_id=patient.pk, why="décès")
    elif form.is_valid() and "change" not in request.POST:
        if "sure" not in request.POST:
            return render(request, "patients/death.html", {**context, "day": form.cleaned_data["day"]})
        try:
            actions.record_death(actor=request.actor, patient=patient, on=form.cleaned_data["day"])
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Le décès est enregistré. Ce qui était prévu s’arrête."))
            return redirect("patients:detail", patient.pk)
    return render(request, "patients/death.html", context, status=422 if form.errors else 200)


@professional(*may.CARERS)
@require_http_methods(["GET", "HEAD", "POST"])
def alive(request: Any, patient_id: UUID) -> HttpResponse:
    """A death that was noted by mistake: what it opens again and what it does not, why, then done."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    if not patient.deceased_on:
        return redirect("patients:detail", patient.pk)
    form = AliveForm(request.POST or None)
    if request.method != "POST":
        audit.record(actor=request.actor, action="patient.read", patient_id=patient.pk, why="décès noté par erreur")
    elif form.is_valid():
        try:
            actions.withdraw_death(actor=request.actor, patient=patient, why=form.cleaned_data["why"])
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("Le décès est retiré. Reprenez maintenant ce qui s’est arrêté : rien ne reprend tout seul.")
            )
            return redirect("patients:detail", patient.pk)
    status = 422 if form.errors else 200
    return render(request, "patients/alive.html", {"form": form, "patient": patient}, status=status)


def _say_what_changed(request: Any, before: Patient, after: Patient) -> None:
    if before.identity_status == after.identity_status:
        messages.success(request, _("L’identité est corrigée."))
        return
    status = after.get_identity_status_display().lower()
    messages.warning(request, _("L’identité est corrigée. Son statut est maintenant : %s.") % status)


@professional(*may.STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: Any) -> HttpResponse:
    """Find a patient of another establishment by exact matricule and birth date: seen for a day, with a trace."""
    pick = picked(request.POST.get("pick") or request.GET.get("pick", ""))
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            patient = actions.claim(actor=request.actor, **form.cleaned_data)
            return redirect(_after(pick, patient))
        except Refused as refused:
            form.refuse(refused)
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/claim.html", {"form": form, "pick": pick}, status=status)
