"""Forms of tele-expertise: read and checked here, decided in actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.forms import CountedTextarea, Form, RadioCards
from relais.expertise.models import Form as Questionnaire
from relais.expertise.models import Recourse, Refusal

HINTS: dict[str, Any] = {
    Questionnaire.GENERAL: _("Pour toute question à un spécialiste."),
    Questionnaire.COVID: _("Ajoute le statut, les signes de gravité, l’oxygène disponible et le niveau de soins."),
}


class StartForm(Form):
    """Which questionnaire (TE-04)."""

    form = forms.ChoiceField(
        label=_("Formulaire"), choices=Questionnaire.choices, initial=Questionnaire.GENERAL,
        widget=RadioCards(hints=HINTS),
    )  # fmt: skip
    request_key = forms.UUIDField(widget=forms.HiddenInput)


class NoteForm(Form):
    """A note of the thread."""

    text = forms.CharField(label=_("Note aux professionnels du dossier"), max_length=5000, widget=CountedTextarea)


class RefusalForm(Form):
    """Why a request is refused."""

    reason = forms.ChoiceField(
        label=_("Motif du refus"), choices=[("", _("Choisissez un motif")), *Refusal.choices]
    )  # fmt: skip
    note = forms.CharField(label=_("Précision, lue par le requérant"), max_length=300, required=False)


class CloseForm(Form):
    """What became of the recourse to hospital (TE-03)."""

    recourse = forms.ChoiceField(label=_("Recours à l’hôpital"), choices=Recourse.choices, widget=RadioCards(hints={}))


class CorrectionForm(Form):
    """Why an opinion that was signed is signed anew."""

    why = forms.CharField(
        label=_("Ce qui change, et pourquoi"), max_length=300, widget=CountedTextarea,
        help_text=_("Le requérant le lit, et l’avis corrigé le porte."),
    )  # fmt: skip


class WordingForm(Form):
    """A recommended text of a service."""

    title = forms.CharField(label=_("Titre"), max_length=80)
    conclusion = forms.CharField(label=_("Conclusion"), max_length=3000, required=False, widget=CountedTextarea)
    conduct = forms.CharField(label=_("Conduite à tenir"), max_length=3000, required=False, widget=CountedTextarea)
