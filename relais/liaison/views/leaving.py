"""A resident left or died while a request is open."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.directory.models import Establishment
from relais.directory.queries import search
from relais.liaison import permissions as may
from relais.liaison.actions import leaving
from relais.liaison.forms import LeavingForm
from relais.liaison.models import Departure, Request
from relais.liaison.views.request import request_of
from relais.liaison.workflow import OPEN

FOUND = 10


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Any, dossier_id: UUID) -> HttpResponse:
    """Where to, when and why; a nursing home is named, then chosen among those found."""
    found = request_of(request, dossier_id, "Départ d’un résident")
    if not may.can_tell_departure(request.actor, found):
        raise NotFound
    if found.state not in OPEN:
        return redirect("liaison:request", dossier_id)
    now = timezone.localtime()
    form = LeavingForm(request.POST or None, initial={"day": now.date(), "hour": now.time()})
    homes: list[Establishment] = []
    if request.method == "POST" and form.is_valid():
        chosen = read_id(request.POST.get("home", ""))
        if form.cleaned_data["kind"] == Departure.Kind.HOME:
            homes = _homes(request.actor, form.cleaned_data["place"], found)
            chosen = chosen if chosen in {one.pk for one in homes} else None
        try:
            answer = _said(request, found, form, next((one for one in homes if one.pk == chosen), None), homes)
        except Refused as refused:
            form.refuse(refused)
        else:
            if answer is not None:
                return answer
    context = {"found": found, "patient": found.patient, "form": form, "homes": homes}
    return render(request, "liaison/leave.html", context, status=422 if request.method == "POST" else 200)


def _homes(actor: Any, typed: str, found: Request) -> list[Establishment]:
    """The nursing homes that this name or town may mean."""
    near = [one for kind in may.HOMES for one in search(actor, typed, kind=kind, limit=FOUND)]
    return [one for one in near if one.pk != found.establishment_id][:FOUND]


def _said(
    request: Any, found: Request, form: LeavingForm, home: Establishment | None, homes: list[Establishment]
) -> HttpResponse | None:
    """What was done; None while a nursing home is to be chosen."""
    said = leaving.Leaving(form.at(), form.cleaned_data["why"])
    given: dict[str, Any] = {"actor": request.actor, "demand": found, "said": said}
    match form.cleaned_data["kind"]:
        case Departure.Kind.DIED:
            leaving.died(in_hospital=form.cleaned_data["in_hospital"], **given)
            messages.success(request, _("Le décès est noté. Ce qui était prévu s’arrête ; le médecin est prévenu."))
        case Departure.Kind.ELSEWHERE:
            leaving.go_elsewhere(place=form.cleaned_data["place"], **given)
            messages.success(request, _("Le départ est noté. La demande reste à son médecin, qui est prévenu."))
        case _home:
            if not homes:
                raise Refused(
                    _("Aucun autre EHPAD de ce nom : choisissez « autre lieu » s’il n’y est pas."), field="place"
                )
            if home is None:
                return None
            made = leaving.go_to_home(home=home, **given)
            messages.success(request, _("La demande continue à « %s », avec le même médecin.") % home.name)
            if Request.objects.visible_to(request.actor).filter(pk=made.pk).exists():
                return redirect("liaison:request", made.pk)
    return redirect("liaison:request", found.pk)
