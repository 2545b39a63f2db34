"""A practitioner's week: appointments, free slots, hours and days off."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.audit import actions as audit
from relais.core.access import professional
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_day, read_id
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries, slots
from relais.teleconsultation.actions import agenda as actions
from relais.teleconsultation.forms import AbsenceForm, OpeningForm
from relais.teleconsultation.models import Absence, Opening


@professional(*may.STAFF)
def agenda(request: Any) -> HttpResponse:
    """The week of one practitioner (TC-13): what is booked, and what is free."""
    return _page(request, read_id(request.GET.get("praticien", "")))


def _page(request: Any, practitioner_id: UUID | None, **forms: Any) -> HttpResponse:
    known = {user.pk: user for user in queries.practitioners(request.actor.here)}
    chosen = next((known[one] for one in (practitioner_id, request.actor.me, *known) if one in known), None)
    day = read_day(request.GET.get("semaine", "")) or timezone.localdate()
    monday = day - timedelta(days=day.weekday())
    context = {
        "practitioners": list(known.values()),
        "chosen": chosen,
        "monday": monday,
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "today": timezone.localdate(),
        "days": [],
        "opening_form": OpeningForm(prefix="o"),
        "absence_form": AbsenceForm(prefix="a"),
        **forms,
    }
    if chosen:
        context |= _week(request, chosen.pk, monday)
    return render(request, "teleconsultation/agenda.html", context, status=422 if forms else 200)


def _week(request: Any, practitioner_id: UUID, monday: Any) -> dict[str, Any]:
    booked = queries.week(request.actor, practitioner_id, monday)
    audit.record_list(
        actor=request.actor, action="teleconsultation.list", ids=[tele.pk for tele in booked], seen=request.session
    )
    free = slots.free(
        practitioner_id=practitioner_id, establishment_id=request.actor.establishment_id, first=monday, days=7
    )
    by_day: dict[Any, list[Any]] = {day: [] for day in free}
    for tele in booked:
        by_day[timezone.localtime(tele.starts_at).date()].append({"tele": tele, "at": tele.starts_at})
    for day, day_slots in free.items():
        by_day[day] += [{"slot": slot, "at": slot.starts_at} for slot in day_slots]
    return {
        "days": [(day, sorted(entries, key=lambda entry: entry["at"])) for day, entries in by_day.items()],
        "openings": Opening.objects.filter(
            practitioner_id=practitioner_id, establishment_id=request.actor.establishment_id
        ),
        "absences": Absence.objects.filter(practitioner_id=practitioner_id, ends_at__gt=timezone.now()),
        "weekdays": [str(label) for _value, label in OpeningForm.DAYS],
    }


def _back(practitioner_id: Any) -> HttpResponse:
    return redirect(f"{reverse('teleconsultation:agenda')}?praticien={practitioner_id}")


@professional(*may.STAFF)
@require_POST
def add_hours(request: Any, practitioner_id: UUID) -> HttpResponse:
    """Weekly hours or days off, as the posted form says; what cannot be comes back with its sentence."""
    off = "a-first" in request.POST
    form: Any = AbsenceForm(request.POST, prefix="a") if off else OpeningForm(request.POST, prefix="o")
    if form.is_valid():
        add: Any = actions.add_absence if off else actions.add_opening
        try:
            add(actor=request.actor, practitioner_id=practitioner_id, **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("L’agenda est à jour."))
            return _back(practitioner_id)
    return _page(request, practitioner_id, **{"absence_form" if off else "opening_form": form})


@professional(*may.STAFF)
@require_POST
def remove_hours(request: Any, kind: str, row_id: UUID) -> HttpResponse:
    """Remove weekly hours (`heures`) or days off (`absences`)."""
    model: Any = {"heures": Opening, "absences": Absence}.get(kind)
    row = model.objects.filter(pk=row_id).first() if model else None
    if not row:
        raise NotFound
    if kind == "heures":
        actions.remove_opening(actor=request.actor, opening_id=row_id)
    else:
        actions.remove_absence(actor=request.actor, absence_id=row_id)
    messages.success(request, _("L’agenda est à jour."))
    return _back(row.practitioner_id)
