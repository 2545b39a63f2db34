"""Between the password and the open session: the code; and the links to choose a password."""

import time
from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStageController
from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from relais.accounts.actions import ask_new_password, set_password_by_link
from relais.accounts.actions.sessions import trace_failure
from relais.accounts.forms import AskPasswordForm, ChoosePasswordForm, CodeForm
from relais.accounts.stages import CodeStage
from relais.core.access import public, without_establishment
from relais.core.errors import Refused
from relais.notifications.actions import check_code, send_code
from relais.notifications.models import Channel

PURPOSE = "sign_in"
LEVEL = 0.1  # seconds that asking for a link takes, whether or not somebody has the address


@public
@sensitive_post_parameters("code")
def code(request: Any) -> HttpResponse:
    """The second factor of those without authenticator: choose where the code goes, then give it back."""
    if request.user.is_authenticated:
        return redirect("/")
    stage = LoginStageController.enter(request, CodeStage.key)
    if stage is None:
        return redirect("account_login")
    form = CodeForm(request.POST if "code" in request.POST else None)
    if request.method == "POST":
        if channel := request.POST.get("channel"):
            return _send(request, stage, channel)
        if form.is_valid():
            try:
                check_code(holder_id=stage.login.user.pk, purpose=PURPOSE, about=None, code=form.cleaned_data["code"])
            except Refused as refused:
                trace_failure(stage.login.user, "factor")
                form.add_error("code", refused.message)
            else:
                return stage.exit()
    choices = [(channel, masked(stage.address(channel))) for channel in stage.channels]
    sent = stage.sent_by
    return render(
        request,
        "accounts/code.html",
        {
            "form": form if sent else None,
            "sent": sent,
            "address": masked(stage.address(sent)) if sent else "",
            "choices": [choice for choice in choices if choice[0] != sent],
            "by_sms": Channel.SMS,
        },
    )


def _send(request: Any, stage: Any, channel: str) -> HttpResponse:
    if channel in stage.channels:
        try:
            send_code(
                holder_id=stage.login.user.pk,
                purpose=PURPOSE,
                about=None,
                channel=channel,
                address=stage.address(channel),
            )
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            stage.note_sent(channel)
    return redirect("accounts:code")


@public
@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    """Forget the sign-in under way, to use another account."""
    clear_login(request)
    return redirect("account_login")


@public
def ask_password(request: Any) -> HttpResponse:
    """One answer whether or not somebody has this address."""
    form = AskPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if not ratelimit.consume(request, action="reset_password", key=email.lower()):
            form.add_error(None, _("Trop de demandes. Réessayez dans quelques minutes."))
        else:
            started = time.monotonic()
            ask_new_password(email=email)
            time.sleep(max(0.0, LEVEL - (time.monotonic() - started)))
            return redirect("accounts:password_asked")
    return render(request, "accounts/ask_password.html", {"form": form})


@public
def password_asked(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/password_asked.html")


@public
@sensitive_post_parameters("token", "password1", "password2")
def choose_password(request: Any) -> HttpResponse:
    """Where the links of reset and invitation lead. Opening the page uses nothing up; no session begins here."""
    form = ChoosePasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_password_by_link(token=form.cleaned_data["token"], password=form.cleaned_data["password1"])
        except Refused as refused:
            form.add_error(refused.field, refused.message)
        else:
            messages.success(request, _("Votre mot de passe est enregistré. Connectez-vous avec."))
            return redirect("account_login")
    return render(request, "accounts/choose_password.html", {"form": form})


@without_establishment
def welcome(request: Any) -> HttpResponse:
    """After the first sign-in: a stronger second factor is offered, and can be left for later."""
    return render(request, "accounts/welcome.html", {"next": safe_next(request)})


def safe_next(request: Any) -> str:
    """Where to go on: the `next` asked for when it is a page of this site, else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    mine = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if mine else "/"


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else learns: `c•••@exemple.test`, `•• •• •• •• 42`."""
    if "@" in address:
        name, _at, domain = address.partition("@")
        return f"{name[:1]}•••@{domain}"
    return f"•• •• •• •• {address[-2:]}"
