"""Who reads a follow-up: the care circle, made and ended by the cell, by who included the patient, by the patient."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from relais.accounts.models import User
from relais.accounts.queries import find_professionals
from relais.core.access import patient, professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.dossiers import queries as dossier_queries
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import circle as actions
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.queries import circle as queries
from relais.telemonitoring.views import space
from relais.telemonitoring.views.follow_up import follow_up_of
from relais.telemonitoring.workflow import State

TYPED = 100  # characters


def _shown(request: Any, follow_up: FollowUp) -> dict[str, Any]:
    typed = request.GET.get("q", "").strip()[:TYPED]
    is_open = follow_up.state != State.CLOSED
    return {
        "may_read": queries.readers(follow_up),
        "is_open": is_open,
        "typed": typed,
        "found": queries.known(find_professionals(typed, may.CLINICAL)) if typed and is_open else [],
    }


def _add(request: Any, follow_up: FollowUp) -> None:
    """Add the one whose button was pressed, and say so, or why not."""
    try:
        link = actions.add_reader(
            actor=request.actor, follow_up=follow_up, user_id=read_id(request.POST.get("user", ""))
        )
    except Refused as refused:
        messages.error(request, refused.message)
        return
    name = User.objects.get(pk=str(link.user_id)).full_name  # not among the readers if somebody has ended it meanwhile
    messages.success(request, _("%(who)s peut maintenant lire ce suivi.") % {"who": name})


def _remove(request: Any, follow_up: FollowUp, link_id: UUID) -> None:
    actions.remove_reader(actor=request.actor, follow_up=follow_up, link_id=link_id)
    messages.success(request, _("C’est fait : cette personne ne lit plus ce suivi."))


def _followed(request: Any, dossier_id: UUID) -> FollowUp:
    found = follow_up_of(request, dossier_id, "Cercle de soins")
    if not may.can_share(request.actor, found):
        raise NotFound
    return found


@professional(*may.CLINICAL)
@require_safe
def circle(request: Any, dossier_id: UUID) -> HttpResponse:
    """TS-14: who reads this follow-up and why; a search (?q=) of somebody to add."""
    found = _followed(request, dossier_id)
    context = {"follow_up": found, "patient": found.dossier.patient, **_shown(request, found)}
    return render(request, "telemonitoring/circle.html", context)


@professional(*may.CLINICAL)
@require_POST
def add(request: Any, dossier_id: UUID) -> HttpResponse:
    """Somebody more reads."""
    _add(request, _followed(request, dossier_id))
    return redirect("telemonitoring:circle", dossier_id)


@professional(*may.CLINICAL)
@require_POST
def remove(request: Any, dossier_id: UUID, link_id: UUID) -> HttpResponse:
    """Somebody reads no more."""
    _remove(request, _followed(request, dossier_id), link_id)
    return redirect("telemonitoring:circle", dossier_id)


@patient
@require_safe
def readers(request: Any) -> HttpResponse:
    """Who may read my file, whom I add and remove, and who has seen it (D13)."""
    follow_up = space.follow_up_of(request, "Liste des accès")
    context = {
        **space.context_of(request, follow_up),
        **_shown(request, follow_up),
        "readers": dossier_queries.readers(follow_up.dossier),
    }
    return render(request, "telemonitoring/space/readers.html", context)


@patient
@require_POST
def add_by_patient(request: Any) -> HttpResponse:
    """A professional whom the patient lets read."""
    _add(request, space.follow_up_of(request, "Cercle de soins"))
    return redirect("follow_up_space:readers")


@patient
@require_POST
def remove_by_patient(request: Any, link_id: UUID) -> HttpResponse:
    """A professional who reads no more."""
    _remove(request, space.follow_up_of(request, "Cercle de soins"), link_id)
    return redirect("follow_up_space:readers")
