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
from relais.core.reading import read_number
from relais.rooms import queries as rooms
from relais.teleconsultation import content
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions import record
from relais.teleconsultation.models import ReportDraft, Teleconsultation
from relais.teleconsultation.views.dossier import tele_of

EMPTY = {"text": "", "version": 0, "by": ""}


def _sections(tele: Teleconsultation, written: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """What is saved; what was `written` and could not be saved stays in the page, with the version it began from."""
    draft = ReportDraft.objects.filter(teleconsultation=tele).first()
    sections = []
    for key, label in content.SECTIONS.items():
        one = {"key": key, "label": label, **(draft.sections if draft else {}).get(key, EMPTY)}
        text, version = written.get(key, (one["text"], one["version"]))
        sections.append(one if text == one["text"] else {**one, "text": text, "version": version})
    return sections


def _page(request: Any, tele: Teleconsultation, *, written: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "tele": tele,
        "sections": _sections(tele, written or {}),
        "models": content.MODELS,
        "inside": rooms.who_is_inside(tele.pk),
        "topic": f"report:{tele.pk}",
        "section_max": content.SECTION_MAX,
        "shared": True,
        **more,
    }


def _tele(request: Any, dossier_id: UUID, why: str) -> Teleconsultation:
    tele = tele_of(request, dossier_id, why)
    if not may.can_write(request.actor, tele):
        raise NotFound
    return tele


@professional("practitioner")
def edit(request: Any, dossier_id: UUID) -> HttpResponse:
    """The editor, one section under the other, with model texts."""
    tele = _tele(request, dossier_id, "Rédaction du compte-rendu")
    record.refuse_closed(tele)
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
    return read_number(text) or 0


@professional("practitioner")
@require_POST
def add(request: Any, dossier_id: UUID) -> HttpResponse:
    """*Ajouter*: what is in the page is saved first, then made the report."""
    tele = _tele(request, dossier_id, "Ajout du compte-rendu")
    written = {
        key: (request.POST[f"text-{key}"], _version(request.POST.get(f"version-{key}", "0")))
        for key in content.SECTIONS
        if f"text-{key}" in request.POST
    }
    shared = "shared" in request.POST
    try:
        made = record.write_report(actor=request.actor, tele=tele, written=written, shared=shared)
    except Refused as refused:
        page = _page(request, tele, written=written, shared=shared, error=refused.message)
        return render(request, "teleconsultation/report.html", page, status=422)
    if isinstance(made, dict):
        clashes = {key: {"mine": written[key][0], "theirs": theirs} for key, theirs in made.items()}
        page = _page(request, tele, shared=shared, clashes=clashes)
        return render(request, "teleconsultation/report.html", page, status=409)
    messages.success(
        request,
        _("Compte-rendu ajouté. Le patient est prévenu.")
        if shared
        else _("Compte-rendu ajouté, visible des soignants seulement."),
    )
    return redirect("teleconsultation:dossier", dossier_id)
