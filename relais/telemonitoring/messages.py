"""What the patient is told: the way in, and that an answer is awaited. Never a word about health."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.dossiers import actions as dossiers
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered
from relais.patients.models import Grant, Holder
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import Window
from relais.telemonitoring.topics import cell_topic
from relais.telemonitoring.workflow import State

ACCESS, PASSWORD = "follow_up.access", "follow_up.password"
OPENING, REMINDER = "follow_up.opening", "follow_up.reminder"


@dataclass(frozen=True)
class Text:
    """One message type in the words of its channel; `{…}` are filled from the context and the secret."""

    key: str
    label: str
    subject: str
    mail: str
    sms: str
    fallback: bool = True

    def still_wanted(self, message: Message) -> bool:
        """Asked just before sending: not once the follow-up is over, after its hours, or to who has answered meanwhile."""
        active = FollowUp.objects.filter(pk__in=[message.about], state=State.ACTIVE).exists()
        until = message.context.get("until")
        return active and (until is None or timezone.now() < datetime.fromisoformat(until)) and not _answered(message)

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        words = {**message.context, **secret, "credentials": _credentials(message.channel, secret)}
        if message.channel == Channel.SMS:
            return Rendered(subject="", text=self.sms.format(**words))
        return Rendered(self.subject.format(**words), self.mail.format(**words))

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        context = {
            "first_name": "Camille",
            "sender": "Centre de santé des Tilleuls",
            "link": f"{settings.PUBLIC_URL}/p/00000000-0000-4000-8000-000000000000/",
        }
        return context, {"login": "k7dm2p4x", "password": "bato-milu-73"}


def _answered(message: Message) -> bool:
    """Whether an answer came since the window of this message began."""
    since = message.context.get("since")
    if since is None:
        return False
    given = FollowUp.objects.filter(pk=message.about, last_answer_at__gte=datetime.fromisoformat(since))
    return given.exists()


def _credentials(channel: str, secret: dict[str, Any]) -> str:
    parts = []
    if login := secret.get("login"):
        parts.append(_("Identifiant : %s") % login)
    if password := secret.get("password"):
        parts.append(_("Mot de passe : %s") % password)
    elif secret.get("login") and channel == Channel.EMAIL:
        parts.append(_("Mot de passe : envoyé par SMS"))
    return (" " if channel == Channel.SMS else "\n").join(parts)


FOOT = "\n\nCe message est automatique. En cas d’urgence, appelez le 15 (ou le 114 par SMS).\n"
TEXTS = [
    Text(
        ACCESS,
        "Accès à l’espace du suivi",
        "Votre espace Relais",
        "Bonjour,\n\n{sender} vous a ouvert un espace pour {first_name}.\n{link}\n{credentials}\n\n"
        "Une équipe y attend de vos nouvelles chaque jour." + FOOT,
        "Relais, {sender} : votre espace {link} {credentials}",
    ),
    Text(
        PASSWORD,
        "Mot de passe de l’espace du suivi",
        "Votre mot de passe Relais",
        "Bonjour,\n\n{credentials}" + FOOT,
        "Relais : {credentials}",
        fallback=False,
    ),
    Text(
        OPENING,
        "Une réponse est attendue",
        "Votre espace vous attend",
        "Bonjour,\n\nVous pouvez répondre dès maintenant à l’équipe : {link}" + FOOT,
        "Relais : vous pouvez répondre dès maintenant à l’équipe. {link}",
    ),
    Text(
        REMINDER,
        "Rappel : une réponse est attendue",
        "Votre espace vous attend",
        "Bonjour,\n\nL’équipe attend votre réponse d’aujourd’hui : {link}" + FOOT,
        "Relais : l’équipe attend votre réponse d’aujourd’hui. {link}",
    ),
]


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def send_access(follow_up: FollowUp, grant: Grant, secrets: dict[str, str]) -> None:
    """Link, login and password; with both channels known the password goes by SMS, the login by e-mail."""
    if grant.email and grant.mobile:
        _queue(ACCESS, follow_up, grant, Channel.EMAIL, secret={"login": secrets["login"]})
        _queue(PASSWORD, follow_up, grant, Channel.SMS, secret={"password": secrets["password"]})
    else:
        _queue(ACCESS, follow_up, grant, Channel.EMAIL if grant.email else Channel.SMS, secret=secrets)


def send_opening(follow_up: FollowUp, window: Window) -> None:
    """A window begins; not once its first reminder says so, nor to who has answered meanwhile."""
    _ask(OPENING, follow_up, until=window.reminders[0], since=window.opens)


def send_reminder(follow_up: FollowUp, window: Window, until: datetime) -> None:
    """An answer is awaited; never sent after `until`, nor to who has answered meanwhile."""
    _ask(REMINDER, follow_up, until=until, since=window.opens)


def _ask(type_: str, follow_up: FollowUp, **moments: datetime) -> None:
    """To each live way in, by SMS where there is a mobile number."""
    for grant in Grant.objects.live().filter(about=follow_up.pk).exclude(holder=Holder.GUEST).order_by("id"):
        if grant.mobile or grant.email:
            _queue(type_, follow_up, grant, Channel.SMS if grant.mobile else Channel.EMAIL, moments=moments)


def _queue(
    type_: str, follow_up: FollowUp, grant: Grant, channel: str, moments: dict[str, datetime] | None = None, **more: Any
) -> None:
    outbox.queue(
        type=type_,
        about=follow_up.pk,
        holder_id=grant.pk,
        email=grant.email,
        phone=grant.mobile,
        channel=channel,
        context={
            "first_name": follow_up.dossier.patient.given_name,
            "sender": _("votre équipe de soins"),
            "link": f"{settings.PUBLIC_URL}{reverse('patient:entry', args=[grant.pk])}",
            **{name: moment.isoformat() for name, moment in (moments or {}).items()},
        },
        topics=[cell_topic(follow_up.cell_id), dossiers.topic(follow_up.pk)],
        **more,
    )
