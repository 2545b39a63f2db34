"""Forms of telemonitoring: read and checked here, decided in actions."""

from datetime import time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.errors import Refused
from relais.core.forms import Form, TelInput, TimeInput
from relais.patients.contact import clean_email, clean_phone
from relais.patients.models import Holder
from relais.questionnaires.models import OWN, Reason, Relation
from relais.telemonitoring.models import CellKind


class CellForm(Form):
    """A cell: its name, kind, hours, and how long a call takes."""

    name = forms.CharField(label=_("Nom de la cellule"), max_length=120)
    kind = forms.ChoiceField(label=_("Type"), choices=CellKind.choices)
    opens = forms.TimeField(label=_("Ouvre à"), widget=TimeInput, initial=time(8))
    closes = forms.TimeField(
        label=_("Ferme à"), widget=TimeInput, initial=time(20),
        help_text=_("Deux heures égales : la cellule répond jour et nuit."),
    )  # fmt: skip
    minutes_per_call = forms.IntegerField(
        label=_("Minutes par appel"), min_value=1, max_value=120, initial=9,
        help_text=_("Sert à dire si les rappels promis peuvent être tenus."),
    )  # fmt: skip


class ContactForm(Form):
    """To whom the link of a follow-up goes."""

    email = forms.CharField(label=_("Adresse e-mail"), required=False, widget=forms.EmailInput, max_length=254)
    phone = forms.CharField(label=_("Téléphone mobile"), required=False, widget=TelInput, max_length=25)
    holder = forms.ChoiceField(
        label=_("Qui répondra ?"),
        choices=[one for one in Holder.choices if one[0] != Holder.GUEST],
        initial=Holder.SELF,
    )

    holder_name = forms.CharField(
        label=_("Nom de cette personne"), max_length=200, required=False,
        help_text=_("Si ce n’est pas le patient : parent, tuteur, proche ou soignant."),
    )  # fmt: skip

    def clean_email(self) -> str:
        return _checked(clean_email, self.cleaned_data["email"])

    def clean_phone(self) -> str:
        return _checked(clean_phone, self.cleaned_data["phone"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("email") and not cleaned.get("phone") and not {"email", "phone"} & set(self.errors):
            self.add_error("email", _("Indiquez une adresse e-mail ou un téléphone : le lien y est envoyé."))
        if cleaned.get("holder") != Holder.SELF and not cleaned.get("holder_name", "").strip():
            self.add_error("holder_name", _("Indiquez qui répondra pour le patient."))
        return cleaned


def _checked(check: Any, text: str) -> str:
    try:
        return str(check(text)) if text.strip() else ""
    except Refused as refused:
        raise forms.ValidationError(refused.message) from None


class InPlaceForm(Form):
    """Who answers in the place of the patient, and why (EC-10)."""

    relation = forms.ChoiceField(
        label=_("Qui répond ?"), choices=[(one.value, one.label) for one in Relation if one not in OWN],
        initial=Relation.CELL,
    )  # fmt: skip
    reason = forms.ChoiceField(label=_("Pourquoi ?"), choices=Reason.choices, initial=Reason.CALL)
