"""`page`: what every template may ask of the page around it. Nothing is computed before it is asked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from relais.core import health, navigation
from relais.core.middleware import patient_path


def url_or_none(name: str) -> str | None:
    """The address of a named page, or None while no module serves it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


@dataclass(frozen=True)
class Entry:
    """A navigation entry ready to draw."""

    key: str
    label: str
    icon: str
    url: str
    active: bool
    in_banner: bool


class Page:
    """The shell's side of one page: entries, names and addresses, each found the first time it is read."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._actor = getattr(request, "actor", None)
        self._match = getattr(request, "resolver_match", None)

    @cached_property
    def is_professional(self) -> bool:
        return bool(self._actor and self._actor.is_professional)

    @cached_property
    def is_patient(self) -> bool:
        """A patient, proxy or guest is in: they can leave, and have a space to go back to."""
        return bool(self._actor and self._actor.is_patient)

    @cached_property
    def holder(self) -> str:
        """Whose patient's page this is (an id): what it sends back says so, see core/ui/holder.js."""
        return str(self._actor.grant_id) if self._actor and self._actor.grant_id else ""

    @cached_property
    def is_patient_side(self) -> bool:
        return patient_path(self._request.path)

    @cached_property
    def shell(self) -> str:
        """The shell that fits who is looking: for pages that everybody may meet, such as errors."""
        if self.is_patient_side:
            return "core/patient.html"
        return "core/base.html" if self.is_professional else "core/public.html"

    @cached_property
    def nav(self) -> list[Entry]:
        """The entries this person has; the one of the page is active, else the one of its module that it lies under."""
        found = [(item, url_or_none(item.url_name)) for item in navigation.items_for(self._actor)]
        names = [item.url_name for item, url in found if url]
        current = self._match.view_name if self._match else ""
        if current not in names:
            module = current.split(":")[0]
            above = [(url, item.url_name) for item, url in found if url and item.url_name.split(":")[0] == module]
            over = [pair for pair in above if self._request.path.startswith(pair[0])]
            current = max(over, key=lambda pair: len(pair[0]))[1] if over else ""
        return [
            Entry(item.key, str(item.label), item.icon, url, item.url_name == current, item.in_banner)
            for item, url in found
            if url
        ]

    @cached_property
    def trays(self) -> list[str]:
        """What the top bar shows beside the entries: HTML of the modules. A view whose list rings by itself says so."""
        place = getattr(self._request, "tray_place", navigation.PAGE)
        return navigation.trays_for(self._actor, place) if self.is_professional else []

    @cached_property
    def call_trays(self) -> list[str]:
        """What stands above a video call: HTML of the modules."""
        return navigation.trays_for(self._actor, navigation.CALL) if self.is_professional else []

    @cached_property
    def identity(self) -> navigation.Identity | None:
        return navigation.identity_of(self._actor)

    @cached_property
    def urls(self) -> dict[str, str | None]:
        """Addresses of the shell; None for a page that does not exist (yet)."""
        return {
            "home": url_or_none("portal:home") or "/",
            "help": url_or_none("portal:patient_help" if self.is_patient_side else "portal:help"),
            "search": url_or_none("patients:search") if self._actor and self._actor.establishment_id else None,
            "switch": url_or_none("accounts:choose"),
            "profile": url_or_none("accounts:profile"),
            "devices": url_or_none("accounts:devices"),
            "session": url_or_none("accounts:session"),
            "sign_in": url_or_none("account_login"),
            "sign_out": url_or_none("account_logout"),
            "accessibility": url_or_none("portal:accessibility"),
            "legal": url_or_none("portal:legal"),
            "patient_home": url_or_none("patient:start"),
            "patient_leave": url_or_none("patient:leave"),
        }

    @property
    def session_seconds(self) -> int:
        """How long a professional's session lasts without an act: this page was one."""
        return int(settings.SESSION_IDLE_SECONDS)

    @cached_property
    def now(self) -> str:
        """The server's time, to which countdowns are set (ISO 8601, UTC)."""
        return timezone.now().isoformat()

    @property
    def demo(self) -> bool:
        """Every person on this installation is invented: the ribbon says so."""
        return bool(getattr(settings, "DEMO", False))

    @property
    def scheduler_late(self) -> bool:
        """The periodic work is more than two minutes late: reminders may be late, and the page must say so."""
        return health.scheduler_late()


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"page": Page(request)}
