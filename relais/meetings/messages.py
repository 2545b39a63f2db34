"""What those invited to a meeting are told: an hour, who invites, a link. Never the title, which somebody typed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format

from relais.core.paris import PARIS
from relais.meetings import links, topics
from relais.meetings.calendar import entry
from relais.meetings.models import Invitee, Meeting
from relais.meetings.workflow import State
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Attachment, Rendered

INVITED, CANCELLED = "meetings.invited", "meetings.cancelled"
FOOT = "\n\nCe message est automatique. En cas d’urgence, appelez le 15.\n"


@dataclass(frozen=True)
class Text:
    """One message type, by e-mail alone; `{…}` are filled from the context."""

    key: str
    label: str
    subject: str
    text: str
    fallback: bool = False

    def still_wanted(self, message: Message) -> bool:
        meeting = Meeting.objects.filter(pk__in=[message.about]).first()
        wanted = State.CANCELLED if self.key == CANCELLED else State.PLANNED
        return meeting is not None and meeting.state == wanted

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        context = message.context
        start = datetime.fromisoformat(context["starts_at"])
        link = context["link"] + (f"#{secret['secret']}" if secret.get("secret") else "")
        words = {**context, "link": link, "when": said(start)}
        file = entry(
            uid=str(message.about),
            start=start,
            end=start + timedelta(minutes=context["minutes"]),
            url=context["link"],  # without the secret: calendars are shared
            cancelled=self.key == CANCELLED,
        )
        attached = [Attachment("reunion.ics", "text/calendar", file)]
        return Rendered(self.subject.format(**words), self.text.format(**words), attached, "Rejoindre la réunion")

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        context = {
            "starts_at": "2026-11-24T13:30:00+00:00",
            "minutes": 30,
            "sender": "Dr Alix Moreau (Hôpital des Deux Rives)",
            "link": f"{settings.PUBLIC_URL}/p/reunions/00000000-0000-4000-8000-000000000000/",
        }
        return context, {"secret": "k7dm2p4xk7dm2p4xk7dm2p4x"}


TEXTS = [
    Text(
        INVITED,
        "Invitation à une réunion",
        "Réunion vidéo du {when}",
        "Bonjour,\n\n{sender} vous invite à une réunion vidéo entre professionnels, le {when} ({minutes} minutes).\n\n"
        "Rejoindre : {link}\n\nSans compte Relais, indiquez votre nom et attendez qu’une personne de la réunion vous "
        "fasse entrer. Ce lien est personnel à cette réunion : ne le publiez pas." + FOOT,
    ),
    Text(
        CANCELLED,
        "Réunion annulée",
        "La réunion vidéo du {when} est annulée",
        "Bonjour,\n\nLa réunion vidéo du {when}, à l’invitation de {sender}, est annulée.\n\n"
        "Le fichier joint l’efface de votre agenda." + FOOT,
    ),
]


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def said(moment: datetime) -> str:
    """*mardi 24 novembre 2026 à 14 h 30*"""
    local = moment.astimezone(PARIS)
    return f"{date_format(local, 'l j F Y')} à {local:%H} h {local:%M}"


def guest_link(meeting: Meeting) -> str:
    """The address that a host gives to somebody without an account: the secret stands after the #."""
    return _guest_page(meeting) + "#" + links.secret_of(meeting.pk, meeting.link_serial)


def _guest_page(meeting: Meeting) -> str:
    return settings.PUBLIC_URL + reverse("meeting_guest:door", args=[meeting.pk])


def send(type_: str, meeting: Meeting, invitees: list[Invitee], sender: str) -> None:
    """One e-mail each."""
    drafts = []
    for one in invitees:
        page = settings.PUBLIC_URL + reverse("meetings:meeting", args=[meeting.pk])
        secret = {"secret": links.secret_of(meeting.pk, meeting.link_serial)}
        drafts.append(
            outbox.draft(
                type=type_,
                about=meeting.pk,
                holder_id=one.user_id or one.pk,
                email=one.email,
                channel=Channel.EMAIL,
                context={
                    "starts_at": meeting.starts_at.isoformat(),
                    "minutes": int((meeting.ends_at - meeting.starts_at).total_seconds() // 60),
                    "sender": sender,
                    "link": page if one.user_id else _guest_page(meeting),
                },
                secret=secret if type_ == INVITED and not one.user_id else None,
                topics=[topics.meeting(meeting.pk)],
            )
        )
    outbox.queue_all(drafts)


def forget(meeting: Meeting) -> None:
    """Drop what has not left yet."""
    outbox.cancel(about=meeting.pk, types=[INVITED])
