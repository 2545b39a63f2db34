"""The living style page: every component with invented data, in the shell asked for. Routed in demo mode alone."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from relais.core import forms
from relais.core.access import public


@dataclass(frozen=True)
class Someone:
    """What `patient_identity` asks of a patient."""

    family_name: str
    given_name: str
    birth_date: datetime.date | None
    sex: str


@dataclass(frozen=True)
class Row:
    """A line of the dashboard."""

    patient: Someone
    starts_at: datetime.datetime
    reason: str
    presence: tuple[str, str]
    test: tuple[str, str]
    documents: int
    mark: str = ""


class KitForm(forms.Form):
    """One field of each kind."""

    family_name = django_forms.CharField(label="Nom de naissance", max_length=80)
    birth_date = forms.BirthDateField(label="Date de naissance", help_text="Par exemple 03/02/1954.")
    email = django_forms.EmailField(label="Adresse e-mail", required=False, help_text="Le lien y est envoyé.")
    phone = django_forms.CharField(label="Téléphone mobile", widget=forms.TelInput(attrs={"autocomplete": "off"}))
    day = django_forms.DateField(label="Jour du rendez-vous", widget=forms.DateInput())
    hour = django_forms.TimeField(label="Heure", widget=forms.TimeInput())
    reason = django_forms.ChoiceField(
        label="Motif",
        choices=[("CONSULTATION", "Consultation"), ("COVID_19", "COVID_19")],
        widget=forms.RadioCards(
            hints={"CONSULTATION": "Suivi habituel.", "COVID_19": "Les messages rappellent les gestes d’hygiène."},
            icons={"CONSULTATION": "stethoscope", "COVID_19": "virus"},
        ),
    )
    practitioner = django_forms.ChoiceField(label="Praticien", choices=[("", "Choisir"), ("1", "Dr Claire Roussel")])
    note = django_forms.CharField(
        label="Message au patient", required=False, max_length=500, widget=forms.CountedTextarea()
    )
    photo = django_forms.FileField(
        label="Document", required=False, widget=forms.FileInput(), help_text="PDF ou photo, 50 Mo au plus."
    )
    consent = django_forms.BooleanField(label="La famille a donné son accord, recueilli par téléphone.")
    code = django_forms.CharField(label="Code reçu", widget=forms.CodeInput(), help_text="Six chiffres, 5 minutes.")


@public
def kit(request: HttpRequest) -> HttpResponse:
    """Every component; `?shell=patient`, `public` or `call` shows another shell, `?form=errors` a refused form."""
    shell = request.GET.get("shell", "base")
    if request.GET.get("messages"):
        messages.success(request, "Le rendez-vous de 14:30 est réservé. Le lien part par e-mail et par SMS.")
        messages.error(request, "Ce créneau vient d’être pris. Choisissez-en un autre : votre saisie est gardée.")
    data = {"family_name": "", "birth_date": "31/02/2054", "email": "jeanne@", "phone": "01 99 00 12 34"}
    form = KitForm(data) if request.GET.get("form") == "errors" else KitForm(initial={"reason": "CONSULTATION"})
    template = "core/kit_call.html" if shell == "call" else "core/kit.html"
    return render(request, template, _content(shell) | {"form": form, "shell_template": f"core/{shell}.html"})


def _content(shell: str) -> dict[str, Any]:
    now = timezone.now()
    jeanne = Someone("Moreau", "Jeanne", datetime.date(1941, 3, 12), "F")
    jean = Someone("Moreau", "Jean", datetime.date(1941, 3, 21), "M")
    lina = Someone("Benali-Lefèvre", "Lina", datetime.date(2025, 8, 2), "F")
    minutes = datetime.timedelta(minutes=1)
    return {
        "is_patient": shell == "patient",
        "jeanne": jeanne,
        "now": now,
        "soon": now + 12 * minutes,
        "earlier": now - 47 * minutes,
        "last_week": now - datetime.timedelta(days=8),
        "rows": [
            Row(jean, now - 25 * minutes, "Consultation", ("none", "Pas connecté"), ("none", "Non testé"), 0, "is-late"),
            Row(jeanne, now + 4 * minutes, "Consultation", ("ok", "En salle d’attente"), ("ok", "Test réussi"), 3, "is-present"),
            Row(lina, now + 95 * minutes, "COVID_19", ("none", "Pas connecté"), ("danger", "Caméra refusée"), 1),
        ],
        "page_of_rows": {"next_url": "?after=kit", "first_url": None},
    }  # fmt: skip
