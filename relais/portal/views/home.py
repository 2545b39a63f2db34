"""The first page of everybody, and the pages that the law asks for."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from relais.core.access import public
from relais.portal import queries
from relais.portal.permissions import can_serve


@public
@require_GET
def home(request: Any) -> HttpResponse:
    """The services of the person who is signed in; for others, what Relais is and how to come in (TC-01, MA-06)."""
    actor = request.actor
    if actor is None:
        if settings.DEMO and settings.EMBEDDED:
            return redirect("portal:demo")
        return _welcome(request)
    if actor.establishment_id is None and not can_serve(actor):
        return redirect("accounts:choose")
    context = {"today": queries.today(actor), "waiting": queries.waiting(actor), "support": queries.support()}
    return render(request, "portal/home.html", context)


@public
@require_GET
def welcome(request: HttpRequest) -> HttpResponse:
    """The page of those who are not signed in, whoever looks at it."""
    return _welcome(request)


def _welcome(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/welcome.html", {"support": queries.support()})


@public
@require_GET
def accessibility(request: HttpRequest) -> HttpResponse:
    """The declaration of accessibility (décret 2019-768)."""
    return render(request, "portal/accessibility.html", {"support": queries.support()})


@public
@require_GET
def legal(request: HttpRequest) -> HttpResponse:
    """Who answers for the site, what it keeps, what it traces and for how long."""
    return render(request, "portal/legal.html", {"support": queries.support()})
