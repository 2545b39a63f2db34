"""The demo page: the first thing a newcomer sees, and only on data where nobody is real."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages as notices
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from relais.accounts.actions import attempts
from relais.accounts.demo import password
from relais.core.access import public
from relais.core.errors import Refused
from relais.portal import demo as demonstration


def demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 where people are real; the page that asks for the key for those who come from another machine."""

    @public
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not demonstration.available(request):
            raise Http404
        if not demonstration.may_enter(request):
            return render(request, "portal/demo_key.html", {"has_key": bool(demonstration.expected_key())}, status=403)
        return view(request, *args, **kwargs)

    return guarded


@demo_only
@require_GET
def demo(request: Any) -> HttpResponse:
    """Who one can be, what they would receive, and the appointment that starts now."""
    context = {
        "cards": demonstration.cards(),
        "copies": demonstration.copies(),
        "password": password(),
        "https": settings.ENV["HTTPS"],
    }
    return render(request, "portal/demo.html", context)


@demo_only
@require_GET
def messages(request: Any) -> HttpResponse:
    """The panel of messages and codes, refetched by itself."""
    return render(request, "portal/parts/copies.html", {"copies": demonstration.copies()})


@public
@require_POST
def key(request: Any) -> HttpResponse:
    """The key that the terminal printed opens the page for this browser's session. The growing lock-out counts tries."""
    if not demonstration.available(request):
        raise Http404
    who = (attempts.FACTOR, f"demo-key:{request.META.get('REMOTE_ADDR', '')}")
    expected = demonstration.expected_key()
    try:
        attempts.begin(who)
    except Refused as refused:
        notices.error(request, refused.message)
        return redirect("portal:demo")
    if not expected or not constant_time_compare(request.POST.get("key", "").strip().lower(), expected):
        notices.error(request, _("Ce n’est pas la clé affichée dans le terminal."))
        return redirect("portal:demo")
    attempts.succeeded(who)
    request.session[demonstration.KEY_GIVEN] = expected
    return redirect("portal:demo")


@demo_only
@require_POST
def open_as(request: Any, persona: str) -> HttpResponse:
    """Sign this browser in as a persona; with `appointment`, straight to the one that starts now."""
    user = demonstration.persona_user(persona)
    wants_call = persona == "doctor" and "appointment" in request.POST
    try:
        tele = demonstration.appointment_now()[0] if wants_call else None
    except Refused as refused:
        notices.error(request, refused.message)
        return redirect("portal:demo")
    kept = request.session.get(demonstration.KEY_GIVEN)
    logout(request)
    demonstration.open_session(request, user)
    if kept:
        request.session[demonstration.KEY_GIVEN] = kept
    if tele is not None:
        return redirect("teleconsultation:dossier", tele.pk)
    return redirect("portal:home")


@demo_only
@require_POST
def open_patient(request: Any) -> HttpResponse:
    """Let this browser into the patient's space of the appointment that starts now, beside any professional session."""
    try:
        grant = demonstration.appointment_now()[1]
    except Refused as refused:
        notices.error(request, refused.message)
        return redirect("portal:demo")
    response = redirect("space:home")
    demonstration.let_in(request, response, grant)
    return response
