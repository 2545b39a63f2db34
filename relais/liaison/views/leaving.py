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
from relais.liaison.forms import DeathForm, LeavingForm
from relais.liaison.models import Departure, Request
from relais.liaison.views.asking import FOUND, TOO_MANY
from relais.liaison.views.request import request_of
from relais.liaison.workflow import OPEN


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def death(request: Any, dossier_id: UUID) -> HttpResponse:
    """The one way to say a death: when and how, then read again with the name and with what stops, then done."""
    found = request_of(request, dossier_id, "Décès d’un résident")
    if not may.can_tell_departure(request.actor, found):
        raise NotFound
    if found.state not in OPEN or found.patient.deceased_on:
        return redirect("liaison:request", dossier_id)
    now = timezone.localtime()
    form = DeathForm(request.POST or None, initial={"day": now.date(), "hour": now.time()})
    context = {"found": found, "patient": found.patient, "form": form}
    if request.method == "POST" and form.is_valid() and "change" not in request.POST:
        said = leaving.Leaving(form.at(), form.cleaned_data["why"])
        in_hospital = form.cleaned_data["in_hospital"]
        if "sure" not in request.POST:
            return render(request, "liaison/death_sure.html", {**context, "at": said.at, "in_hospital": in_hospital})
        try:
            leaving.died(actor=request.actor, demand=found, said=said, in_hospital=in_hospital)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("Le décès est enregistré. Ce qui était prévu s’arrête ; le médecin est prévenu.")
            )
            return redirect("liaison:request", dossier_id)
    return render(request, "liaison/death.html", context, status=422 if form.errors else 200)


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
    context = {
        "found": found, "patient": found.patient, "form": form, "homes": homes[:FOUND],
        "may_send_off": may.can_send_off(request.actor, found.patient),
    }  # fmt: skip
    return render(request, "liaison/leave.html", context, status=422 if request.method == "POST" else 200)


def _homes(actor: Any, typed: str, found: Request) -> list[Establishment]:
    """The nursing homes that this name or town may mean; one too many where they are more than one chooses from."""
    return list(search(actor, typed, kinds=may.HOMES).exclude(pk=found.establishment_id)[: FOUND + 1])


def _said(
    request: Any, found: Request, form: LeavingForm, home: Establishment | None, homes: list[Establishment]
) -> HttpResponse | None:
    """What was done; None while a nursing home is to be chosen."""
    said = leaving.Leaving(form.at(), form.cleaned_data["why"])
    given: dict[str, Any] = {"actor": request.actor, "demand": found, "said": said}
    match form.cleaned_data["kind"]:
        case Departure.Kind.ELSEWHERE:
            leaving.go_elsewhere(place=form.cleaned_data["place"], **given)
            messages.success(request, _("Le départ est noté. La demande reste à son médecin, qui est prévenu."))
        case _home:
            if not homes:
                raise Refused(
                    _("Aucun autre EHPAD de ce nom : choisissez « autre lieu » s’il n’y est pas."), field="place"
                )
            if home is None and len(homes) > FOUND:
                raise Refused(_(TOO_MANY) % {"n": FOUND}, field="place")
            if home is None:
                return None
            made = leaving.go_to_home(home=home, **given)
            messages.success(request, _("La demande continue à « %s », avec le même médecin.") % home.name)
            if Request.objects.visible_to(request.actor).filter(pk=made.pk).exists():
                return redirect("liaison:request", made.pk)
    return redirect("liaison:request", found.pk)
