"""Forms of liaison: read and checked here, decided in actions."""

from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.forms import CountedTextarea, Form
from relais.liaison.models import CareLevel, Code, Told

# Hours until the next evaluation (domain.md §3.3: H+4, H+12, J+1…).
REVIEWS = [
    ("", _("Aucune")), ("1", _("Dans 1 heure")), ("2", _("Dans 2 heures")), ("4", _("Dans 4 heures")),
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
    review = forms.ChoiceField(label=_("Prochaine évaluation"), choices=REVIEWS, required=False)

    def review_at(self, now: datetime) -> datetime | None:
        """The moment that was chosen, from now."""
        hours = self.cleaned_data["review"]
        return now + timedelta(hours=int(hours)) if hours else None
