"""Searching among the patients one may see. What is typed travels by POST: no name stands in an address or a log (TC-16)."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from relais.audit import actions as audit
from relais.core.access import professional
from relais.patients import permissions as may
from relais.patients import queries

TYPED_KEY = "patients.typed"
LONGEST = 100


@professional(*may.STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: Any) -> HttpResponse:
    """The page, or for htmx the list alone. What was typed last is kept in the session, so that *back* finds it again.

    `pick` (a path of this site): a result leads there with `?patient=<id>` instead of to the patient's page.
    """
    pick = picked(request.POST.get("pick") or request.GET.get("pick", ""))
    if request.method == "POST":
        request.session[TYPED_KEY] = request.POST.get("q", "").strip()[:LONGEST]
        if not request.htmx:
            return redirect(reverse("patients:search") + (f"?{urlencode({'pick': pick})}" if pick else ""))
    typed = request.session.get(TYPED_KEY, "")
    found = queries.search(request.actor, typed)
    audit.record_list(
        actor=request.actor, action="patient.search", ids=[patient.pk for patient in found], seen=request.session
    )
    context = {
        "typed": typed,
        "found": found,
        "twins": queries.homonyms(found, given=True),
        "pick": pick,
        "full": len(found) == queries.SHOWN,
    }
    return render(request, "patients/_results.html" if request.htmx else "patients/search.html", context)


def picked(pick: str) -> str:
    """Where a chosen patient leads: a path of this site, else nothing."""
    local = pick.startswith("/") and url_has_allowed_host_and_scheme(pick, allowed_hosts=None)
    return pick if local else ""
