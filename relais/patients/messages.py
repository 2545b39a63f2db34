"""The message this module sends: the way back in for who has lost link or password. It says nothing about health."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered
from relais.patients.models import Grant
from relais.rooms import actions as rooms

LOST_LINK = "patients.lost_link"


@dataclass(frozen=True)
class LostLink:
    """Link and login by one channel, password by the other when both are known; all three by the only one."""

    key: str = LOST_LINK
    label: str = "Lien perdu : nouvel accès"
    fallback: bool = True

    def still_wanted(self, message: Message) -> bool:
        """Not once the way in is closed, or a still newer password was made."""
        grant = Grant.objects.filter(pk=message.context["grant"]).first()
        return grant is not None and grant.is_live() and grant.secrets_at.isoformat() == message.context["secrets_at"]

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        context = message.context
        link = f"{settings.PUBLIC_URL}{reverse('patient:entry', args=[context['grant']])}"
        until = date_format(localtime(datetime.fromisoformat(context["until"])), "j F Y")
        lines = []
        if login := secret.get("login"):
            lines.append(_("Identifiant : %s") % login)
        if password := secret.get("password"):
            lines.append(_("Nouveau mot de passe : %s") % password)
        elif message.channel == Channel.EMAIL:
            lines.append(_("Nouveau mot de passe : envoyé par SMS"))
        words = {"name": context["first_name"], "link": link, "until": until}
        if message.channel == Channel.SMS:
            text = _("Relais, espace de %(name)s : %(lines)s. Lien (jusqu’au %(until)s) : %(link)s")
            return Rendered("", text % {**words, "lines": ". ".join(lines)})
        text = _(
            "Bonjour,\n\nVoici un nouvel accès à l’espace de %(name)s :\n%(link)s\n\n%(lines)s\n\n"
            "L’ancien mot de passe ne sert plus. L’espace est ouvert jusqu’au %(until)s.\n\n"
            "Si vous n’avez rien demandé, ignorez ce message : personne n’est entré.\n"
        )
        return Rendered(_("Votre nouvel accès Relais"), text % {**words, "lines": "\n".join(lines)})

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        context = {
            "grant": "00000000-0000-4000-8000-000000000000",
            "secrets_at": "2026-11-21T10:00:00+00:00",
            "first_name": "Camille",
            "until": "2026-12-24T12:00:00+00:00",
        }
        return context, {"login": "k7dm2p4x", "password": "bak-min-vos-4738"}


def send_lost_link(grant: Grant, secrets: dict[str, str]) -> None:
    """Queue the way back in, in the caller's transaction."""
    both = bool(grant.email and grant.mobile)
    if grant.email:
        _queue(grant, Channel.EMAIL, {"login": secrets["login"]} if both else secrets)
    if grant.mobile:
        _queue(grant, Channel.SMS, {"password": secrets["password"]} if both else secrets)


def _queue(grant: Grant, channel: str, secret: dict[str, str]) -> None:
    outbox.queue(
        type=LOST_LINK,
        about=grant.about,
        holder_id=grant.pk,
        channel=channel,
        email=grant.email,
        phone=grant.mobile,
        context={
            "grant": str(grant.pk),
            "secrets_at": grant.secrets_at.isoformat(),
            "first_name": grant.patient.given_name,
            "until": grant.valid_until.isoformat(),
        },
        secret=secret,
        topics=rooms.topics_of(grant.about),
    )


def register_all() -> None:
    registry.register(LostLink())
