"""Forms of sign-in, profile and members."""

from typing import Any

import phonenumbers
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import AddWebAuthnForm as AllauthAddWebAuthnForm
from django import forms
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from relais.accounts.actions import attempts
from relais.accounts.actions.sessions import trace_failure
from relais.accounts.models import Role
from relais.core.errors import Refused
from relais.core.forms import CodeInput, Form, RadioCards, TelInput
from relais.directory.identifiers import check_rpps

NO_MOBILE = gettext_lazy("Saisissez un numéro de mobile, comme 06 39 98 12 34.")
PASSWORD_HINT = gettext_lazy("12 caractères au moins. Une phrase de quelques mots se retient mieux.")


class LoginForm(AllauthLoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["login"].label = _("Adresse e-mail professionnelle")
        self.fields["login"].widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
        self.fields["password"].label = _("Mot de passe")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}


class ReauthenticateForm(AllauthReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["password"].label = _("Mot de passe")
        self.fields["password"].widget.attrs = {"autocomplete": "current-password", "autofocus": True}


class ChangePasswordForm(AllauthChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        labels = {
            "oldpassword": _("Mot de passe actuel"),
            "password1": _("Nouveau mot de passe"),
            "password2": _("Nouveau mot de passe, une seconde fois"),
        }
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].help_text = PASSWORD_HINT if name == "password1" else ""
            self.fields[name].widget.attrs = {
                "autocomplete": "current-password" if name == "oldpassword" else "new-password"
            }

    def clean_oldpassword(self) -> str:
        who = (attempts.ACCOUNT, self.user.email)
        _begin(who)
        password: str = super().clean_oldpassword()
        attempts.succeeded(who)
        return password


class AuthenticateForm(AllauthAuthenticateForm):
    """A code of the authenticator application, or a recovery code; behind the growing lock-out of the account.

    A code of the application serves once, whichever process sees it again: the time step it belongs to is kept.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        field = self.fields["code"]
        field.label = _("Code de l’application, ou code de secours")
        field.widget = CodeInput(attrs={"autofocus": True}, length=8)

    def clean_code(self) -> str:
        self.cleaned_data["code"] = "".join(self.cleaned_data["code"].split())
        who = (attempts.FACTOR, str(self.user.pk))
        _begin(who)
        try:
            code: str = super().clean_code()
            use_step(self.authenticator, code)
        except forms.ValidationError:
            trace_failure(self.user, "factor")
            raise
        attempts.succeeded(who)
        return code


class ActivateTOTPForm(AllauthActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["code"].label = _("Code à 6 chiffres affiché par l’application")
        self.fields["code"].widget = CodeInput()


class AddWebAuthnForm(AllauthAddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        del self.fields["passwordless"]  # ours always check the person, so each may open a session alone
        self.fields["name"].label = _("Nom de cette clé")
        self.fields["name"].help_text = _("Pour la reconnaître : « Ordinateur du bureau », « Mon téléphone ».")
        self.fields["name"].max_length = 60


class CodeForm(Form):
    """A 6-digit code received by e-mail or SMS."""

    code = forms.CharField(
        label=gettext_lazy("Code à 6 chiffres"), max_length=8, widget=CodeInput(attrs={"autofocus": True})
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class AskPasswordForm(Form):
    email = forms.EmailField(
        label=gettext_lazy("Adresse e-mail professionnelle"),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class ChoosePasswordForm(Form):
    """`token` is filled in from the link's fragment by choose_password.js; without JavaScript it is pasted."""

    token = forms.CharField(
        label=gettext_lazy("Code du lien"),
        help_text=gettext_lazy("Ce qui suit le signe # dans l’adresse du lien reçu."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-from-fragment": ""}),
    )
    password1 = forms.CharField(
        label=gettext_lazy("Nouveau mot de passe"),
        help_text=PASSWORD_HINT,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=gettext_lazy("Le même, une seconde fois"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("password1") and data.get("password2") and data["password1"] != data["password2"]:
            self.add_error("password2", _("Les deux mots de passe sont différents."))
        return data


class MobileForm(Form):
    mobile = forms.CharField(
        label=gettext_lazy("Numéro de mobile"), max_length=25, widget=TelInput(attrs={"autocomplete": "tel"})
    )

    def clean_mobile(self) -> str:
        return mobile_number(self.cleaned_data["mobile"])


ROLE_HINTS = {
    Role.PRACTITIONER: gettext_lazy("Consulte, rédige, prescrit."),
    Role.CAREGIVER: gettext_lazy("Prend les rendez-vous, accompagne, dépose des documents."),
    Role.SECRETARY: gettext_lazy("Prend les rendez-vous. Ne voit aucun contenu médical."),
    Role.MANAGER: gettext_lazy("Gère les membres de l’établissement."),
}


class InviteForm(Form):
    """Someone who has an account (address or RPPS is enough), or someone new (names and address)."""

    email = forms.EmailField(label=gettext_lazy("Adresse e-mail professionnelle"), required=False, max_length=254)
    rpps = forms.CharField(label=gettext_lazy("Numéro RPPS"), required=False, max_length=14)
    given_name = forms.CharField(label=gettext_lazy("Prénom"), required=False, max_length=100)
    family_name = forms.CharField(label=gettext_lazy("Nom"), required=False, max_length=100)
    role = forms.ChoiceField(
        label=gettext_lazy("Rôle dans l’établissement"),
        choices=Role.choices,
        widget=RadioCards(hints={role.value: hint for role, hint in ROLE_HINTS.items()}),
    )

    def clean_rpps(self) -> str:
        typed = self.cleaned_data["rpps"].strip()
        try:
            return check_rpps(typed) if typed else ""
        except Refused as refused:
            raise forms.ValidationError(refused.message) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and not (data["email"] or data["rpps"]):
            self.add_error("email", _("Indiquez une adresse e-mail ou un numéro RPPS."))
        return data


def use_step(authenticator: Authenticator, code: str) -> None:
    """Note the time step of an application's code. Raises ValidationError when it, or a later one, served already."""
    if authenticator.type != Authenticator.Type.TOTP:
        return
    with transaction.atomic():
        row = Authenticator.objects.select_for_update(of=("self",)).get(pk=authenticator.pk)
        secret = decrypt(row.data["secret"])
        right = [
            step for step in yield_hotp_counters_from_time() if format_hotp_value(hotp_value(secret, step)) == code
        ]
        if not right or max(right) <= row.data.get("step", 0):
            raise forms.ValidationError(_("Ce code a déjà servi. Attendez le suivant."))
        row.data["step"] = max(right)
        row.save(update_fields=["data"])


def _begin(who: tuple[str, str]) -> None:
    """attempts.begin, told as forms tell it."""
    try:
        attempts.begin(who)
    except Refused as refused:
        raise forms.ValidationError(refused.message) from None


MOBILE_KINDS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
FICTION = "+3363998"  # kept by the regulator for invented people, so no library knows it


def mobile_number(text: str) -> str:
    """A mobile number in E.164. Raises ValidationError for what is none."""
    try:
        number = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        raise forms.ValidationError(NO_MOBILE) from None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    invented = e164.startswith(FICTION) and phonenumbers.is_possible_number(number)
    if not invented and phonenumbers.number_type(number) not in MOBILE_KINDS:
        raise forms.ValidationError(NO_MOBILE)
    return e164
