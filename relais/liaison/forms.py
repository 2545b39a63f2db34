"""Forms of liaison: read and checked here, decided in actions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.errors import Refused
from relais.core.forms import BirthDateField, CountedTextarea, DateInput, Form, RadioCards, TimeInput
from relais.core.paris import PARIS, to_utc
from relais.liaison import delays
from relais.liaison.models import CareLevel, Code, Departure, Told

# Hours until the next evaluation (domain.md §3.3: H+4, H+12, J+1…).
REVIEWS = [
    ("", _("Choisir")), ("0", _("Aucune")), ("1", _("Dans 1 heure")), ("2", _("Dans 2 heures")), ("4", _("Dans 4 heures")),
    ("12", _("Dans 12 heures")), ("24", _("Demain à la même heure")), ("48", _("Dans 2 jours")), ("72", _("Dans 3 jours")),
    ("168", _("Dans 7 jours")),
]  # fmt: skip


class DecisionForm(Form):
    """The opinion of the doctor on call."""

    code = forms.ChoiceField(label=_("Décision"), choices=[("", _("Choisir")), *Code.choices])
    care_level = forms.ChoiceField(label=_("Niveau de soins"), choices=[("", _("Choisir")), *CareLevel.choices])
    justification = forms.CharField(
        label=_("Pourquoi"), max_length=3000, widget=CountedTextarea(attrs={"rows": 3}),
        help_text=_("La décision figure au dossier avec ses raisons."),
    )  # fmt: skip
    plan = forms.CharField(
        label=_("Prescription et consignes de surveillance"), max_length=3000, required=False,
        widget=CountedTextarea(attrs={"rows": 3}),
    )  # fmt: skip
    family = forms.ChoiceField(label=_("Famille prévenue"), choices=[("", _("Choisir")), *Told.choices])
    review = forms.ChoiceField(
        label=_("Prochaine évaluation"), choices=REVIEWS,
        help_text=_("« Aucune » n’est pas possible si le résident doit partir (hôpital, HAD, consultation)."),
    )  # fmt: skip

    def __init__(self, *args: Any, died: bool, **kwargs: Any) -> None:
        """`died`: their death is noted, and may be what was decided."""
        super().__init__(*args, **kwargs)
        code: Any = self.fields["code"]
        if not died:
            code.choices = [one for one in code.choices if one[0] != Code.DEATH]

    def propose_hour(self) -> None:
        """In place of none: the form that comes back has it chosen."""
        hours = str(delays.THERE // timedelta(hours=1))
        self.data = {**{name: self.data[name] for name in self.data}, "review": hours}

    def review_at(self, now: datetime) -> datetime | None:
        """The moment that was chosen, from now."""
        chosen = int(self.cleaned_data["review"])
        if not chosen:
            return None
        days, hours = divmod(chosen, 24)
        if hours:
            return now + timedelta(hours=chosen)
        return (now.astimezone(PARIS) + timedelta(days=days)).astimezone(UTC)  # the same hour on the wall


class WhenForm(Form):
    """When a resident left or died, and how."""

    day = forms.DateField(label=_("Jour"), widget=DateInput)
    hour = forms.TimeField(label=_("Heure"), widget=TimeInput)
    why = forms.CharField(label=_("Raison, circonstances"), max_length=300, widget=CountedTextarea(attrs={"rows": 2}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"day", "hour"} <= set(cleaned):
            try:
                self.at()
            except Refused as refused:
                self.add_error("hour", refused.message)
        return cleaned

    def at(self) -> datetime:
        """The moment. Raises Refused for an hour that does not exist."""
        return to_utc(self.cleaned_data["day"], self.cleaned_data["hour"])


class LeavingForm(WhenForm):
    """Where a resident went."""

    kind = forms.ChoiceField(
        label=_("Où est parti le résident ?"),
        choices=[one for one in Departure.Kind.choices if one[0] != Departure.Kind.DIED],
        widget=RadioCards(
            hints={
                "home": _("La demande continue là-bas, avec le même médecin."),
                "elsewhere": _(
                    "Domicile, autre région : la personne quitte votre liste. Pour l’hôpital, préparez plutôt un "
                    "transfert : elle y reste."
                ),
            },
        ),
    )  # fmt: skip
    place = forms.CharField(
        label=_("Lieu"), max_length=160, help_text=_("Nom ou ville de l’EHPAD, ou lieu du départ."),
        error_messages={"required": _("Indiquez où est parti le résident.")},
    )  # fmt: skip
    field_order = ("kind", "place", "day", "hour", "why")


class DeathForm(WhenForm):
    """Where and when a resident died."""

    in_hospital = forms.BooleanField(label=_("Le décès a eu lieu à l’hôpital"), required=False)
    field_order = ("day", "hour", "in_hospital", "why")


class AskForForm(Form):
    """Which nursing home telephoned, and about whom."""

    home_name = forms.CharField(label=_("EHPAD qui appelle"), max_length=100, help_text=_("Nom ou ville."))
    family_name = forms.CharField(label=_("Nom de naissance ou nom utilisé"), max_length=100)
    given_name = forms.CharField(label=_("Prénom"), max_length=100, required=False)
    birth_date = BirthDateField(label=_("Date de naissance"))
