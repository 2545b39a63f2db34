"""The report, written in the page: saved as one types, two editors see each other and lose nothing (TC-46 … TC-48)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.rooms import queries as rooms
from relais.teleconsultation import content
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions import record
from relais.teleconsultation.models import ReportDraft, Teleconsultation
from relais.teleconsultation.views.dossier import tele_of

EMPTY = {"text": "", "version": 0, "by": ""}


def _sections(tele: Teleconsultation) -> list[dict[str, Any]]:
    draft = ReportDraft.objects.filter(teleconsultation=tele).first()
    saved = draft.sections if draft else {}
    return [{"key": key, "label": label, **saved.get(key, EMPTY)} for key, label in content.SECTIONS.items()]


def _page(request: Any, tele: Teleconsultation, **more: Any) -> dict[str, Any]:
    return {
        "tele": tele,
        "sections": _sections(tele),
        "models": content.MODELS,
        "inside": rooms.who_is_inside(tele.pk),
        "topic": f"report:{tele.pk}",
        "section_max": content.SECTION_MAX,
        **more,
    }


@professional("practitioner")
def edit(request: Any, dossier_id: UUID) -> HttpResponse:
    """The editor, one section under the other, with model texts."""
    tele = tele_of(request, dossier_id, "Rédaction du compte-rendu")
    if not may.can_report(request.actor, tele):
        raise NotFound
    return render(request, "teleconsultation/report.html", _page(request, tele))


@professional("practitioner")
@require_POST
def save_section(request: Any, dossier_id: UUID) -> HttpResponse:
    """Autosave: the new version, or 409 with what another wrote meanwhile."""
    tele = tele_of(request, dossier_id, "Rédaction du compte-rendu")
    saved = record.save_section(
        actor=request.actor,
        tele=tele,
        key=request.POST.get("key", ""),
        text=request.POST.get("text", ""),
        version=_version(request.POST.get("version", "0")),
    )
    if isinstance(saved, record.StaleSection):
        return JsonResponse({"text": saved.text, "version": saved.version, "by": saved.by}, status=409)
    return JsonResponse({"version": saved})


def _version(text: str) -> int:
    return int(text) if text.isdigit() else 0


@professional("practitioner")
@require_POST
def add(request: Any, dossier_id: UUID) -> HttpResponse:
    """*Ajouter*: what is in the page is saved first, then made the report."""
    tele = tele_of(request, dossier_id, "Ajout du compte-rendu")
    clashes = {}
    for key in content.SECTIONS:
        if f"text-{key}" not in request.POST:
            continue
        saved = record.save_section(
            actor=request.actor, tele=tele, key=key, text=request.POST[f"text-{key}"],
            version=_version(request.POST.get(f"version-{key}", "0")),
        )  # fmt: skip
        if isinstance(saved, record.StaleSection):
            clashes[key] = {"mine": request.POST[f"text-{key}"], "theirs": saved}
    if clashes:
        return render(request, "teleconsultation/report.html", _page(request, tele, clashes=clashes), status=409)
    try:
        record.add_report(actor=request.actor, tele=tele, shared="shared" in request.POST)
    except Refused as refused:
        return render(request, "teleconsultation/report.html", _page(request, tele, error=refused.message), status=422)
    messages.success(
        request,
        _("Compte-rendu ajouté. Le patient est prévenu.")
        if "shared" in request.POST
        else _("Compte-rendu ajouté, visible des soignants seulement."),
    )
    return redirect("teleconsultation:dossier", dossier_id)
