"""The tags of our components (docs/ui-kit.md shows each). A builtin library: templates need no {% load %}."""

import datetime
import re
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.forms import BaseForm
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from relais.core import times

register = template.Library()

# state of a badge -> icon: colour never speaks alone
BADGE_ICONS = {
    "ok": "circle-check",
    "warning": "alert-triangle",
    "danger": "alert-octagon",
    "none": "circle-dashed",
    "info": "info-circle",
}
SEXES = {"M": (gettext_noop("homme"), gettext_noop("né le")), "F": (gettext_noop("femme"), gettext_noop("née le"))}
UNKNOWN_SEX = (gettext_noop("sexe non renseigné"), gettext_noop("né(e) le"))
# a French number, one of another country, or one of two or three figures alone (15, 112)
DIALLED = re.compile(r"(?:\+|\b00)[1-9](?:[\s.-]?\d){7,13}\b|\b0[1-9](?:[\s.-]?\d){8}\b|^\s*\d{2,3}\s*$")
NOTICE_STATES = {"debug": "none", "info": "info", "success": "ok", "warning": "warning", "error": "danger"}


class UnknownIcon(Exception):
    """A template asks for an icon that the Tabler outline set does not have."""


@cache
def _svg(name: str) -> str:
    path = Path(settings.NPM) / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        raise UnknownIcon(f"No icon is named {name!r} (see the Tabler outline set).")
    svg = re.sub(r"<!--.*?-->", "", path.read_text(), flags=re.S)
    svg = re.sub(r'\s(class|width|height|stroke-width)="[^"]*"', "", svg[svg.index("<svg") :].split("<svg", 1)[1])
    svg = re.sub(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", svg)
    return re.sub(r"\s+", " ", svg).replace("> <", "><").strip()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """The named icon of the Tabler outline set, inlined and silent: a word beside it says what it means.

    Raises UnknownIcon in every mode, so that a wrong name never becomes a blank square.
    """
    classes = f"icon {css}".strip()
    return mark_safe(f'<svg class="{classes}" aria-hidden="true" focusable="false" stroke-width="1.75" {_svg(name)}')  # noqa: S308  our own files


@register.simple_tag
def badge(state: str, label: str, icon_name: str = "") -> SafeString:
    """A state as a word with its icon and colour: ok, warning, danger, none (no data) or info."""
    return format_html(
        '<span class="badge badge-{}">{}<span>{}</span></span>', state, icon(icon_name or BADGE_ICONS[state]), label
    )


@register.simple_tag
def when(moment: datetime.datetime | datetime.date | None) -> SafeString:
    """A time as *aujourd'hui 14:30*, with the full date on hover and for screen readers."""
    return _time(moment, times.near(moment)) if moment else _nothing()


@register.simple_tag
def hour(moment: datetime.datetime) -> SafeString:
    """The hour alone, large, for lists of one day: *14:30*."""
    local = timezone.localtime(moment)
    return format_html('<span class="hour">{}</span>', _time(local, local.strftime("%H:%M")))


@register.simple_tag
def age_of(moment: datetime.datetime | None) -> SafeString:
    """How old a figure is: *il y a 12 min* (kept up to date in the page), then as `when` after a day."""
    return _time(moment, times.ago(moment), "data-since") if moment else _nothing()


@register.simple_tag
def countdown(moment: datetime.datetime) -> SafeString:
    """How long until a promise: *dans 12 min* (kept up to date in the page)."""
    return _time(moment, times.until(moment), "data-until")


@register.simple_tag
def phone(text: str) -> SafeString:
    """A telephone number that calls when pressed; what stands around it (*poste 4521*) stays words, and so does an extension
    alone."""
    found = DIALLED.search(text)
    if not found:
        return format_html("{}", text)
    number = re.sub(r"[^+\d]", "", found[0])
    link = format_html('<a class="tel nowrap" href="tel:{}">{}{}</a>', number, icon("phone"), found[0].strip())
    return format_html("{}{}{}", text[: found.start()], link, text[found.end() :])


def _time(moment: datetime.datetime | datetime.date, words: str, attribute: str = "") -> SafeString:
    if isinstance(moment, datetime.datetime):
        moment = timezone.localtime(moment)
    full, iso = times.full(moment), moment.isoformat()
    live = format_html(' {}="{}"', mark_safe(attribute), iso) if attribute else ""  # noqa: S308  two constants
    return format_html(
        '<time datetime="{}" title="{}"><span aria-hidden="true"{}>{}</span><span class="visually-hidden">{}</span></time>',
        iso, full, live, words, full,
    )  # fmt: skip


def _nothing() -> SafeString:
    return format_html(
        '<span class="text-secondary"><span aria-hidden="true">—</span><span class="visually-hidden">{}</span></span>',
        _("non renseigné"),
    )


# `patient_identity` and `post_button` stand on every row of every list: without a template each takes a fifth of the time.
@register.simple_tag
def patient_identity(patient: Any, twin: bool = False) -> SafeString:  # noqa: FBT001  template argument
    """A patient: NAME, first name, birth date with age, sex. `twin` marks one of two alike on the screen.

    `patient` is anything with family_name, given_name, birth_date (or None) and sex ("M", "F", else unknown).
    """
    return format_html(
        '<span class="patient"> <span class="patient-name"><b>{}</b> {}</span>'
        ' <span class="patient-traits">{}</span> {}</span>',
        patient.family_name.upper(), patient.given_name, patient_traits(patient),
        badge("warning", _("Homonyme proche"), "users") if twin else "",
    )  # fmt: skip


@register.simple_tag
def patient_traits(patient: Any) -> SafeString:
    """Birth date with age, and sex, of a patient whose name stands elsewhere."""
    sex, born = SEXES.get(str(patient.sex).upper()[:1], UNKNOWN_SEX)
    day = patient.birth_date
    birth = (
        format_html('{} <span class="nowrap">{}</span> ({})', _(born), f"{day:%d/%m/%Y}", times.age(day))
        if day
        else _("date de naissance non renseignée")
    )
    return format_html("{}, {}", birth, _(sex))


@register.inclusion_tag("core/components/empty_state.html")
def empty_state(icon: str, title: str, text: str = "", action_url: str = "", action_label: str = "") -> dict[str, Any]:
    """What will come here, and the first action."""
    return {"icon": icon, "title": title, "text": text, "action_url": action_url, "action_label": action_label}


@register.simple_tag(takes_context=True)
def post_button(context: Context, url: str, label: str, icon_name: str = "", style: str = "secondary") -> SafeString:
    """A verb as a button: a form with its token. Style: primary, secondary, quiet or danger."""
    token = context.get("csrf_token", "")
    return format_html(
        '<form method="post" action="{}" class="d-inline-block">{}'
        '<button type="submit" class="btn btn-{}">{}{}</button></form>',
        url,
        format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token) if token else "",
        style,
        icon(icon_name) if icon_name else "",
        label,
    )


@register.simple_block_tag(takes_context=True)
def confirm(
    context: Context, content: str, url: str, label: str, title: str, action: str = "", icon: str = "",
    style: str = "danger", keep: str = "",
) -> str:  # fmt: skip
    """A button that asks first. The block says what will be lost, and may hold fields (a reason).

    Without JavaScript or <dialog> it unfolds in place (<details>); dialog.js makes it a modal dialog.
    """
    return render_to_string(
        "core/components/confirm.html",
        {
            "url": url, "label": label, "title": title, "action": action or label, "icon": icon, "style": style,
            "keep": keep or _("Ne rien changer"), "content": content, "csrf_token": context.get("csrf_token", ""),
        },
    )  # fmt: skip


@register.inclusion_tag("core/components/next_page.html")
def next_page(page: Any, label: str = "") -> dict[str, Any]:
    """The links to the rest and the start of a list paged by key: `next_url` and `first_url`, None where there is none."""
    return {"page": page, "label": label or _("Voir la suite")}


@register.inclusion_tag("core/components/notices.html")
def notices(messages: Any) -> dict[str, Any]:
    """Django's messages, as calm notices."""
    return {
        "notices": [
            {"state": NOTICE_STATES[m.level_tag], "icon": BADGE_ICONS[NOTICE_STATES[m.level_tag]], "text": m.message}
            for m in messages
        ]
    }


@register.simple_block_tag
def notice(content: str, state: str = "info", title: str = "") -> str:
    """A notice in the page: something to know before going on. States as for `badge`."""
    return render_to_string(
        "core/components/notice.html", {"state": state, "icon": BADGE_ICONS[state], "title": title, "content": content}
    )


@register.inclusion_tag("core/forms/errors.html")
def error_summary(form: BaseForm) -> dict[str, Any]:
    """All errors of a form on top, each a link to its field. `{{ form }}` draws it by itself."""
    return {"form": form}


@register.filter
def label_note(field: Any) -> str:
    """What stands after a field's label: whether it must be filled in."""
    if field.field.disabled:
        return ""
    return _("(obligatoire)") if field.field.required else _("(facultatif)")


@register.filter
def target_id(field: Any) -> str:
    """The id of the input that a link to this field should reach: of a group, its first input."""
    return field.id_for_label or f"{field.auto_id}_0"


@register.filter
def widget_kind(field: Any) -> str:
    """Which layout a bound field takes: checkbox, group (several inputs), file or plain."""
    if field.use_fieldset:
        return "group"
    kind = getattr(field.field.widget, "input_type", "")
    return kind if kind in ("checkbox", "file") else "plain"
