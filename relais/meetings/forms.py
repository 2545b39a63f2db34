"""Forms of meetings: read and checked here, decided in actions."""

import re
import uuid
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from relais.core.errors import Refused
from relais.core.forms import DateInput, Form, TimeInput
from relais.core.paris import to_utc
from relais.rooms.models import MESH_MAX

SEPARATORS = re.compile(r"[\s,;]+")


class InviteForm(Form):
    """Whom to tell."""

    emails = forms.CharField(
        label=_("Adresses e-mail des professionnels invités"), max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": _("Écrivez au moins une adresse.")},
        help_text=_("Une par ligne. Chacun reçoit l’heure, un lien et le fichier d’agenda ; le message ne dit pas l’objet."),
    )  # fmt: skip

    def clean_emails(self) -> tuple[str, ...]:
        found = tuple(word for word in SEPARATORS.split(self.cleaned_data["emails"]) if word)
        address = forms.EmailField(max_length=254)
        for email in found:
            try:
                address.clean(email)
            except forms.ValidationError:
                raise forms.ValidationError(_("« %s » n’est pas une adresse e-mail.") % email) from None
        if self.fields["emails"].required and not found:  # a comma alone
            raise forms.ValidationError(_("Écrivez au moins une adresse."))
        return found


class MeetingForm(InviteForm):
    """A meeting, now or at an hour. Nothing asks for a patient."""

    field_order = ("title", "date", "time", "minutes", "max_people", "emails")
    title = forms.CharField(
        label=_("Objet"), max_length=120,
        help_text=_("N’écrivez aucun nom de patient dans l’objet : une réunion n’a pas de dossier, et tous les invités le lisent."),
    )  # fmt: skip
    date = forms.DateField(label=_("Jour"), widget=DateInput, required=False)
    time = forms.TimeField(label=_("Heure"), widget=TimeInput, required=False)
    minutes = forms.IntegerField(label=_("Durée (minutes)"), min_value=10, max_value=480, initial=30)
    max_people = forms.TypedChoiceField(label=_("Combien de personnes ?"), coerce=int, widget=forms.RadioSelect)
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["emails"].required = False
        most = settings.ENV["SFU_MAX_PEOPLE"]
        sizes = [(MESH_MAX, _("Jusqu’à %s : l’image va directement de l’un à l’autre") % MESH_MAX)]
        if most > MESH_MAX:
            sizes.append((most, _("Jusqu’à %s : par un relais, qui ne peut pas lire les images") % most))
        asked = cast(forms.ChoiceField, self.fields["max_people"])
        asked.choices, asked.initial = sizes, MESH_MAX

    def clean(self) -> dict[str, Any]:
        """With `starts_at`: the instant, or None for now."""
        cleaned = super().clean() or self.cleaned_data
        day, clock = cleaned.get("date"), cleaned.get("time")
        cleaned["starts_at"] = None
        if {"date", "time"} & set(self.errors):
            return cleaned
        if day and clock:
            try:
                cleaned["starts_at"] = to_utc(day, clock)
            except Refused as refused:
                self.refuse(refused)
        elif day:
            self.add_error("time", _("Indiquez l’heure de la réunion."))
        elif clock:
            self.add_error("date", _("Indiquez le jour de la réunion."))
        return cleaned


class GuestForm(Form):
    """What somebody without an account says at the door; the secret of the link comes by a script."""

    name = forms.CharField(
        label=_("Votre nom et votre fonction"), max_length=80,
        help_text=_("Par exemple : Anne Vasseur, gériatre. Les autres personnes le verront avec la mention « non authentifié »."),
    )  # fmt: skip
    secret = forms.CharField(max_length=60, required=False, widget=forms.HiddenInput)
