"""What doctors and referents are told of a rota: a day and a link, never a specialty nor a patient. By e-mail; what presses by SMS."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import ngettext

from relais.accounts.models import User
from relais.accounts.queries import managers
from relais.directory.models import Service
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered

ROTA, ASKED, ANSWERED = "oncall.rota", "oncall.asked", "oncall.answered"
REPLACED, ABSENT = "oncall.replaced", "oncall.absent"
GAP, GAP_SOON = "oncall.gap", "oncall.gap_soon"


@dataclass(frozen=True)
class Text:
    """One message type, by e-mail, and first by SMS where it has an `sms`; `{…}` are filled from the context."""

    key: str
    label: str
    subject: str
    mail: str
    button: str
    sms: str = ""

    @property
    def fallback(self) -> bool:
        return bool(self.sms)

    def still_wanted(self, message: Message) -> bool:
        """Not for an account that was closed meanwhile."""
        return User.objects.filter(pk__in=[message.holder_id], is_active=True).exists()

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        if self.sms and message.channel == Channel.SMS:
            return Rendered("", self.sms.format(**message.context))
        holes = ngettext("%(n)d créneau", "%(n)d créneaux", count := message.context.get("count", 1)) % {"n": count}
        return Rendered(self.subject, self.mail.format(**message.context, holes=holes), button=self.button)

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        link = f"{settings.PUBLIC_URL}/astreintes/"
        context = {"given_name": "Claire", "establishment": "Hôpital des Tilleuls", "link": link}
        return {**context, "day": "lundi 23 novembre 2026 à 08:00", "count": 2}, {}


HELLO = "Bonjour {given_name},\n\n"
MINE, ALL = "Voir mes astreintes", "Ouvrir le planning"
TEXTS = [
    Text(
        ROTA,
        "Changement dans un planning d’astreinte",
        "Vos astreintes ont changé",
        HELLO + "{establishment} a modifié vos créneaux d’astreinte. Merci de les relire et de les confirmer : {link}\n",
        MINE,
    ),
    Text(
        ASKED,
        "Demande de remplacement",
        "Un collègue vous demande un remplacement",
        HELLO + "Un collègue vous propose son astreinte du {day} ({establishment}). Rien ne change sans votre accord. "
        "Pour accepter ou refuser : {link}\n",
        "Répondre",
    ),
    Text(
        ANSWERED,
        "Réponse à une demande de remplacement",
        "Réponse à votre demande de remplacement",
        HELLO + "Votre collègue a répondu pour l’astreinte du {day} ({establishment}) : {link}\n",
        MINE,
    ),
    Text(
        REPLACED,
        "Remplacement convenu entre médecins",
        "Un remplacement a été convenu",
        HELLO + "Deux médecins se sont mis d’accord pour l’astreinte du {day} ({establishment}) : {link}\n",
        ALL,
    ),
    Text(
        ABSENT,
        "Absence déclarée par un médecin d’astreinte",
        "Une absence dans le planning d’astreinte",
        HELLO + "Un médecin a déclaré son absence pour l’astreinte du {day} ({establishment}). Vérifiez qui répond : {link}\n",
        ALL,
    ),
    Text(
        GAP,
        "Créneau d’astreinte sans médecin",
        "Personne n’est prévu sur un créneau d’astreinte",
        HELLO + "À {establishment}, personne n’est prévu sur {holes} d’astreinte des prochains jours, à partir du {day}. "
        "Complétez le planning : {link}\n",
        ALL,
    ),
    Text(
        GAP_SOON,
        "Créneau d’astreinte sans médecin, dans les 24 heures",
        "Personne n’est prévu d’ici 24 heures sur un créneau d’astreinte",
        HELLO + "À {establishment}, personne n’est prévu sur {holes} d’astreinte d’ici 24 heures, à partir du {day}. "
        "Trouvez qui répond et complétez le planning : {link}\n",
        ALL,
        sms="Relais : personne n’est prévu pour une astreinte à partir du {day}. Complétez le planning : {link}",
    ),
]  # fmt: skip


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def tell_rota(service: Service, user_ids: Iterable[UUID | None]) -> None:
    """Their slots have changed: one message each, however many."""
    tell_users(ROTA, service, user_ids)


def tell_users(
    key: str, service: Service, user_ids: Iterable[UUID | None], context: dict[str, Any] | None = None
) -> None:
    """Queue one e-mail to each of these doctors, about their own slots, in the caller's transaction."""
    users = User.objects.filter(pk__in=[one for one in user_ids if one], is_active=True).order_by("pk")
    _queue(key, service, users, {**(context or {}), "link": f"{settings.PUBLIC_URL}{reverse('oncall:mine')}"})


def tell_referents(key: str, service: Service, context: dict[str, Any]) -> None:
    """Queue one message to each manager of the establishment that holds the service."""
    link = f"{settings.PUBLIC_URL}{reverse('oncall:rota', args=[service.pk])}"
    _queue(key, service, managers(service.establishment_id), {**context, "link": link})


def _queue(key: str, service: Service, users: Iterable[User], context: dict[str, Any]) -> None:
    place, by_sms = service.establishment.name, any(text.key == key and text.sms for text in TEXTS)
    drafts = [
        outbox.draft(
            type=key,
            about=service.pk,
            holder_id=user.pk,
            email=user.email,
            phone=user.mobile if by_sms else "",
            channel=Channel.SMS if by_sms and user.mobile else Channel.EMAIL,
            context={"given_name": user.given_name, "establishment": place, **context},
        )
        for user in users
    ]
    if drafts:
        outbox.queue_all(drafts)
