"""What one types to be helped."""

from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.forms import CountedTextarea, Form, RadioCards, TelInput
from relais.portal.models import Ticket
from relais.portal.queries import NOWHERE, Place, place_of, support

NO_HEALTH = _("N’écrivez pas d’information médicale ni le nom d’un patient : le support n’en a pas besoin.")


class PhoneField(forms.CharField):
    """A telephone number, French when it names no country; kept as +33…"""

    widget = TelInput(attrs={"autocomplete": "tel"})

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            number = phonenumbers.parse(text, "FR")
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise forms.ValidationError(_("Saisissez un numéro comme 06 39 98 12 34 ou +33 6 39 98 12 34."))
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _offer(field: forms.Field, choices: list[tuple[Any, Any]]) -> None:
    """The services depend on the settings, so a form asks for them when it is made."""
    if isinstance(field, forms.ChoiceField):
        field.choices = choices


class AskForm(Form):
    """A request from a professional, or from somebody who is not signed in."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    page = forms.CharField(widget=forms.HiddenInput, required=False, max_length=500)
    service = forms.ChoiceField(label=_("Service concerné"))
    subject = forms.CharField(label=_("Objet"), max_length=Ticket._meta.get_field("subject").max_length)
    text = forms.CharField(
        label=_("Votre question"),
        max_length=Ticket._meta.get_field("text").max_length,
        widget=CountedTextarea(attrs={"rows": 6}),
        help_text=NO_HEALTH,
    )
    name = forms.CharField(
        label=_("Votre nom"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("Adresse e-mail"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = PhoneField(label=_("Téléphone"), required=False)
    attach = forms.BooleanField(
        label=_("Joindre l’adresse exacte de la page"),
        required=False,
        help_text=_("Elle peut désigner le dossier d’un patient : ne la joignez que si le support en a besoin."),
    )

    def __init__(self, *args: Any, named: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["service"], [(name, name) for name in support().mailboxes])
        if named:  # the account says who it is
            del self.fields["name"]
        if not self.place.has_ids:
            del self.fields["attach"]

    @property
    def place(self) -> Place:
        """The page from which help is asked."""
        path = self.data.get("page", "") if self.is_bound else self.initial.get("page", "")
        return place_of(path) if path else NOWHERE

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not found.get("email") and not found.get("phone") and not {"email", "phone"} & set(self.errors):
            self.add_error("email", _("Indiquez une adresse e-mail ou un numéro de téléphone pour vous répondre."))
        return found

    def request(self) -> dict[str, Any]:
        """The keyword arguments of `actions.ask` that this form fills."""
        data = dict(self.cleaned_data)
        attach = data.pop("attach", False)
        data["page"] = self.place.path if attach else self.place.shown
        return data


class PatientAskForm(AskForm):
    """The same for a patient: what happens is chosen rather than written, the service is known."""

    SUBJECTS = [
        (_("Je n’arrive pas à entrer dans mon espace"), _("Je n’arrive pas à entrer dans mon espace")),
        (_("La caméra, le micro ou le son ne marche pas"), _("La caméra, le micro ou le son ne marche pas")),
        (_("La vidéo se coupe ou ne démarre pas"), _("La vidéo se coupe ou ne démarre pas")),
        (_("Je ne trouve pas un document"), _("Je ne trouve pas un document")),
        (_("Autre chose"), _("Autre chose")),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["subject"] = forms.ChoiceField(
            label=_("Que se passe-t-il ?"), choices=self.SUBJECTS, widget=RadioCards
        )
        self.order_fields(["subject", "text", "phone", "email", "name"])
        del self.fields["service"]
        self.fields["text"].label = _("Expliquez en quelques mots")
        self.fields["text"].help_text = _("N’écrivez rien sur votre santé : le support n’en a pas besoin.")
        self.fields.pop("attach", None)

    def request(self) -> dict[str, Any]:
        return {**super().request(), "service": next(iter(support().mailboxes), "")}


class WriteForm(Form):
    """A message in a request."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Votre message"),
        max_length=4000,
        widget=CountedTextarea(attrs={"rows": 5}),
        help_text=NO_HEALTH,
    )


class FollowForm(Form):
    """The number that one kept, and what proves that it is one's own."""

    number = forms.CharField(
        label=_("Numéro de la demande"),
        max_length=20,
        widget=forms.TextInput(attrs={"placeholder": "AIDE-7KQ4-M2XD", "autocomplete": "off", "spellcheck": "false"}),
    )
    contact = forms.CharField(
        label=_("Adresse e-mail ou téléphone de la demande"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "email"}),
    )


class DeskFilter(Form):
    """The filters of the agents' list."""

    state = forms.ChoiceField(
        label=_("État"),
        required=False,
        choices=[
            ("open", _("À traiter")),
            ("answered", _("Répondues")),
            ("closed", _("Résolues")),
            ("all", _("Toutes")),
        ],
    )
    service = forms.ChoiceField(label=_("Service"), required=False)
    q = forms.CharField(label=_("Numéro ou objet"), required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["service"], [("", _("Tous")), *((name, name) for name in support().mailboxes)])
