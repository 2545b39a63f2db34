"""Forms of telemonitoring: read and checked here, decided in actions."""

from datetime import time
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.errors import Refused
from relais.core.forms import CountedTextarea, Form, RadioCards, TelInput, TimeInput
from relais.patients.contact import clean_email, clean_phone
from relais.patients.models import Holder
from relais.questionnaires.models import OWN, Reason, Relation
from relais.telemonitoring.models import CellKind
from relais.telemonitoring.programme import Rhythm
from relais.telemonitoring.wording import LEVELS


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
    accepts_others = forms.BooleanField(
        label=_("Suit les patients d’autres établissements"), required=False,
        help_text=_("Cellule régionale : tout établissement peut lui confier un patient."),
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


RHYTHM_HINTS = {
    "standard": _("Une réponse par jour, deux de J6 à J12."),
    "renforce": _("Deux réponses par jour, tout le suivi."),
    "contact": _("Une réponse par jour."),
}


class AdjustForm(Form):
    """How often the patient answers and, for a practitioner, the saturations that are usual and too low for them."""

    rhythm = forms.ChoiceField(label=_("Rythme"), widget=RadioCards(hints=RHYTHM_HINTS))
    baseline = forms.IntegerField(
        label=_("SpO2 habituelle, en %"), required=False, min_value=80, max_value=100,
        help_text=_("D’un insuffisant respiratoire. Vide : non connue."),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )  # fmt: skip
    target = forms.IntegerField(
        label=_("Seuil d’alerte personnel, en %"), required=False, min_value=80, max_value=96,
        help_text=_("Au-dessous, l’alerte est rouge. Vide : le seuil de tous."),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )  # fmt: skip

    def __init__(self, *args: Any, rhythms: list[str], doctor: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rhythm = cast(forms.ChoiceField, self.fields["rhythm"])
        rhythm.choices = [(one.value, one.label) for one in Rhythm if one.value in rhythms]
        if not doctor:
            for name in ("baseline", "target"):
                del self.fields[name]


class RuleForm(Form):
    """One rule of a draft; the level of a rule without an effect cannot be empty."""

    expression = forms.CharField(
        label=_("Condition"), max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5, "class": "font-monospace", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Une condition SQL : comparaisons, and, or, not, in, between, is null, coalesce, has(question, 'réponse')."),
    )  # fmt: skip
    level = forms.ChoiceField(label=_("Niveau"), required=False)
    words = forms.CharField(
        label=_("Ce que lit le professionnel"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    delay = forms.IntegerField(
        label=_("Appeler en moins de, en minutes"), required=False, min_value=0, max_value=1440,
        help_text=_("Si cette règle doit faire appeler plus tôt que son niveau. Vide : le délai du niveau."),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )  # fmt: skip
    active = forms.BooleanField(label=_("Appliquer cette règle"), required=False)

    def __init__(self, rule: dict[str, Any], data: Any = None) -> None:
        super().__init__(data, initial={"active": True, **rule})
        levels = [(one, LEVELS[one].word) for one in ("rouge", "rouge-psy", "orange", "orange-psy")]
        none = [("", _("Sans couleur"))] if rule["effect"] else []
        level = cast(forms.ChoiceField, self.fields["level"])
        level.choices, level.required = [*levels, *none], not rule["effect"]

    def clean_delay(self) -> int:
        return self.cleaned_data["delay"] or 0


class PublishForm(Form):
    """The name of a version and why it is published."""

    version = forms.CharField(
        label=_("Nom de la version"), max_length=20, help_text=_("Par exemple 1.1.0, ou 1.1.0-nord."),
        widget=forms.TextInput(attrs={"class": "input-short", "autocomplete": "off"}),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Motif"), max_length=300, widget=CountedTextarea(attrs={"rows": 3}),
        help_text=_("Pourquoi cette version, en une phrase. Pas de nom de patient."),
    )  # fmt: skip
