"""The establishment one works in for this session (TC-04)."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from relais.accounts.actions import choose_establishment
from relais.accounts.queries import workplaces
from relais.accounts.views.sign_in import safe_next
from relais.core.access import without_establishment

SEARCHABLE = 8


@without_establishment
def choose(request: Any) -> HttpResponse:
    """Several establishments: choose one, now or later from the top bar. None: whom to call."""
    wanted = safe_next(request)
    if request.method == "POST":
        choose_establishment(
            user=request.user, session=request.session, establishment_id=request.POST.get("establishment", "")
        )
        return redirect(wanted)
    places = list(workplaces(request.user.pk))
    if not places and request.user.help_desk:
        return redirect("/")
    if not places:
        support = {"phone": settings.ENV["SUPPORT_PHONE_DAY"], "hours": settings.ENV["SUPPORT_HOURS_DAY"]}
        return render(request, "accounts/nowhere.html", {"support": support})
    typed = request.GET.get("q", "").strip()
    shown = [one for one in places if typed.casefold() in one.establishment.name.casefold()] if typed else places
    context = {
        "places": shown,
        "typed": typed,
        "searchable": len(places) > SEARCHABLE,
        "next": wanted,
        "here": request.actor.establishment_id,
        "again": f"?{urlencode({'next': wanted})}",
    }
    return render(request, "accounts/choose.html", context)
