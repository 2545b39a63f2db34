"""What professionals are told of a dossier of any kind: never who the patient is, nor what they have."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from relais.accounts.models import Membership, User
from relais.dossiers.models import Dossier
from relais.dossiers.registry import KINDS
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered

STOPPED = "dossiers.stopped"
SENTENCE = "un dossier s’est arrêté par erreur, il ne reprend pas seul : merci de le lire maintenant"


@dataclass(frozen=True)
class Stopped:
    """A dossier ended because somebody noted a death by mistake."""

    key: str = STOPPED
    label: str = "Dossier arrêté par erreur"
    fallback: bool = True

    def still_wanted(self, message: Message) -> bool:
        return True

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        link = message.context["link"]
        if message.channel == Channel.SMS:
            return Rendered(subject="", text=f"Relais : {SENTENCE} {link}")
        sentence = SENTENCE[0].upper() + SENTENCE[1:]
        foot = "Ce message est automatique. Vous le recevez parce que vous avez pris part à ce dossier."
        return Rendered("Relais : un dossier s’est arrêté par erreur", f"Bonjour,\n\n{sentence}.\n{link}\n\n{foot}\n")

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"link": f"{settings.PUBLIC_URL}/dossier/00000000-0000-4000-8000-000000000000/"}, {}


def register_all() -> None:
    registry.register(Stopped())


def tell_stopped(dossier: Dossier, said_by: Any) -> None:
    """Every professional whose act stands in the dossier or who takes part in it by name, and who still works somewhere, but
    the one who says it: by SMS where there is a number.

    `about` of the message is no dossier: pages list there what the patient is sent.
    """
    acted = dossier.events.exclude(user=None).values("user")
    named = dossier.participants.filter(until=None).exclude(user=None).values("user")
    there = Membership.objects.at_work().values("user")
    people = User.objects.filter(Q(pk__in=acted) | Q(pk__in=named), pk__in=there).exclude(pk=said_by)
    link = f"{settings.PUBLIC_URL}{reverse(KINDS[dossier.kind].url_name, args=[dossier.pk])}"
    outbox.queue_all(
        [
            outbox.draft(
                type=STOPPED, about=None, holder_id=user.pk, channel=Channel.SMS if user.mobile else Channel.EMAIL,
                email=user.email, phone=user.mobile, context={"link": link},
            )
            for user in people.order_by("pk")
        ]
    )  # fmt: skip
