"""What the help desk sends: never the text of a question or of an answer, only that there is one and where."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered
from relais.portal.models import Answer, Ticket
from relais.portal.queries import support

CONFIRMATION, ANSWER, TO_DESK = "portal.ticket", "portal.answer", "portal.to_desk"


@dataclass(frozen=True)
class Text:
    """One message of the help desk; `{…}` are filled from the context."""

    key: str
    label: str
    subject: str
    mail: str
    sms: str
    fallback: bool = False

    def still_wanted(self, message: Message) -> bool:
        return True

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        lines = support()
        words = {**message.context, "phone": lines.day.shown, "hours": lines.hours}
        if message.channel == Channel.SMS:
            return Rendered(subject="", text=self.sms.format(**words))
        return Rendered(subject=self.subject.format(**words), text=self.mail.format(**words))

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"number": "AIDE-7KQ4-M2XD", "service": "Téléconsultation", "link": _absolute("/aide/suivi/")}, {}


FOOT = (
    "\n\nVous pouvez aussi appeler le {phone} ({hours}), avec ce numéro.\n"
    "Ce message est automatique. Le support ne donne pas d’avis médical : en cas d’urgence, appelez le 15 "
    "(ou le 114 par SMS).\n"
)
TEXTS = [
    Text(
        CONFIRMATION,
        "Demande d’aide enregistrée",
        "Votre demande d’aide {number}",
        "Bonjour,\n\nNous avons reçu votre demande. Son numéro est {number}. Gardez-le : il permet de la retrouver.\n\n"
        "Suivre votre demande : {link}" + FOOT,
        "Relais : votre demande d’aide porte le numéro {number}. Gardez-le. Suivi : {link} Support : {phone}",
    ),
    Text(
        ANSWER,
        "Réponse du support",
        "Réponse à votre demande {number}",
        "Bonjour,\n\nLe support a répondu à votre demande {number}.\n\nLire la réponse : {link}" + FOOT,
        "Relais : le support a répondu à votre demande {number}. Lire la réponse : {link}",
    ),
    Text(
        TO_DESK,
        "Nouvelle demande au support",
        "Nouvelle demande {number} ({service})",
        "Une demande d’aide est arrivée pour le service {service}.\n\nNuméro : {number}\nLa lire : {link}\n",
        "Relais : nouvelle demande d’aide {number}. {link}",
    ),
]


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def _absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def _send(type_: str, ticket: Ticket, *, email: str, phone: str, link: str) -> None:
    outbox.queue(
        type=type_,
        about=ticket.pk,
        holder_id=ticket.user_id or ticket.grant_id,
        email=email,
        phone=phone,
        channel=Channel.EMAIL if email else Channel.SMS,
        context={"number": ticket.number, "service": ticket.service, "link": _absolute(link)},
    )


def _own_link(ticket: Ticket) -> str:
    """Professionals read it signed in; everybody else shows number and contact, whatever became of their space."""
    return reverse("portal:ticket", args=[ticket.pk]) if ticket.user_id else reverse("portal:follow")


def confirm(ticket: Ticket, *, known: bool) -> None:
    """The number to keep (SU-03). No SMS for a stranger's form: it could ring any telephone."""
    if ticket.email or known:
        _send(CONFIRMATION, ticket, email=ticket.email, phone=ticket.phone, link=_own_link(ticket))


def tell_answer(ticket: Ticket, answer: Answer) -> None:
    """There is an answer: a link to it, without its text. Those who left a telephone number alone get an SMS."""
    _send(ANSWER, ticket, email=ticket.email, phone=ticket.phone, link=_own_link(ticket))


def tell_desk(ticket: Ticket) -> None:
    """The mailbox of the service learns that a request waits (SU-06)."""
    if mailbox := support().mailboxes.get(ticket.service):
        _send(TO_DESK, ticket, email=mailbox, phone="", link=reverse("portal:ticket", args=[ticket.pk]))
