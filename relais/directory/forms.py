"""Forms of the directory: read and checked here, decided in actions."""

from datetime import time
from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.forms import Form, TelInput, TimeInput
from relais.directory.models import EVERY_DAY, Day, Department, Need, Way

SHORT = (2, 4)  # figures


class ServiceForm(Form):
    """What an establishment offers to the others."""

    name = forms.CharField(
        label=_("Nom du service"), max_length=120, help_text=_("Comme on l’appelle : « Astreinte gériatrique Sud ».")
    )
    need = forms.ChoiceField(label=_("Répond à quel besoin"), choices=[("", _("Choisissez")), *Need.choices])
    specialty = forms.CharField(
        label=_("Spécialité"), max_length=80, required=False, help_text=_("Pour un avis spécialisé : « Cardiologie ».")
    )
    departments = forms.MultipleChoiceField(
        label=_("Départements desservis"), choices=Department.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedMultipleChoiceField(
        label=_("Jours"), choices=Day.choices, coerce=int, initial=EVERY_DAY, widget=forms.CheckboxSelectMultiple,
        help_text=_("Une nuit compte pour le jour où elle commence."),
    )  # fmt: skip
    opens = forms.TimeField(label=_("Répond de"), widget=TimeInput, initial=time(8))
    closes = forms.TimeField(
        label=_("à"), widget=TimeInput, initial=time(19),
        help_text=_("Deux heures égales : jour et nuit. La nuit s’écrit « 19:00 à 08:00 »."),
    )  # fmt: skip
    phone = forms.CharField(label=_("Ligne directe"), widget=TelInput, max_length=20)
    ways = forms.MultipleChoiceField(
        label=_("Comment le solliciter"), choices=Way.choices, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=_("À savoir"), max_length=300, required=False,
        help_text=_("Ce que le service accepte, et à quelles conditions. Aucune donnée de patient."),
    )  # fmt: skip

    def clean_days(self) -> list[int]:
        return sorted(set(self.cleaned_data["days"]))

    def clean_phone(self) -> str:
        """As it is read: 01 99 00 12 34. Numbers of two or four figures (15, 3114) are lines too."""
        typed = "".join(self.cleaned_data["phone"].split())
        if typed.isdecimal() and len(typed) in SHORT:
            return typed
        try:
            number = phonenumbers.parse(typed, "FR")
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise forms.ValidationError(_("Ce numéro ne se compose pas : vérifiez ses chiffres."))
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("need") == Need.EXPERT and not cleaned.get("specialty", "").strip():
            self.add_error("specialty", _("Indiquez la spécialité : c’est elle que l’on cherche."))
        return cleaned
