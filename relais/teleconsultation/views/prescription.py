"""Prescriptions: the identity check by code first, then one or several, then *Envoyer* (TC-49 … TC-53)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.files import spool
from relais.notifications import actions as outbox
from relais.notifications.models import Channel
from relais.rooms import queries as rooms
from relais.teleconsultation import content, prescribing
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions import record
from relais.teleconsultation.actions.booking import main_grant
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.prescription_form import LineFormSet, PrescriptionForm
from relais.teleconsultation.views.dossier import tele_of

PURPOSE = "prescription"


def _tele(request: Any, dossier_id: UUID) -> Teleconsultation:
    tele = tele_of(request, dossier_id, "Ordonnance")
    if not may.can_prescribe(request.actor, tele):
        raise NotFound
    return tele


def _key(dossier_id: UUID) -> str:
    return f"prescription.{dossier_id}"


def _checked_at(request: Any, dossier_id: UUID) -> datetime | None:
    """When the code was right, in this session and for this dossier only."""
    stamp = request.session.get(_key(dossier_id))
    return datetime.fromisoformat(stamp) if stamp else None


def _blocked(findings: list[prescribing.Finding]) -> bool:
    return any(one.level == prescribing.REFUSE for one in findings)


@professional("practitioner")
def start(request: Any, dossier_id: UUID) -> HttpResponse:
    """Choose where the code goes (TC-50); straight on while the last check is fresh."""
    tele = _tele(request, dossier_id)
    if record.stepped_up(_checked_at(request, dossier_id)):
        return redirect("teleconsultation:write_prescription", dossier_id)
    user = User.objects.get(pk=request.actor.user_id)
    if request.method == "POST":
        channel = Channel.SMS if request.POST.get("channel") == Channel.SMS and user.mobile else Channel.EMAIL
        try:
            outbox.send_code(
                holder_id=user.pk, purpose=PURPOSE, about=tele.pk, channel=channel,
                address=user.mobile if channel == Channel.SMS else user.email,
            )  # fmt: skip
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            return redirect("teleconsultation:prescription_code", dossier_id)
    return render(request, "teleconsultation/prescription_start.html", {"tele": tele, "user": user})


@professional("practitioner")
def code(request: Any, dossier_id: UUID) -> HttpResponse:
    """The six digits; five minutes, five tries (TC-51)."""
    tele = _tele(request, dossier_id)
    error = ""
    if request.method == "POST":
        try:
            outbox.check_code(
                holder_id=request.actor.user_id, purpose=PURPOSE, about=tele.pk, code=request.POST.get("code", "")
            )
        except Refused as refused:
            error = refused.message
        else:
            request.session[_key(dossier_id)] = timezone.now().isoformat()
            return redirect("teleconsultation:write_prescription", dossier_id)
    return render(
        request, "teleconsultation/prescription_code.html", {"tele": tele, "error": error}, status=422 if error else 200
    )


@professional("practitioner")
def write(request: Any, dossier_id: UUID) -> HttpResponse:
    """Structured lines, files, or both; *Envoyer* files them all and tells the patient."""
    tele = _tele(request, dossier_id)
    checked = _checked_at(request, dossier_id)
    if not record.stepped_up(checked):
        messages.info(request, _("Confirmez votre identité par un code avant de déposer une ordonnance."))
        return redirect("teleconsultation:prescription", dossier_id)
    form = PrescriptionForm(request.POST or None)
    lines = LineFormSet(request.POST or None, prefix="lignes")
    findings: list[prescribing.Finding] = []
    if request.method == "POST" and form.is_valid() and lines.is_valid():
        try:
            drugs = lines.lines()
            written = content.Written(lines=drugs, **form.written())
            findings = content.findings(tele, written, request.actor) if drugs else []
            if not _blocked(findings) and ("confirmed" in request.POST or not findings):
                items = [*([written] if drugs else []), *spool.received(request)]
                record.add_prescriptions(
                    actor=request.actor,
                    tele=tele,
                    items=items,
                    channel=form.cleaned_data["channel"],
                    checked_at=checked,
                )
                messages.success(
                    request,
                    _("Ordonnance envoyée. Le patient est prévenu. Enregistrez-en une copie dans votre dossier."),
                )
                return redirect("teleconsultation:dossier", dossier_id)
        except Refused as refused:
            form.refuse(refused)
    return render(
        request,
        "teleconsultation/prescription.html",
        {
            "tele": tele, "form": form, "lines": lines, "findings": findings,
            "blocked": _blocked(findings),
            "inside": rooms.who_is_inside(tele.pk), "grant": main_grant(tele),
        },
        status=422 if form.errors or findings else 200,
    )  # fmt: skip
