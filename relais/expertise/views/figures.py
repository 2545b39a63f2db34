"""The figures of pools, for managers: as a page and as CSV (TE-03)."""

import csv
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.reading import read_number
from relais.expertise.queries import figures as queries

MANAGER = "manager"


def _days(request: Any) -> int:
    given = read_number(request.GET.get("jours", ""))
    return given if given in queries.PERIODS else queries.PERIODS[1]


@professional(MANAGER)
def figures(request: Any) -> HttpResponse:
    """One line a pool of the establishment chosen."""
    days = _days(request)
    lines = queries.figures(request.actor, days=days, now=timezone.now())
    return render(request, "expertise/figures.html", {"lines": lines, "days": days, "periods": queries.PERIODS})


@professional(MANAGER)
def figures_csv(request: Any) -> HttpResponse:
    """The same figures, with the trace of their export; delays in minutes."""
    days = _days(request)
    lines = queries.figures(request.actor, days=days, now=timezone.now())
    audit.record(actor=request.actor, action="expertise.figures_exported", why=f"{days} jours")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="tele-expertise-{timezone.localdate():%Y-%m-%d}.csv"'
    response.write("\ufeff")
    writer = csv.writer(response, delimiter=";")
    writer.writerow(
        [
            _("Service"), _("Reçues"), _("Avec avis"), _("Refusées"), _("Annulées"), _("En cours"), _("En retard"),
            _("Délai médian (min)"), _("90 % en moins de (min)"), _("Recours évités"), _("Adressés à l’hôpital"),
            *(str(words) for words in queries.OUTCOMES.values()),
        ]
    )  # fmt: skip
    for one in lines:
        writer.writerow(
            [
                _safe(one.service.name), one.sent, one.answered, one.refused, one.cancelled, one.open, one.late,
                _minutes(one.median), _minutes(one.p90), one.avoided, one.made, *one.outcomes.values(),
            ]
        )  # fmt: skip
    return response


def _safe(text: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text


def _minutes(length: Any) -> int | str:
    return int(length.total_seconds() // 60) if length is not None else ""
