"""Recovery codes: shown once, by a POST, because reading them is an act."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import view_recovery_codes
from django.http import Http404, HttpResponse
from django.shortcuts import render

from relais.core.access import without_establishment


@without_establishment
@reauthentication_required(app="allauth.mfa")
def recovery_codes(request: Any) -> HttpResponse:
    found = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).first()
    if found is None:
        raise Http404
    if request.method != "POST" or found.wrap().did_view:
        left = len(found.wrap().get_unused_codes())
        return render(
            request, "mfa/recovery_codes/index.html", {"seen": found.wrap().did_view, "left": left, "codes": []}
        )
    shown, _can_view = view_recovery_codes(request)
    codes = shown.get_unused_codes() if shown else []
    return render(request, "mfa/recovery_codes/index.html", {"seen": False, "left": len(codes), "codes": codes})
