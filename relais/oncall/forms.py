"""Forms of the rotas: read and checked here, decided in actions."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from relais.core import times
from relais.core.errors import Refused
from relais.core.forms import DateInput, Form, TelInput, TimeInput, possible_day
from relais.core.paris import PARIS, to_utc
from relais.directory.models import Day, Service
from relais.oncall.actions.slots import Said
from relais.oncall.hours import DAY_BEGINS, NIGHT_BEGINS
from relais.oncall.models import OnCallSlot
from relais.oncall.queries import doctors

LONGEST_REPEAT = timedelta(days=366)


class SlotForm(Form):
    """One slot; an end at or before the beginning is on the next day."""

    user = forms.ChoiceField(label=_("Médecin d’astreinte"))
    day = forms.DateField(label=_("Jour"), widget=DateInput, validators=[possible_day])
    starts = forms.TimeField(label=_("De"), widget=TimeInput)
    ends = forms.TimeField(label=_("à"), widget=TimeInput)
    end_day = forms.DateField(label=_("Jour de fin"), widget=DateInput, required=False, validators=[possible_day])
    phone = forms.CharField(label=_("Téléphone"), widget=TelInput, max_length=20, required=False)
    backup = forms.ChoiceField(label=_("Renfort"), required=False)
    backup_phone = forms.CharField(label=_("Téléphone du renfort"), widget=TelInput, max_length=20, required=False)

    def __init__(self, *args: Any, service: Service, slot: OnCallSlot | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(one.user_id), one.user.full_name) for one in doctors(service)]
        if slot and str(slot.user_id) not in dict(people):
            people.insert(0, (str(slot.user_id), slot.user.full_name))
        self.fields["user"].choices = [("", _("Choisissez")), *people]  # type: ignore[attr-defined]
        self.fields["backup"].choices = [("", _("Personne")), *people]  # type: ignore[attr-defined]
        if slot:
            self.fields["user"].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"user", "day", "starts", "ends", "backup"} <= set(cleaned):
            try:
                self.said_on(cleaned["day"])
            except Refused as refused:
                self.refuse(refused if refused.field != "time" else Refused(refused.message, field="starts"))
        return cleaned

    def said_on(self, day: date) -> Said:
        """The slot of these fields on one day."""
        told = self.cleaned_data
        end = day if told["ends"] > told["starts"] else day + timedelta(days=1)
        if told.get("end_day"):
            end = day + (told["end_day"] - told["day"])
        return Said(
            user_id=UUID(told["user"]),
            starts_at=to_utc(day, told["starts"]),
            ends_at=to_utc(end, told["ends"]),
            phone=told.get("phone", "").strip(),
            backup_id=UUID(told["backup"]) if told.get("backup") else None,
            backup_phone=told.get("backup_phone", "").strip(),
        )


class NewSlotForm(SlotForm):
    """A slot, perhaps repeated on days of the week until a day."""

    weekdays = forms.MultipleChoiceField(
        label=_("Répéter chaque"), choices=Day.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(label=_("Jusqu’au"), widget=DateInput, required=False, validators=[possible_day])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, last = cleaned.get("day"), cleaned.get("until")
        if cleaned.get("weekdays") and not last and "until" not in self.errors:
            self.add_error("until", _("Indiquez jusqu’à quel jour répéter."))
        if first and last and not first <= last <= first + LONGEST_REPEAT:
            self.add_error("until", _("Choisissez un jour après le premier, un an plus tard au plus."))
        return cleaned

    def all_said(self) -> list[Said]:
        """The slot of the first day, and of each day of the week that was ticked until the last day. Raises Refused."""
        return [self.said_on(day) for day in self._days()]

    def _days(self) -> Iterator[date]:
        first, last = self.cleaned_data["day"], self.cleaned_data["until"]
        wanted = {int(one) for one in self.cleaned_data["weekdays"]}
        yield first
        day = first + timedelta(days=1)
        while last and day <= last:
            if day.weekday() in wanted:
                yield day
            day += timedelta(days=1)


def initial_of(service: Service, day: date | None = None) -> dict[str, Any]:
    """A new slot begins with the hours of the service."""
    around = service.opens == service.closes
    return {
        "day": day or timezone.localdate() + timedelta(days=1),
        "starts": DAY_BEGINS if around else service.opens,
        "ends": NIGHT_BEGINS if around else service.closes,
    }


def initial_from(slot: OnCallSlot) -> dict[str, Any]:
    starts, ends = slot.starts_at.astimezone(PARIS), slot.ends_at.astimezone(PARIS)
    plain = starts.date() if ends.time() > starts.time() else starts.date() + timedelta(days=1)
    return {
        "user": str(slot.user_id),
        "day": starts.date(),
        "starts": starts.time(),
        "ends": ends.time(),
        "end_day": ends.date() if ends.date() != plain else None,
        "phone": slot.phone,
        "backup": str(slot.backup_id or ""),
        "backup_phone": slot.backup_phone,
    }


class GiveForm(Form):
    """Which other doctor of the pool gets a slot, by the referent's word."""

    user = forms.ChoiceField(label=_("Médecin"))

    def __init__(self, *args: Any, slot: OnCallSlot, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="give_%s", **kwargs)  # beside the other forms of the slot
        self.fields["user"].choices = [("", _("Choisissez")), *_colleagues(slot)]  # type: ignore[attr-defined]


class AskForm(Form):
    """Whom to ask, and perhaps against which of their slots."""

    asked = forms.ChoiceField(label=_("Collègue"))
    against = forms.ChoiceField(
        label=_("En échange de"), required=False, help_text=_("Une de ses astreintes, que vous prendriez à sa place.")
    )

    def __init__(self, *args: Any, slot: OnCallSlot, others: list[OnCallSlot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["asked"].choices = [("", _("Choisissez")), *_colleagues(slot)]  # type: ignore[attr-defined]
        self.fields["against"].choices = [  # type: ignore[attr-defined]
            ("", _("Rien : un simple remplacement")),
            *((str(one.pk), f"{one.user.full_name}, {_said(one.starts_at, one.ends_at)}") for one in others),
        ]


def _colleagues(slot: OnCallSlot) -> list[tuple[str, str]]:
    return [(str(one.user_id), one.user.full_name) for one in doctors(slot.service) if one.user_id != slot.user_id]


def _said(start: datetime, end: datetime) -> str:
    """With the day of the end when it is another: *lundi 23 novembre 19:00 – mardi 24 novembre 08:00*."""
    first, last = timezone.localtime(start), timezone.localtime(end)
    return f"{times.near(start)} – {f'{last:%H:%M}' if first.date() == last.date() else times.near(end)}"
