"""The prescription's form: what it says as a whole, and its lines (domain.md §2.4)."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.forms import Form, RadioCards
from relais.notifications.models import Channel
from relais.teleconsultation.prescribing import REASONS, Line


class PrescriptionForm(Form):
    """What concerns the whole prescription, and how the patient is told (TC-52: e-mail or SMS)."""

    weight_kg = forms.DecimalField(
        label=_("Poids (kg)"), min_value=0.3, max_value=400, decimal_places=1, required=False
    )
    height_cm = forms.IntegerField(label=_("Taille (cm)"), min_value=20, max_value=250, required=False)
    allergies = forms.CharField(label=_("Allergies connues"), max_length=300, required=False)
    channel = forms.ChoiceField(
        label=_("Prévenir le patient par"), choices=Channel.choices, initial=Channel.SMS, widget=RadioCards
    )
    request_key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)

    def written(self) -> dict[str, Any]:
        """The fields that the prescription prints."""
        return {name: self.cleaned_data[name] for name in ("weight_kg", "height_cm", "allergies")}


class LineForm(Form):
    """One drug; what the numbers cannot say goes into `posology`."""

    dci = forms.CharField(label=_("Médicament (DCI)"), max_length=150)
    dosage = forms.CharField(label=_("Dosage"), max_length=60, help_text=_("Par exemple 500 mg."))
    form = forms.CharField(label=_("Forme"), max_length=60, initial=_("comprimé"))
    route = forms.CharField(label=_("Voie"), max_length=40, initial=_("orale"))
    dose = forms.DecimalField(label=_("Dose par prise"), min_value=0, max_value=10000, required=False)
    per_day = forms.DecimalField(label=_("Prises par jour"), min_value=0, max_value=48, required=False)
    moments = forms.CharField(label=_("Moments"), max_length=100, required=False, help_text=_("Matin, midi et soir."))
    days = forms.IntegerField(label=_("Durée (jours)"), min_value=1, max_value=3660, required=False)
    quantity = forms.CharField(label=_("ou quantité"), max_length=60, required=False)
    posology = forms.CharField(label=_("Autres précisions de posologie"), max_length=200, required=False)
    as_needed = forms.BooleanField(label=_("Si besoin"), required=False)
    max_per_day = forms.DecimalField(label=_("Maximum en 24 h"), min_value=0, max_value=10000, required=False)
    interval_hours = forms.DecimalField(label=_("Heures entre deux prises"), min_value=0, max_value=168, required=False)
    renewals = forms.IntegerField(label=_("Renouvellements"), min_value=0, max_value=11, required=False)
    brand = forms.CharField(label=_("Nom commercial"), max_length=100, required=False)
    not_substitutable = forms.ChoiceField(
        label=_("Non substituable"), choices=[("", "—"), *REASONS.items()], required=False
    )
    ald = forms.BooleanField(label=_("En rapport avec une affection de longue durée (ALD)"), required=False)
    off_label = forms.BooleanField(label=_("Hors AMM, patient informé"), required=False)

    def clean_renewals(self) -> int:
        return self.cleaned_data["renewals"] or 0


class BaseLines(forms.BaseFormSet):
    """The lines that were filled in; an empty one is no error."""

    def lines(self) -> list[Line]:
        return [Line(**one.cleaned_data) for one in self.forms if one.cleaned_data.get("dci")]


LineFormSet: Any = forms.formset_factory(LineForm, formset=BaseLines, extra=1, max_num=12, absolute_max=12)
