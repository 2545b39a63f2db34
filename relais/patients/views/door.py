"""The patient's door: a link, login and password, a code for a new device, a lost link, leaving (TC-34, B1.2).

A GET consumes nothing and says nothing of the patient; what is wrong gets one neutral sentence.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from relais.core.access import public
from relais.core.errors import NotFound, Refused
from relais.patients import actions, entry, spaces
from relais.patients.forms import CodeForm, EntryForm, LostForm
from relais.patients.models import Grant, GrantDevice

STEP_SALT = "relais.patients.step"
BAD = 422


@public
@require_safe
def start(request: Any) -> HttpResponse:
    """The address without a link: to the space of who is in, else to the lost link."""
    return redirect(spaces.home_of(request.actor.about) if request.actor else "patient:lost")


@public
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: Any, grant_id: UUID) -> HttpResponse:
    """The address of a link: who is remembered goes straight in, others show login and password."""
    grant = _grant(grant_id)
    if grant is None or not grant.is_live():
        return _closed(request, grant)
    if request.method != "POST":
        if token := _known_token(request, grant):
            return _inside(request, grant, token)
        return render(request, "patients/door/enter.html", {"form": EntryForm(), "grant": grant})
    form = EntryForm(request.POST)
    if not form.is_valid():
        return render(request, "patients/door/enter.html", {"form": form, "grant": grant}, status=BAD)
    asked = form.cleaned_data
    try:
        actions.check_secrets(
            grant_id=grant.pk, login=asked["login"], password=asked["password"], address=_address(request)
        )
        if actions.needs_code(grant):
            actions.send_device_code(grant=grant)
    except NotFound:
        return _closed(request, _grant(grant_id))
    except Refused as refused:
        form.refuse(refused)
        return render(request, "patients/door/enter.html", {"form": form, "grant": grant}, status=BAD)
    nonce = entry.new_token()
    if actions.needs_code(grant):
        step = {"grant": str(grant.pk), "nonce": nonce, "remember": asked["remember"]}
        response = redirect("patient:code", grant.pk)
        _set_cookie(response, entry.STEP_COOKIE, signing.dumps(step, salt=STEP_SALT), entry.STEP_SECONDS, path="/p/")
        return response
    return _let_in(request, grant, nonce, factors=1, remember=asked["remember"])


@public
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: Any, grant_id: UUID) -> HttpResponse:
    """The second step of a new device; coming back to this page from the SMS loses nothing."""
    grant = _grant(grant_id)
    if grant is None or not grant.is_live():
        return _closed(request, grant)
    step = _step(request, grant)
    if step is None:
        return redirect("patient:entry", grant.pk)
    form = CodeForm(request.POST if request.method == "POST" and "again" not in request.POST else None)
    context = {"form": form, "grant": grant, "masked": entry.masked(grant.phone)}
    if request.method != "POST":
        return render(request, "patients/door/code.html", context)
    try:
        if "again" in request.POST:
            actions.send_device_code(grant=grant)
            return render(request, "patients/door/code.html", {**context, "sent_again": True})
        if _already_in(step["nonce"]):  # the second of two clicks
            return _let_in(request, grant, step["nonce"], factors=2, remember=step["remember"])
        if form.is_valid():
            actions.check_device_code(grant=grant, code=form.cleaned_data["code"])
            return _let_in(request, grant, step["nonce"], factors=2, remember=step["remember"])
    except Refused as refused:
        if "again" in request.POST:
            return render(request, "patients/door/code.html", {**context, "refused": refused.message}, status=BAD)
        form.refuse(refused)
    return render(request, "patients/door/code.html", context, status=BAD)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def lost(request: Any) -> HttpResponse:
    """A lost link or password: one neutral answer, whoever asks."""
    form = LostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.ask_lost_link(typed=form.cleaned_data["contact"], address=_address(request))
            return redirect("patient:sent")
        except Refused as refused:
            form.refuse(refused)
    status = BAD if request.method == "POST" else 200
    return render(
        request, "patients/door/lost.html", {"form": form, "ended": _ended(request), **_support()}, status=status
    )


@public
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """What happens next, the same for everybody."""
    return render(request, "patients/door/sent.html", _support())


@public
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Any) -> HttpResponse:
    """Leave on this browser: every way in that it remembers is forgotten, as on a telephone that is handed on."""
    if request.method != "POST":
        return render(request, "patients/door/left.html")
    actions.forget_devices(tokens=entry.cookie_tokens(request.COOKIES.get(settings.PATIENT_COOKIE_NAME)))
    response = redirect("patient:leave")
    response.delete_cookie(settings.PATIENT_COOKIE_NAME, path="/", samesite="Lax")
    return response


def _grant(grant_id: UUID) -> Grant | None:
    return Grant.objects.select_related("establishment").filter(pk=grant_id).first()


def _closed(request: HttpRequest, grant: Grant | None) -> HttpResponse:
    """A link that opens nothing: why, since when, whom to call, how to get another (C26)."""
    context: dict[str, Any] = {"form": LostForm(), "grant": grant, **_support()}
    if grant is None:
        return render(request, "patients/door/closed.html", {**context, "why": "unknown"}, status=404)
    if grant.revoked_at:
        context |= {"why": "revoked", "since": grant.revoked_at}
    elif grant.valid_from > timezone.now():
        context |= {"why": "early", "since": grant.valid_from}
    else:
        context |= {"why": "expired", "since": grant.valid_until}
    return render(request, "patients/door/closed.html", context, status=410)


def _support() -> dict[str, str]:
    env = settings.ENV
    return {
        "day_phone": env["SUPPORT_PHONE_DAY"],
        "day_hours": env["SUPPORT_HOURS_DAY"],
        "night_phone": env["SUPPORT_PHONE_NIGHT"],
    }


def _ended(request: Any) -> Grant | None:
    """The way in that this browser had last, when it has ended meanwhile."""
    tokens = entry.cookie_tokens(request.COOKIES.get(settings.PATIENT_COOKIE_NAME))
    if request.actor or not tokens:
        return None
    device = GrantDevice.objects.select_related("grant").filter(token_hash=entry.hash_token(tokens[0])).first()
    return device.grant if device and not device.grant.is_live() else None


def _known_token(request: HttpRequest, grant: Grant) -> str | None:
    """The token by which this browser is remembered for this very grant."""
    tokens = entry.cookie_tokens(request.COOKIES.get(settings.PATIENT_COOKIE_NAME))
    by_hash = {entry.hash_token(token): token for token in tokens}
    device = GrantDevice.objects.filter(grant=grant, revoked_at=None, token_hash__in=by_hash).first()
    return by_hash[device.token_hash] if device else None


def _already_in(nonce: str) -> bool:
    return GrantDevice.objects.filter(token_hash=entry.hash_token(entry.token_of(nonce)), revoked_at=None).exists()


def _step(request: HttpRequest, grant: Grant) -> dict[str, Any] | None:
    """What the browser showed a moment ago (the password of this grant), or None."""
    try:
        step = signing.loads(request.COOKIES.get(entry.STEP_COOKIE, ""), salt=STEP_SALT, max_age=entry.STEP_SECONDS)
    except signing.BadSignature:
        return None
    return step if step["grant"] == str(grant.pk) else None


def _let_in(request: HttpRequest, grant: Grant, nonce: str, *, factors: int, remember: bool) -> HttpResponse:
    token = entry.token_of(nonce)
    actions.remember_device(grant=grant, token=token, factors=factors, user_agent=request.headers.get("User-Agent", ""))
    response = _inside(request, grant, token, remember=remember)
    response.delete_cookie(entry.STEP_COOKIE, path="/p/", samesite="Lax")
    return response


def _inside(request: HttpRequest, grant: Grant, token: str, *, remember: bool | None = None) -> HttpResponse:
    """To the space, `token` being the current one. `remember` None: the cookie keeps the life it has."""
    response = redirect(spaces.home_of(grant.about))
    value = request.COOKIES.get(settings.PATIENT_COOKIE_NAME, "")
    if remember is None and entry.cookie_tokens(value)[:1] == [token]:
        return response
    value, kept = entry.with_current(token, value, remember=remember)
    _set_cookie(response, settings.PATIENT_COOKIE_NAME, value, entry.KEEP_SECONDS if kept else None, path="/")
    return response


def _set_cookie(response: HttpResponse, name: str, value: str, max_age: int | None, *, path: str) -> None:
    response.set_cookie(
        name, value, max_age=max_age, path=path, httponly=True, samesite="Lax", secure=settings.SECURE_TLS
    )


def _address(request: HttpRequest) -> str:
    """The network address; behind a proxy uvicorn has put the real one there."""
    return request.META.get("REMOTE_ADDR", "")
