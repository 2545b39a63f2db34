"""One's own account: profile, mobile number, devices, and the session's clock."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from relais.accounts.actions import change_mobile, end_all_sessions, end_session
from relais.accounts.forms import CodeForm, MobileForm
from relais.accounts.middleware import note, seconds_left
from relais.accounts.models import User
from relais.accounts.queries import devices_of, factors_of, workplaces
from relais.core.access import public, without_establishment
from relais.core.errors import Refused
from relais.notifications.actions import check_code, send_code
from relais.notifications.models import Channel

WANTED = "mobile_wanted"  # the number a code was sent to, in the session until it is confirmed
PURPOSE = "mobile"


@without_establishment
def profile(request: Any) -> HttpResponse:
    context = {
        "person": request.user,
        "workplaces": workplaces(request.user.pk),
        "here": request.actor.establishment_id,
        "factors": factors_of(request.user.pk),
    }
    return render(request, "accounts/profile.html", context)


@without_establishment
@reauthentication_required(app="allauth.mfa")
@sensitive_post_parameters("code")
def mobile(request: Any) -> HttpResponse:
    """A new mobile number: the password was asked just before, then a code goes to the new number."""
    wanted = request.session.get(WANTED, "")
    form = MobileForm(request.POST if "mobile" in request.POST else None, initial={"mobile": request.user.shown_mobile})
    code_form = CodeForm(request.POST if "code" in request.POST else None)
    if request.method == "POST":
        if "again" in request.POST:
            request.session.pop(WANTED, None)
            return redirect("accounts:mobile")
        if "remove" in request.POST:
            change_mobile(actor=request.actor, mobile="")
            messages.success(request, _("Votre numéro de mobile est retiré."))
            return redirect("accounts:profile")
        if form.is_bound and form.is_valid() and _send(request, form):
            return redirect("accounts:mobile")
        if wanted and code_form.is_bound and code_form.is_valid() and _confirm(request, code_form, wanted):
            return redirect("accounts:profile")
    shown = User(mobile=wanted).shown_mobile
    return render(request, "accounts/mobile.html", {"form": form, "code_form": code_form, "wanted": shown})


def _send(request: Any, form: MobileForm) -> bool:
    number = form.cleaned_data["mobile"]
    try:
        send_code(holder_id=request.user.pk, purpose=PURPOSE, about=None, channel=Channel.SMS, address=number)
    except Refused as refused:
        form.refuse(refused)
        return False
    request.session[WANTED] = number
    return True


def _confirm(request: Any, form: CodeForm, number: str) -> bool:
    try:
        check_code(holder_id=request.user.pk, purpose=PURPOSE, about=None, code=form.cleaned_data["code"])
    except Refused as refused:
        form.add_error("code", refused.message)
        return False
    change_mobile(actor=request.actor, mobile=number)
    request.session.pop(WANTED, None)
    messages.success(request, _("Votre numéro de mobile est enregistré."))
    return True


@without_establishment
def devices(request: Any) -> HttpResponse:
    """Where one is signed in; the present device first."""
    found = devices_of(request.user.pk, request.session.session_key)
    return render(request, "accounts/devices.html", {"devices": found})


@without_establishment
@require_POST
def end_device(request: Any, session_id: int) -> HttpResponse:
    own = UserSession.objects.filter(pk=session_id, session_key=request.session.session_key).exists()
    end_session(actor=request.actor, session_id=session_id)
    if own:
        logout(request)
        return redirect("account_login")
    messages.success(request, _("Cet appareil est déconnecté."))
    return redirect("accounts:devices")


@without_establishment
@require_POST
def end_everywhere(request: Any) -> HttpResponse:
    """Sign out on every device, this one too."""
    end_all_sessions(actor=request.actor, user_id=request.user.pk, why="own")
    logout(request)
    messages.success(request, _("Vous êtes déconnecté de tous vos appareils."))
    return redirect("account_login")


@public
def session(request: Any) -> HttpResponse:
    """The session's clock for idle.js: seconds left; a POST says that someone is there."""
    if not request.user.is_authenticated:
        return JsonResponse({"left": 0})
    if request.method == "POST":
        request.session.pop("active_at", None)
        note(request, timezone.now().timestamp())
    return JsonResponse({"left": seconds_left(request.session)})
