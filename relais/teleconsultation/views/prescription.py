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
from relais.teleconsultation.actions.access import main_grant
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.prescription_form import LineFormSet, PrescriptionForm
from relais.teleconsultation.views.dossier import tele_of

PURPOSE = "prescription"


def _tele(request: Any, dossier_id: UUID) -> Teleconsultation:
    tele = tele_of(request, dossier_id, "Ordonnance")
    if not may.can_sign(request.actor, tele):
        raise NotFound
    record.refuse_closed(tele)
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
    if request.method != "POST" and not record.stepped_up(checked):
        return _to_the_code(request, dossier_id)
    posted = request.POST if request.method == "POST" else None
    form, lines = PrescriptionForm(posted), LineFormSet(posted, prefix="lignes")
    findings: list[prescribing.Finding] = []
    if posted is not None and all([form.is_valid(), lines.is_valid()]):
        if checked is None:
            return _to_the_code(request, dossier_id)
        try:
            findings = _send(request, tele, form, lines, checked)
        except Refused as refused:
            form.refuse(refused)
        if not findings and not form.errors:
            messages.success(
                request, _("Ordonnance envoyée. Le patient est prévenu. Enregistrez-en une copie dans votre dossier.")
            )
            return redirect("teleconsultation:dossier", dossier_id)
    return render(
        request,
        "teleconsultation/prescription.html",
        {
            "tele": tele, "form": form, "lines": lines, "findings": findings,
            "incomplete": any(one.identity for one in findings), "blocked": _blocked(findings), "expired": posted is not None and not record.stepped_up(checked),
            "files": spool.kept(request) if posted is not None and "file" not in form.refused else [],
            "inside": rooms.who_is_inside(tele.pk), "grant": main_grant(tele),
        },
        status=200 if posted is None else 422,
    )  # fmt: skip


def _to_the_code(request: Any, dossier_id: UUID) -> HttpResponse:
    messages.info(request, _("Confirmez votre identité par un code avant de déposer une ordonnance."))
    return redirect("teleconsultation:prescription", dossier_id)


def _send(
    request: Any, tele: Teleconsultation, form: PrescriptionForm, lines: Any, checked: datetime
) -> list[prescribing.Finding]:
    """Send what the page says, once; or what must be corrected or confirmed before."""
    key = form.cleaned_data["request_key"]
    if record.sent_before(tele, key):
        return []
    drugs = lines.lines()
    written = content.Written(lines=drugs, **form.written())
    findings = content.findings(tele, written, request.actor) if drugs else []
    if findings and (_blocked(findings) or "confirmed" not in request.POST):
        return findings
    record.add_prescriptions(
        actor=request.actor,
        tele=tele,
        items=[*([written] if drugs else []), *spool.received(request)],
        channel=form.cleaned_data["channel"],
        checked_at=checked,
        request_key=key,
    )
    return []
