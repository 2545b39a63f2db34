"""The site's addresses and the calibration page: same middleware, same template engine, one indexed query of 20 rows."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from config.urls import urlpatterns as site
from relais.accounts.models import Membership


def calibration(request: Any) -> HttpResponse:
    """Twenty rows by an index, in the page shell that every screen has."""
    rows = Membership.objects.filter(establishment_id=request.actor.establishment_id).order_by("pk")[:20]
    return render(request, "bench/calibration.html", {"rows": list(rows)})


urlpatterns = [path("_bench/", calibration, name="calibration"), *site]
