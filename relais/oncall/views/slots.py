"""One slot: added, changed, confirmed, given to a colleague."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_day, read_id
from relais.core.workflow import possible
from relais.oncall import permissions as may
from relais.oncall.actions import replacements, slots
from relais.oncall.forms import AskForm, GiveForm, NewSlotForm, SlotForm, initial_from, initial_of
from relais.oncall.models import OnCallSlot
from relais.oncall.queries import doctors, twice
from relais.oncall.views import kept_by
from relais.oncall.views.mine import ROLES
from relais.oncall.views.rota import monday_of

SHOWN = ("confirm", "mark_absent", "mark_present")
OTHERS = timedelta(days=90)  # of whose slots one may be proposed in exchange


@professional(may.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Any, service_id: UUID) -> HttpResponse:
    """One slot, or the same on days of the week until a day."""
    service = kept_by(request, service_id)
    day = read_day(request.GET.get("jour", ""))
    form = NewSlotForm(request.POST or None, service=service, initial=initial_of(service, day))
    if request.method == "POST" and form.is_valid():
        try:
            made = slots.add_slots(actor=request.actor, service=service, said=form.all_said())
        except Refused as refused:
            form.refuse(refused)
        else:
            said = ngettext("%(n)d créneau ajouté.", "%(n)d créneaux ajoutés.", len(made)) % {"n": len(made)}
            messages.success(request, said)
            _say_twice(request, made)
            return redirect(_week_of(made[0]))
    context = {"service": service, "form": form, "empty": not doctors(service).exists()}
    return render(request, "oncall/add.html", context, status=422 if form.errors else 200)


def _week_of(slot: OnCallSlot) -> str:
    monday = monday_of(timezone.localtime(slot.starts_at).date())
    return f"{reverse('oncall:rota', args=[slot.service_id])}?semaine={monday:%Y-%m-%d}"


def _slot(request: Any, slot_id: UUID) -> OnCallSlot:
    rows = OnCallSlot.objects.told().select_related("service__establishment", "user", "backup", "establishment")
    found: OnCallSlot = get_visible(rows, request.actor, pk=slot_id)
    return found


@professional(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def slot(request: Any, slot_id: UUID) -> HttpResponse:
    """Who, when, where called, who stands behind; its referent changes it here."""
    found = _slot(request, slot_id)
    manages = may.can_manage(request.actor, found.service)
    form = SlotForm(request.POST or None, service=found.service, slot=found, initial=initial_from(found))
    if request.method == "POST":
        if not manages:
            raise NotFound
        if form.is_valid() and _changed(request, found, form):
            return redirect("oncall:slot", found.pk)
    return render(request, "oncall/slot.html", _context(request, found, form), status=422 if form.errors else 200)


def _changed(request: Any, found: OnCallSlot, form: SlotForm) -> bool:
    try:
        slots.change_slot(actor=request.actor, slot=found, said=form.said_on(form.cleaned_data["day"]))
    except Refused as refused:
        form.refuse(refused)
        return False
    messages.success(request, _("Le créneau est modifié."))
    _say_twice(request, [found])
    return True


def _say_twice(request: Any, made: list[OnCallSlot]) -> None:
    """A warning, not a refusal: one doctor for two services at once."""
    found = twice(OnCallSlot.objects.filter(pk__in=[one.pk for one in made]).select_related("user"))
    if found:
        messages.warning(
            request,
            _("%(who)s est aussi d’astreinte pour « %(service)s » à ce moment-là.")
            % {"who": found[0].slot.user.full_name, "service": found[0].other.service.name},
        )


def _context(
    request: Any,
    found: OnCallSlot,
    form: SlotForm,
    ask_form: AskForm | None = None,
    give_form: GiveForm | None = None,
) -> dict[str, Any]:
    now, live = timezone.now(), found.state in ("planned", "confirmed", "absent")
    mine = may.is_mine(request.actor, found)
    manages = may.can_manage(request.actor, found.service)
    ahead = live and found.starts_at > now
    history = list(found.replacements.select_related("asked", "against__user"))
    return {
        "slot": found,
        "service": found.service,
        "week_url": _week_of(found) if may.can_read(request.actor, found.service) else "",
        "form": form if manages and live and found.ends_at > now else None,
        "verbs": [
            (verb, OnCallSlot.TRANSITIONS[verb].label)
            for verb in possible(found, request.actor)
            if verb in SHOWN and found.ends_at > now
        ],
        "ask_form": ask_form or (AskForm(slot=found, others=_others(found)) if mine and ahead else None),
        "give_form": give_form or (GiveForm(slot=found) if manages and ahead else None),
        "requests": [(one, one.is_open, may.can_cancel(request.actor, one)) for one in history],
        "removable": manages and ahead,
        "mine": mine,
        "twice": twice([found]) if live and found.ends_at > now else [],
    }


def _others(found: OnCallSlot) -> list[OnCallSlot]:
    """The slots of colleagues that may be taken in exchange."""
    now = timezone.now()
    near = OnCallSlot.objects.filter(service=found.service).between(now, now + OTHERS).filter(starts_at__gt=now)
    return list(near.exclude(user=found.user).select_related("user").order_by("starts_at", "id"))


@professional(*ROLES)
@require_http_methods(["POST"])
def ask(request: Any, slot_id: UUID) -> HttpResponse:
    """Ask a colleague to take one's slot."""
    found = _slot(request, slot_id)
    if not may.is_mine(request.actor, found):
        raise NotFound
    others = _others(found)
    form = AskForm(request.POST, slot=found, others=others)
    if form.is_valid():
        wanted = read_id(form.cleaned_data["against"])
        against = next((one for one in others if one.pk == wanted), None)
        asked_id = UUID(form.cleaned_data["asked"])
        try:
            replacements.ask(actor=request.actor, slot=found, asked_id=asked_id, against=against)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("La demande est envoyée. L’astreinte reste à vous jusqu’à son accord."))
            return redirect("oncall:slot", found.pk)
    plain = SlotForm(service=found.service, slot=found, initial=initial_from(found))
    return render(request, "oncall/slot.html", _context(request, found, plain, form), status=422)


@professional(may.MANAGER)
@require_POST
def give(request: Any, slot_id: UUID) -> HttpResponse:
    """Another doctor has the slot, by the referent's word."""
    found = _slot(request, slot_id)
    if not may.can_move(request.actor, found):
        raise NotFound
    form = GiveForm(request.POST, slot=found)
    if form.is_valid():
        try:
            taken = replacements.give(actor=request.actor, slot=found, user_id=UUID(form.cleaned_data["user"]))
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Le créneau a changé de médecin. Un message part à chacun des deux."))
            _say_twice(request, [taken])
            return redirect("oncall:slot", taken.pk)
    plain = SlotForm(service=found.service, slot=found, initial=initial_from(found))
    return render(request, "oncall/slot.html", _context(request, found, plain, give_form=form), status=422)


@professional(*ROLES)
@require_POST
def move(request: Any, slot_id: UUID, verb: str) -> HttpResponse:
    """Confirm, say an absence or take it back, take the slot out."""
    found = _slot(request, slot_id)
    acts: dict[str, tuple[Callable[..., Any], str]] = {
        "confirm": (slots.confirm, _("Votre astreinte est confirmée.")),
        "mark_absent": (slots.mark_absent, _("L’absence est notée : le renfort répond, sinon le service suivant.")),
        "mark_present": (slots.mark_present, _("L’absence est annulée.")),
        "remove": (slots.remove_slot, _("Le créneau est retiré du planning.")),
    }
    if verb not in acts:
        raise NotFound
    act, said = acts[verb]
    try:
        act(actor=request.actor, slot=found)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, said)
    if verb == "remove" and not OnCallSlot.objects.filter(pk=found.pk).exists():
        return redirect(_week_of(found))
    return redirect(
        "oncall:mine" if request.POST.get("retour") == "miennes" else reverse("oncall:slot", args=[found.pk])
    )
