"""The versions of the alert rules: which is at work where, who approved it, what each one says."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from relais.accounts.models import Role
from relais.core.access import professional
from relais.core.errors import NotFound
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import laboratory as actions
from relais.telemonitoring.models import Cell, RuleSet
from relais.telemonitoring.queries import laboratory as queries

LEVELS = {"rouge": "rouge", "rouge-psy": "rouge-psy", "orange": "orange", "orange-psy": "orange-psy", "sans": "sans"}


def reads_rules(request: Any) -> bool:
    """Whether the actor is a medical lead here. Raises NotFound for who works in no cell."""
    cells = Cell.objects.all()
    if not may.can_read_rules(request.actor, cells):
        raise NotFound
    return may.can_lead(request.actor, cells)


def filtered(request: Any, source: dict[str, Any]) -> dict[str, Any]:
    """The rules that the address asks for (?q=, ?niveau=)."""
    text, level = request.GET.get("q", "")[:100], LEVELS.get(request.GET.get("niveau", ""), "")
    return {
        "sections": queries.sections(source, text=text, level=level),
        "text": text,
        "level": level,
        "levels": [(one or "sans", queries.level_of(one).word) for one in queries.SHOWN],
    }


@professional(Role.PRACTITIONER)
@require_safe
def versions(request: Any) -> HttpResponse:
    """Published versions, and the drafts that one may see."""
    leads = reads_rules(request)
    context = {"versions": queries.versions(request.actor), "drafts": queries.drafts(request.actor), "leads": leads}
    return render(request, "telemonitoring/rules/versions.html", context)


@professional(Role.PRACTITIONER)
@require_http_methods(["GET", "HEAD", "POST"])
def rule_set(request: Any, set_id: UUID) -> HttpResponse:
    """One published version; posted: a draft begins from it."""
    leads = reads_rules(request)
    found = get_object_or_404(RuleSet.objects.select_related("establishment", "before"), pk=set_id)
    if request.method == "POST":
        draft = actions.copy(actor=request.actor, rule_set=found)
        messages.success(request, _("Brouillon créé. Rien ne change pour les patients avant sa publication."))
        return redirect("telemonitoring:draft", draft.pk)
    context = {
        "version": found,
        "leads": leads,
        "changes": queries.changes(found.before.source, found.source) if found.before else [],
        **filtered(request, found.source),
    }
    return render(request, "telemonitoring/rules/rule_set.html", context)
