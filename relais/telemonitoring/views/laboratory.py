"""The rule laboratory: a draft is edited, replayed over the last 14 days and published (D8)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relais.accounts.models import Role
from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.telemonitoring import permissions as may
from relais.telemonitoring import replay
from relais.telemonitoring.actions import laboratory as actions
from relais.telemonitoring.forms import PublishForm, RuleForm
from relais.telemonitoring.models import Cell, RuleDraft
from relais.telemonitoring.queries import laboratory as queries
from relais.telemonitoring.topics import draft_topic
from relais.telemonitoring.views.rules import filtered


def _draft(request: Any, draft_id: UUID) -> RuleDraft:
    found: RuleDraft = get_visible(
        RuleDraft.objects.select_related("establishment", "author", "base", "published"), request.actor, pk=draft_id
    )
    if not may.can_sign(request.actor, found, Cell.objects.all()):
        raise NotFound
    return found


def _context(request: Any, draft: RuleDraft) -> dict[str, Any]:
    """What every page of a draft shows: what it changes, its replay, who signs."""
    current = actions.current_of(draft.establishment_id)
    ran = actions.last_replay(draft, current)
    result = ran.result if ran else None
    first = actions.pending(draft)
    return {
        "draft": draft,
        "current": current,
        "changes": queries.changes(current.source, draft.source),
        "replay": ran,
        "steps": replay.STEPS,
        "reading": queries.reading(result, {"rules": [*current.source["rules"], *draft.source["rules"]]})
        if result
        else None,
        "why_two": actions.why_two(draft, result) if result else [],
        "pending": first,
        "edits": draft.is_open and may.can_edit(request.actor, draft, Cell.objects.all()),
        "signs": first is not None and first.user_id != request.actor.user_id,
        "minutes": sorted((queries.level_of(level).word, many) for level, many in replay.MINUTES.items()),
    }


@professional(Role.PRACTITIONER)
@require_safe
def draft(request: Any, draft_id: UUID) -> HttpResponse:
    """What it changes, the replay with its progress, and every rule."""
    found = _draft(request, draft_id)
    context = {**_context(request, found), **filtered(request, found.source), "topic": draft_topic(found.pk)}
    return render(request, "telemonitoring/rules/draft.html", context)


@professional(Role.PRACTITIONER)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: Any, draft_id: UUID, rule_id: str) -> HttpResponse:
    """Edit one rule of a draft, with the names that it may use beside it."""
    found = _draft(request, draft_id)
    raw = next((one for one in found.source["rules"] if one["id"] == rule_id), None)
    if raw is None or not may.can_edit(request.actor, found, Cell.objects.all()):
        raise NotFound
    form = RuleForm(raw, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_rule(
                actor=request.actor, draft=found, rule_id=rule_id, sha256=request.POST.get("sha256", ""),
                **form.cleaned_data,
            )  # fmt: skip
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Règle enregistrée dans le brouillon. Rejouez pour voir ce qui change."))
            return redirect("telemonitoring:draft", draft_id)
    context = {
        "draft": found,
        "rule": queries.line(raw),
        "form": form,
        "sha256": request.POST.get("sha256", found.sha256),
        "names": queries.names(raw["population"], raw["stage"]),
        "population": queries.POPULATIONS[raw["population"]],
    }
    return render(request, "telemonitoring/rules/rule.html", context, status=422 if form.errors else 200)


@professional(Role.PRACTITIONER)
@require_POST
def start_replay(request: Any, draft_id: UUID) -> HttpResponse:
    """Replay the last 14 days in the background."""
    actions.ask_replay(actor=request.actor, draft=_draft(request, draft_id))
    return redirect("telemonitoring:draft", draft_id)


@professional(Role.PRACTITIONER)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Any, draft_id: UUID) -> HttpResponse:
    """What will change, who has to sign, the version's name and reason."""
    found = _draft(request, draft_id)
    form = PublishForm(request.POST if request.method == "POST" else None, initial={"version": queries.next_version()})
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.publish(
                actor=request.actor, draft=found, sha256=request.POST.get("sha256", ""), **form.cleaned_data
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            if made is None:
                messages.success(
                    request, _("Version signée. Un second médecin doit la signer avant qu’elle s’applique.")
                )
                return redirect("telemonitoring:draft", draft_id)
            return _published(request, made)
    context = {**_context(request, found), "form": form, "cells": _cells(found)}
    drawn = context["edits"] and context["reading"] and not context["pending"]  # else the form's errors have no place
    context["refused"] = [] if drawn else form.non_field_errors()
    return render(request, "telemonitoring/rules/publish.html", context, status=422 if form.errors else 200)


@professional(Role.PRACTITIONER)
@require_POST
def sign(request: Any, draft_id: UUID) -> HttpResponse:
    """The second signature: the version is published."""
    found = _draft(request, draft_id)
    return _published(
        request, actions.countersign(actor=request.actor, draft=found, sha256=request.POST.get("sha256", ""))
    )


def _published(request: Any, made: Any) -> HttpResponse:
    messages.success(request, _("Version %s publiée : elle juge les prochaines réponses.") % made.version)
    return redirect("telemonitoring:rule_set", made.pk)


def _cells(found: RuleDraft) -> list[str]:
    """The cells in which it will be at work."""
    names = Cell.objects.filter(establishment_id=found.establishment_id).order_by("name", "pk")
    return list(names.values_list("name", flat=True))


@professional(Role.PRACTITIONER)
@require_POST
def drop(request: Any, draft_id: UUID) -> HttpResponse:
    """Give a draft up."""
    actions.drop(actor=request.actor, draft=_draft(request, draft_id))
    messages.success(request, _("Brouillon abandonné : rien n’a changé pour les patients."))
    return redirect("telemonitoring:rules")
