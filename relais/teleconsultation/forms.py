"""Forms of teleconsultation: read and checked here, decided in actions."""

import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from relais.core.errors import Refused
from relais.core.forms import BirthDateField, CountedTextarea, DateInput, Form, RadioCards, TelInput, TimeInput
from relais.core.paris import to_utc
from relais.core.reading import read_number
from relais.patients.contact import clean_email, clean_phone
from relais.patients.identity import clean_matricule
from relais.patients.models import Holder, Sex
from relais.teleconsultation.actions.booking import CANCEL_REASONS
from relais.teleconsultation.models import Reason

REASON_HINTS: dict[str, Any] = {
    Reason.CONSULTATION: _("Suivi ordinaire."),
    Reason.COVID_19: _("Les messages au patient sont adaptés au contexte épidémique."),
}
SCHEMES = [
    "",
    "Régime général",
    "Régime agricole (MSA)",
    "Indépendants",
    "Régime spécial",
    "Aide médicale de l’État",
    "Autre",
]


class WhenMixin(Form):
    """A day, an hour and a duration typed freely."""

    date = forms.DateField(label=_("Jour"), widget=DateInput, required=False)
    time = forms.TimeField(label=_("Heure"), widget=TimeInput, required=False)
    minutes = forms.IntegerField(label=_("Durée (minutes)"), min_value=5, max_value=120, initial=20, required=False)

    def moment(self, cleaned: dict[str, Any]) -> datetime | None:
        """The instant of `date` and `time` in Paris, or None with an error beside what is missing."""
        if not cleaned.get("date"):
            self.add_error("date", _("Choisissez un créneau, ou indiquez le jour et l’heure."))
            return None
        if not cleaned.get("time"):
            self.add_error("time", _("Indiquez l’heure du rendez-vous."))
            return None
        try:
            return to_utc(cleaned["date"], cleaned["time"])
        except Refused as refused:
            self.refuse(refused)
            return None


class ContactMixin(Form):
    """Where the link goes: both are asked; one at least must be right (TC-17, TC-18)."""

    email = forms.CharField(
        label=_("Adresse e-mail"),
        required=False,
        widget=forms.EmailInput,
        max_length=254,
        help_text=_("Celle du patient, de la famille ou de l’établissement."),
    )
    phone = forms.CharField(
        label=_("Téléphone mobile"),
        required=False,
        widget=TelInput,
        max_length=25,
    )

    def clean_email(self) -> str:
        return _checked(clean_email, self.cleaned_data["email"])

    def clean_phone(self) -> str:
        return _checked(clean_phone, self.cleaned_data["phone"])


def _checked(check: Any, text: str) -> str:
    try:
        return check(text) if text.strip() else ""
    except Refused as refused:
        raise forms.ValidationError(refused.message) from None


class BookingForm(WhenMixin, ContactMixin):
    """Everything of a booking on one page: when, why, who, where to write, and the consent (TC-12 … TC-18)."""

    practitioner = forms.UUIDField(label=_("Praticien"))
    slot = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=_("Motif"), choices=Reason.choices, widget=RadioCards(hints=REASON_HINTS))
    patient = forms.UUIDField(required=False, widget=forms.HiddenInput)
    origin = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)  # the dossier that one comes from
    family_name = forms.CharField(label=_("Nom"), max_length=100, error_messages={"required": _("Indiquez le nom.")})
    given_name = forms.CharField(
        label=_("Prénom"), max_length=100, error_messages={"required": _("Indiquez le prénom.")}
    )
    birth_date = BirthDateField(label=_("Date de naissance"), required=False)
    sex = forms.ChoiceField(label=_("Sexe"), choices=[("", "—"), *Sex.choices], required=False)
    insurance_scheme = forms.ChoiceField(
        label=_("Régime d’assurance maladie"), choices=[(one, one or "—") for one in SCHEMES], required=False
    )
    social_security_number = forms.CharField(label=_("Numéro de sécurité sociale"), max_length=21, required=False)
    holder = forms.ChoiceField(label=_("Qui recevra le lien ?"), choices=Holder.choices, initial=Holder.SELF)
    holder_name = forms.CharField(
        label=_("Nom de cette personne"),
        max_length=200,
        required=False,
        help_text=_("Si ce n’est pas le patient : parent, tuteur, proche ou soignant."),
    )
    consent = forms.BooleanField(
        label=_("Le patient, ou sa famille, a donné son accord pour cette téléconsultation"), required=False
    )
    consent_by = forms.CharField(label=_("Accord donné par"), max_length=200, required=False)
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("family_name", "given_name"):  # of a patient already known, nothing is typed
            self.fields[name].required = not self["patient"].value()

    def clean_social_security_number(self) -> str:
        return _checked(
            partial(clean_matricule, field="social_security_number"), self.cleaned_data["social_security_number"]
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._clean_when(cleaned)
        if not cleaned.get("email") and not cleaned.get("phone") and not {"email", "phone"} & set(self.errors):
            self.add_error("email", _("Indiquez une adresse e-mail ou un téléphone : le patient y reçoit son lien."))
        if cleaned.get("holder") != Holder.SELF and not cleaned.get("holder_name", "").strip():
            self.add_error("holder_name", _("Indiquez qui recevra le lien : le nom figure sur les pages du patient."))
        return cleaned

    def _clean_when(self, cleaned: dict[str, Any]) -> None:
        """A slot of the grid («start~minutes») wins over the free entry."""
        start, _tilde, minutes = cleaned.get("slot", "").partition("~")
        try:
            moment = parse_datetime(start) if start else None
        except ValueError:
            moment = None
        length = read_number(minutes, most=1440)
        if moment and moment.tzinfo and length is not None:
            cleaned["starts_at"], cleaned["minutes"] = moment, length
        else:
            cleaned["starts_at"] = self.moment(cleaned)
            cleaned["minutes"] = cleaned.get("minutes") or 20


class RescheduleForm(WhenMixin):
    """A new day and hour."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["starts_at"] = self.moment(cleaned)
        cleaned["minutes"] = cleaned.get("minutes") or 20
        return cleaned


class ContactForm(ContactMixin):
    """A corrected address or number."""


class AbsenceForm(Form):
    """Days off, from a day to another, both included."""

    first = forms.DateField(label=_("Du"), widget=DateInput)
    last = forms.DateField(label=_("Au"), widget=DateInput)
    label = forms.CharField(label=_("Motif"), max_length=100, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        year, today = timedelta(days=366), timezone.localdate()
        for name in ("first", "last"):
            if cleaned.get(name) and not today - year <= cleaned[name] <= today + 3 * year:
                self.add_error(
                    name, _("Une absence se note d’un an avant à trois ans après ce jour : vérifiez l’année.")
                )
        if cleaned.get("first") and cleaned.get("last") and cleaned["last"] < cleaned["first"]:
            self.add_error("last", _("La fin vient avant le début."))
        return cleaned


class OpeningForm(Form):
    """Weekly hours."""

    DAYS = [
        (0, _("Lundi")),
        (1, _("Mardi")),
        (2, _("Mercredi")),
        (3, _("Jeudi")),
        (4, _("Vendredi")),
        (5, _("Samedi")),
        (6, _("Dimanche")),
    ]

    weekday = forms.TypedChoiceField(label=_("Jour"), choices=DAYS, coerce=int)
    starts = forms.TimeField(label=_("De"), widget=TimeInput)
    ends = forms.TimeField(label=_("À"), widget=TimeInput)
    minutes = forms.IntegerField(label=_("Durée d’un créneau (minutes)"), min_value=5, max_value=120, initial=20)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("starts") and cleaned.get("ends") and cleaned["ends"] <= cleaned["starts"]:
            self.add_error("ends", _("La fin vient avant le début."))
        return cleaned


class CancelForm(Form):
    """Why an appointment is cancelled: a choice, since the words go to the patient by e-mail and SMS (no health data)."""

    why = forms.ChoiceField(label=_("Motif, transmis au patient"), choices=[(one, one) for one in CANCEL_REASONS])


class NoteForm(Form):
    """A note for professionals."""

    text = forms.CharField(label=_("Note pour les professionnels"), max_length=5000, widget=CountedTextarea)


class AddendumForm(Form):
    """A dated complement, once the dossier is closed."""

    text = forms.CharField(label=_("Complément au dossier clôturé"), max_length=5000, widget=CountedTextarea)


class GuestForm(ContactMixin):
    """A third person in the call."""

    name = forms.CharField(label=_("Nom et lien avec le patient"), max_length=200, help_text=_("Anne Petit, sa fille."))

    field_order = ["name", "phone", "email"]
