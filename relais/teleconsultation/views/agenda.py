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
from relais.teleconsultation import permissions as may
from relais.teleconsultation import queries, slots
from relais.teleconsultation.actions import agenda as actions
from relais.teleconsultation.forms import AbsenceForm, OpeningForm
from relais.teleconsultation.models import Absence, Opening
from relais.teleconsultation.views.booking import _day


@professional(*may.STAFF)
def agenda(request: Any) -> HttpResponse:
    """The week of one practitioner (TC-13): what is booked, and what is free."""
    known = {str(user.pk): user for user in queries.practitioners(request.actor.establishment_id)}
    default = str(request.actor.user_id) if str(request.actor.user_id) in known else next(iter(known), "")
    chosen = request.GET.get("praticien") if request.GET.get("praticien") in known else default
    day = _day(request.GET.get("semaine", "")) or timezone.localdate()
    monday = day - timedelta(days=day.weekday())
    context = {
        "practitioners": list(known.values()),
        "chosen": known.get(chosen),
        "monday": monday,
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "today": timezone.localdate(),
        "days": [],
    }
    if chosen:
        context |= _week(request, known[chosen].pk, monday)
    return render(request, "teleconsultation/agenda.html", context)


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
        "opening_form": OpeningForm(prefix="o"),
        "absence_form": AbsenceForm(prefix="a"),
        "weekdays": [str(label) for _value, label in OpeningForm.DAYS],
    }


def _back(practitioner_id: Any) -> HttpResponse:
    return redirect(f"{reverse('teleconsultation:agenda')}?praticien={practitioner_id}")


@professional(*may.STAFF)
@require_POST
def add_hours(request: Any, practitioner_id: UUID) -> HttpResponse:
    """Weekly hours or days off, as the posted form says."""
    form: Any = (AbsenceForm if "a-first" in request.POST else OpeningForm)(
        request.POST, prefix="a" if "a-first" in request.POST else "o"
    )
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, errors[0])
        return _back(practitioner_id)
    try:
        if isinstance(form, AbsenceForm):
            actions.add_absence(actor=request.actor, practitioner_id=practitioner_id, **form.cleaned_data)
        else:
            actions.add_opening(actor=request.actor, practitioner_id=practitioner_id, **form.cleaned_data)
        messages.success(request, _("L’agenda est à jour."))
    except Refused as refused:
        messages.error(request, refused.message)
    return _back(practitioner_id)


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
