"""How every form looks and speaks: a renderer that dresses Django's fields, and the few inputs that Django lacks."""

import datetime
import re
from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from relais.core.reading import FIRST, LAST

_TEXT = {"text", "email", "tel", "number", "url", "password", "date", "time", "datetime-local", "search", "file"}
_INPUT_ATTRS: dict[str, dict[str, str]] = {
    "email": {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"},
    "tel": {"inputmode": "tel"},
}


class Renderer(TemplatesSetting):
    """Our templates for forms (Django's for widgets); classes are put on here, never per form."""

    form_template_name = "core/forms/form.html"
    field_template_name = "core/forms/field.html"

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if "widget" in context:
            dress(context["widget"])
        return super().render(template_name, context, request)


def dress(widget: dict[str, Any]) -> None:
    """Put on a widget's context the classes and attributes that its kind has everywhere."""
    attrs, kind = widget["attrs"], widget.get("type")
    if kind in _TEXT or widget["template_name"].endswith("textarea.html"):
        _add_class(attrs, "form-control")
    elif widget["template_name"].endswith("/select.html"):
        _add_class(attrs, "form-select")
    elif "optgroups" in widget:
        _add_class(attrs, "choices")
        for _group, options, _index in widget["optgroups"]:
            for option in options:
                _add_class(option["attrs"], "form-check-input")
    elif kind == "checkbox":
        _add_class(attrs, "form-check-input")
    for name, value in _INPUT_ATTRS.get(kind or "", {}).items():
        attrs.setdefault(name, value)
    if attrs.get("aria-invalid") == "true":
        _add_class(attrs, "is-invalid")


def _add_class(attrs: dict[str, Any], name: str) -> None:
    words = str(attrs.get("class", "")).split()
    if name not in words:
        attrs["class"] = " ".join([*words, name])


class Form(forms.Form):
    """The base of our forms: no colon after labels, errors of a Refused put beside their field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        self.refused: set[str] = set()  # the fields that a Refused named, in the form or beside it
        super().__init__(*args, **kwargs)

    def refuse(self, refused: Any) -> None:
        """Show a core.errors.Refused in the form: beside its field when it names one, else on top."""
        self.refused.add(refused.field or "")
        field = refused.field if refused.field in self.fields else None
        self.add_error(field, refused.message)


class DateInput(forms.DateInput):
    """A day, by the browser's own calendar; browsers without one take 21/11/2026."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"placeholder": "jj/mm/aaaa", **(attrs or {})}, format="%Y-%m-%d")


def possible_day(day: datetime.date) -> None:
    """A validator: beyond these days there is none before or after to count with."""
    if not FIRST <= day < LAST:
        raise forms.ValidationError(_("Cette date est impossible : vérifiez l’année."))


class TimeInput(forms.TimeInput):
    """An hour and minute (Europe/Paris)."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"placeholder": "hh:mm", **(attrs or {})}, format="%H:%M")


class TelInput(forms.TelInput):
    """A telephone number, by the number pad on telephones."""


class CodeInput(forms.TextInput):
    """A one-time code: large figures, number pad, filled in from the SMS where the browser can."""

    def __init__(self, attrs: dict[str, Any] | None = None, *, length: int = 6) -> None:
        given = {"inputmode": "numeric", "autocomplete": "one-time-code", "pattern": "[0-9 ]*", "class": "input-code"}
        super().__init__(attrs={**given, "maxlength": length + 2, **(attrs or {})})


class CountedTextarea(forms.Textarea):
    """A text with the number of characters left under it (needs `max_length` on the field)."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"rows": 4, "data-counter": "", **(attrs or {})})


class RadioCards(forms.RadioSelect):
    """A choice among a few, each a large card; `hints` and `icons` are per value."""

    template_name = "core/forms/radio_cards.html"

    def __init__(
        self, *args: Any, hints: dict[str, Any] | None = None, icons: dict[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.hints, self.icons = hints or {}, icons or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["hint"] = self.hints.get(str(value), "")
        option["icon"] = self.icons.get(str(value), "")
        return option


class FileInput(forms.ClearableFileInput):
    """A file, with what is taken and how large said under it by the field's help text."""

    template_name = "django/forms/widgets/file.html"


class BirthDateField(forms.DateField):
    """A birth date typed as 3/2/1954, 03021954 or 1954-02-03: a calendar would take forty clicks."""

    widget = forms.TextInput(
        attrs={"inputmode": "numeric", "placeholder": "jj/mm/aaaa", "autocomplete": "off", "class": "input-short"}
    )
    default_error_messages = {
        "invalid": _("Saisissez une date de naissance comme 03/02/1954."),
        "future": _("Cette date de naissance est dans le futur."),
        "too_old": _("Cette date de naissance a plus de 130 ans. Vérifiez l’année."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%d/%m/%Y", "%Y-%m-%d"], **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.strftime("%d/%m/%Y") if isinstance(value, datetime.date) else value

    def to_python(self, value: Any) -> datetime.date | None:
        if isinstance(value, str) and (digits := re.fullmatch(r"\s*(\d{2})(\d{2})(\d{4})\s*", value)):
            value = "/".join(digits.groups())
        if isinstance(value, str):
            value = re.sub(r"[\s.\-]+", "/", value.strip()) if not re.match(r"\s*\d{4}-", value) else value.strip()
        day = super().to_python(value)
        if day is None:
            return None
        today = timezone.localdate()
        if day > today:
            raise forms.ValidationError(self.error_messages["future"], code="future")
        if today.year - day.year > 130:
            raise forms.ValidationError(self.error_messages["too_old"], code="too_old")
        return day
