"""The report, written in the page: saved as one types, two editors see each other and lose nothing (TC-46 … TC-48)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from relais.accounts.queries import names
from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_number
from relais.rooms import queries as rooms
from relais.teleconsultation import content, queries
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions import record, writing
from relais.teleconsultation.models import ReportDraft, Teleconsultation
from relais.teleconsultation.topics import report_about, report_topic
from relais.teleconsultation.views.dossier import tele_of

EMPTY = {"text": "", "version": 0, "by": ""}


def _sections(tele: Teleconsultation, written: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """What is saved; what was `written` and could not be saved stays in the page, with the version it began from."""
    draft = ReportDraft.objects.filter(teleconsultation=tele).first()
    sections = []
    for key, label in content.SECTIONS.items():
        one = {"key": key, "label": label, "unsaved": False, **(draft.sections if draft else {}).get(key, EMPTY)}
        text, version = written.get(key, (one["text"], one["version"]))
        sections.append(one if text == one["text"] else {**one, "text": text, "version": version, "unsaved": True})
    return sections


def _page(request: Any, tele: Teleconsultation, *, written: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "tele": tele,
        "sections": _sections(tele, written or {}),
        **_models(tele),
        "inside": rooms.who_is_inside(tele.pk),
        "topics": [report_topic(tele), f"presence:{report_about(tele)}"],
        "others": _words(queries.others_writing(request.actor, tele)),
        "filed": _filed(tele),
        "section_max": content.SECTION_MAX,
        "shared": True,
        "added": False,
        **more,
    }


def _models(tele: Teleconsultation) -> dict[str, Any]:
    """The model texts, and the lines of the COVID form once it is filled in: chosen first, inserted by whoever writes."""
    covid = queries.filled(tele).get(queries.COVID)
    models = {"covid": content.covid_model(covid), **content.MODELS} if covid else content.MODELS
    return {"models": models, "chosen_model": "covid" if covid else ""}


def _words(names: list[str]) -> str:
    """Who else has the page open, as a sentence; empty when nobody has."""
    if len(names) > 1:
        told = {"names": ", ".join(names[:-1]), "last": names[-1]}
        return _("%(names)s et %(last)s écrivent aussi dans ce compte-rendu.") % told
    return _("%(name)s écrit aussi dans ce compte-rendu.") % {"name": names[0]} if names else ""


def _filed(tele: Teleconsultation) -> dict[str, str]:
    """The last report added: its id, who added it and when as a sentence, and where it is read; empty without."""
    last = writing.newest_report(tele)
    if not last:
        return {"id": "", "words": "", "url": ""}
    url = "" if last.withdrawn_at else reverse("teleconsultation:document", args=[last.pk]) + "?voir"
    return {"id": str(last.pk), "words": writing.who_added(last), "url": url}


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
    """Autosave: the new version, or 409 with what another wrote meanwhile, or with the report added meanwhile.

    `over` says that nothing is written here any more: the dossier was closed, or the appointment cancelled.
    """
    tele = tele_of(request, dossier_id, "Rédaction du compte-rendu")
    try:
        saved = record.save_section(
            actor=request.actor,
            tele=tele,
            key=request.POST.get("key", ""),
            text=request.POST.get("text", ""),
            version=_version(request.POST.get("version", "0")),
            known=request.POST.get("filed"),
        )
    except writing.ReportAdded:
        return JsonResponse({"filed": _filed(tele)}, status=409)
    except Refused as refused:
        tele.refresh_from_db(fields=["state"])
        return JsonResponse({"error": refused.message, "over": not may.is_open(tele)}, status=409)
    if isinstance(saved, record.StaleSection):
        return JsonResponse({"text": saved.text, "version": saved.version, "by": saved.by}, status=409)
    return JsonResponse({"version": saved})


def _open_page(request: Any, dossier_id: UUID) -> Teleconsultation:
    """The report that a page has open already, by the same door; its opening left the trace."""
    rows = Teleconsultation.objects.select_related("dossier")
    tele: Teleconsultation = get_visible(rows, request.actor, pk=dossier_id)
    if not may.can_write(request.actor, tele):
        raise NotFound
    return tele


@professional("practitioner")
@require_POST
def presence(request: Any, dossier_id: UUID) -> HttpResponse:
    """[left=1]: the page of the report is open, or closes."""
    act = writing.leave if request.POST.get("left") else writing.stay
    act(actor=request.actor, tele=_open_page(request, dossier_id))
    return HttpResponse(status=204)


@professional("practitioner")
@require_GET
def now(request: Any, dossier_id: UUID) -> JsonResponse:
    """What an open page must know of the others: who else writes, what is saved, the report that was added."""
    tele = _open_page(request, dossier_id)
    audit.record_list(actor=request.actor, action="report.read", ids=[tele.pk], seen=request.session)
    sections = _sections(tele, {})
    authors = names(UUID(one["by"]) for one in sections if one["by"])
    return JsonResponse(
        {
            "others": _words(queries.others_writing(request.actor, tele)),
            "sections": {
                one["key"]: {
                    "text": one["text"],
                    "version": one["version"],
                    "by": authors[UUID(one["by"])] if one["by"] else "",
                }
                for one in sections
            },
            "filed": _filed(tele),
        }
    )


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
        made = record.write_report(
            actor=request.actor, tele=tele, written=written, shared=shared, known=request.POST.get("filed")
        )
    except writing.ReportAdded as added:
        fresh = {key: (text, 0) for key, (text, _gone) in written.items()}  # versions of a draft that is gone
        page = _page(request, tele, written=fresh, shared=shared, error=added.message, added=True)
        return render(request, "teleconsultation/report.html", page, status=409)
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
