"""What people type about patients, and what patients type at the door."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from relais.core.forms import BirthDateField, CodeInput, DateInput, Form, RadioCards, TelInput, possible_day
from relais.patients import identity
from relais.patients.actions import Traits
from relais.patients.models import InsAuthority, MistakenDeath, Patient, Sex

OTHERS = {"autocomplete": "off"}  # data of somebody else: the browser proposes nothing


def _text(label: Any, *, required: bool = False, size: int = 100, help_text: Any = "", **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={**OTHERS, "spellcheck": "false", **attrs})
    return forms.CharField(label=label, required=required, max_length=size, widget=widget, help_text=help_text)


class TraitsForm(Form):
    """Traits of a person. Rules are those of the action: what it refuses shows beside its field."""

    birth_family_name = _text(_("Nom de naissance"), required=True)
    birth_given_names = _text(
        _("Prénoms de naissance"),
        required=True,
        size=200,
        help_text=_("Tous, dans l’ordre de la pièce d’identité, séparés par des espaces."),
    )
    used_family_name = _text(_("Nom utilisé"), help_text=_("S’il diffère du nom de naissance."))
    used_given_name = _text(_("Prénom utilisé"))
    birth_date = BirthDateField(label=_("Date de naissance"), required=False)
    sex = forms.ChoiceField(label=_("Sexe"), required=False, choices=[("", _("Non renseigné")), *Sex.choices])
    birth_place = _text(
        _("Lieu de naissance"),
        size=7,
        help_text=_("Code INSEE de la commune, ou 99 et le code du pays."),
        inputmode="text",
    )
    phone = forms.CharField(
        label=_("Téléphone"), required=False, max_length=30, widget=TelInput(attrs=OTHERS),
        help_text=_("Mobile de préférence : les codes de connexion y arrivent par SMS."),
    )  # fmt: skip
    email = forms.CharField(
        label=_("Adresse e-mail"), required=False, max_length=254, widget=forms.EmailInput(attrs=OTHERS)
    )
    social_security_number = _text(
        _("N° de sécurité sociale"), size=25, help_text=_("15 chiffres, clé comprise."), inputmode="text"
    )
    insurance_scheme = _text(_("Régime d’assurance maladie"), size=60)
    document_checked = forms.BooleanField(
        label=_("J’ai vérifié ces traits sur une pièce d’identité (carte, passeport, titre de séjour)"), required=False
    )

    def traits(self) -> Traits:
        return Traits(**{name: self.cleaned_data[name] for name in Traits.__dataclass_fields__})


class NewPatientForm(TraitsForm):
    """A new patient; `request_key` makes of two sendings one patient."""

    ins = _text(_("Matricule INS"), size=25, help_text=_("15 caractères, clé comprise."))
    ins_oid = forms.ChoiceField(
        label=_("Autorité du matricule"), required=False, choices=[("", "—"), *InsAuthority.choices]
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput)
    sure = forms.BooleanField(required=False)  # likely duplicates were shown and none is it


class CorrectForm(TraitsForm):
    """Traits of a patient who exists, with the marks of doubt."""

    marks = forms.MultipleChoiceField(
        label=_("Signaler"), required=False, choices=list(identity.MARKS.items()), widget=forms.CheckboxSelectMultiple,
        help_text=_("Une identité douteuse ou fictive ne peut être ni validée ni qualifiée."),
    )  # fmt: skip

    @classmethod
    def of(cls, patient: Patient) -> "CorrectForm":
        """The form filled in with what is known."""
        initial = {name: getattr(patient, name) for name in Traits.__dataclass_fields__}
        return cls(initial={**initial, "marks": patient.identity_marks})


class DeathForm(Form):
    """The day on which a patient died."""

    day = forms.DateField(label=_("Jour du décès"), widget=DateInput, validators=[possible_day])


class AliveForm(Form):
    """Why a death that was noted is withdrawn."""

    why = forms.ChoiceField(label=_("Que s’est-il passé ?"), choices=MistakenDeath.choices, widget=RadioCards)


class ClaimForm(Form):
    """A patient of another establishment, by exact matricule and birth date."""

    ins = _text(_("Matricule INS"), required=True, size=25)
    ins_oid = forms.ChoiceField(label=_("Autorité du matricule"), choices=InsAuthority.choices)
    birth_date = BirthDateField(label=_("Date de naissance"))


def _secret(label: Any, help_text: Any) -> forms.CharField:
    """Shown while it is typed: a worried person sees the wrong letter. No telephone keeps it."""
    attrs = {"autocomplete": "off", "autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=60, widget=forms.TextInput(attrs=attrs), help_text=help_text)


class EntryForm(Form):
    """Login and password as messages give them; case, spaces and hyphens do not count (TC-34)."""

    login = _secret(_("Identifiant"), _("Dans votre e-mail ou SMS, par exemple k7dm2p4x."))
    password = _secret(_("Mot de passe"), _("Par exemple bak-min-vos-4738. Les tirets ne comptent pas."))
    remember = forms.BooleanField(
        label=_("Se souvenir de cet appareil"), required=False, initial=True,
        help_text=_("Décochez si d’autres personnes l’utilisent."),
    )  # fmt: skip


class CodeForm(Form):
    code = forms.CharField(label=_("Code à 6 chiffres"), max_length=12, widget=CodeInput(attrs={"autofocus": True}))


class LostForm(Form):
    contact = forms.CharField(
        label=_("Votre adresse e-mail ou votre téléphone"), max_length=254,
        help_text=_("Celui qui a reçu le message du rendez-vous."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip
