"""What doctors on call, nurses and managers are told by message: that something waits for them. Never a word about health."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import User
from relais.core.errors import Refused
from relais.directory.models import Service
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Participant
from relais.liaison.models import Decision, HandOver, Note, Request
from relais.liaison.queries.measures import measured
from relais.liaison.queries.unread import arrived, has_unread
from relais.liaison.workflow import OPEN, PASSED_ON, State
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered
from relais.oncall.queries import telephones
from relais.patients.contact import clean_mobile
from relais.rooms.models import Peer

ASKED, REVIEW, HAND_OVER, LATE, MENTION = (
    "liaison.asked", "liaison.review", "liaison.hand_over", "liaison.late", "liaison.mention",
)  # fmt: skip
NEWS, NOBODY, NOBODY_HERE = "liaison.news", "liaison.nobody", "liaison.nobody_here"
URGENT, SIGNS, ROOM = "liaison.urgent_note", "liaison.signs", "liaison.room"
OPINION, QUESTION, GIVEN = "liaison.opinion", "liaison.question", "liaison.given"
AWAITED, HELP, HELP_HERE = "liaison.awaited", "liaison.help", "liaison.help_here"
UNTAKEN, UNTAKEN_HERE = "liaison.untaken", "liaison.untaken_here"
REVIEW_HELP, REVIEW_HELP_HERE = "liaison.review_help", "liaison.review_help_here"
REMINDED, SILENT, DOCUMENT = "liaison.reminded", "liaison.silent", "liaison.document"
HAND_OVER_HERE = "liaison.hand_over_here"

ON_CALL = "figurez au planning d’astreinte ou de garde, ou répondez pour un service"
REASONS = {
    MENTION: "prenez part à cet échange",
    NEWS: "prenez part à cette demande",
    URGENT: "prenez part à cette demande",
    OPINION: "prenez part à cette demande",
    QUESTION: "prenez part à cette demande",
    GIVEN: "prenez part à cette demande",
    ROOM: "prenez part à cette demande",
    SIGNS: "avez écrit cette demande",
    REMINDED: "prenez part à cette demande",
    HELP_HERE: "tenez le planning d’un service",
    UNTAKEN_HERE: "tenez le planning d’un service",
    REVIEW_HELP_HERE: "tenez le planning d’un service",
    HAND_OVER_HERE: "tenez le planning d’un service",
    NOBODY_HERE: "répondez d’un établissement",
}


READ: dict[str, dict[str, Any]] = {
    URGENT: {"urgent": True},
    QUESTION: {"kind": Note.Kind.ASKED},
    GIVEN: {"kind": Note.Kind.GIVEN},
}  # notes
# What a request still is when these leave.
UNADVISED = {"state__in": (State.TAKEN, *PASSED_ON), "advised_at": None}
UNANSWERED = {"state": State.COMPLEMENT, "advised_at": None}
UNOWNED, NOT_TAKEN = {"responsible": None}, {"state__in": PASSED_ON}
DUE = {"review_told_at__gte": F("review_at")}  # a decision begins anew
ONLY: dict[str, dict[str, Any]] = {
    NOBODY: UNOWNED, NOBODY_HERE: UNOWNED, AWAITED: UNADVISED, HELP: UNADVISED, HELP_HERE: UNADVISED, REMINDED: UNANSWERED,
    SILENT: UNANSWERED, UNTAKEN: NOT_TAKEN, UNTAKEN_HERE: NOT_TAKEN, REVIEW: DUE, REVIEW_HELP: DUE,
    REVIEW_HELP_HERE: DUE,
}  # fmt: skip
TO_MANAGERS = (HELP_HERE, UNTAKEN_HERE, REVIEW_HELP_HERE, HAND_OVER_HERE)  # who read no request


@dataclass(frozen=True)
class Text:
    """One message type: the same sentence by e-mail and by SMS, with the address of the request."""

    key: str
    label: str
    sentence: str
    of_owner: bool  # not wanted any more once the request is somebody else's
    fallback: bool = True

    def still_wanted(self, message: Message) -> bool:
        """Asked just before sending: not once the request is over, nor to a doctor who has it no more."""
        if self.key == MENTION:
            return Note.objects.filter(demand_id=message.about, mentions=message.holder_id).exists()
        if self.key == NEWS:
            return Request.objects.filter(pk=message.about).exists()  # a request that ended too
        if self.key == OPINION:  # not once they have read it, of a request that ended too
            return has_unread(message.about, message.holder_id, Decision.objects.filter(demand=message.about), "by_id")
        found = Request.objects.filter(pk=message.about, state__in=OPEN).filter(**ONLY.get(self.key, {}))
        if self.key == DOCUMENT:
            there = found.filter(responsible_id=message.holder_id).exists()
            return there and has_unread(message.about, message.holder_id, arrived().filter(dossier=message.about))
        if self.key in READ:  # not once they have read it
            held = found.filter(responsible_id=message.holder_id) if self.of_owner else found
            notes = Note.objects.filter(demand__in=held, **READ[self.key])
            return has_unread(message.about, message.holder_id, notes)
        if self.key == SIGNS:  # not once they were taken
            return not all(measured(one) for one in found.select_related("response"))
        if self.key == ROOM:  # not once they are there
            inside = Peer.objects.inside().filter(invitation__room__about=OuterRef("pk"))
            return found.filter(~Exists(inside.filter(invitation__holder_id=str(message.holder_id)))).exists()
        if self.key in (HAND_OVER, HAND_OVER_HERE):  # not once it is accepted, or proposed to another one
            handed = HandOver.objects.filter(demand__in=found, accepted_at=None, dropped_at=None)
            return (handed.filter(taking=message.holder_id) if self.key == HAND_OVER else handed).exists()
        return (found.filter(responsible_id=message.holder_id) if self.of_owner else found).exists()

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        link = message.context["link"]
        if message.channel == Channel.SMS:
            return Rendered(subject="", text=f"Relais : {self.sentence} {link}")
        foot = f"Ce message est automatique. Vous le recevez parce que vous {REASONS.get(self.key, ON_CALL)}."
        sentence = self.sentence[0].upper() + self.sentence[1:]
        return Rendered(f"Relais : {self.sentence}", f"Bonjour,\n\n{sentence} : {link}\n\n{foot}\n")

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"link": f"{settings.PUBLIC_URL}/liaison/00000000-0000-4000-8000-000000000000/"}, {}


TEXTS = {
    one.key: one
    for one in (
        Text(ASKED, "Demande adressée", "une demande vous attend", of_owner=False),
        Text(REVIEW, "Réévaluation à faire", "une réévaluation est à faire", of_owner=True),
        Text(HAND_OVER, "Relève proposée", "une relève vous attend", of_owner=False),
        Text(
            HAND_OVER_HERE,
            "Relève sans réponse, aux responsables",
            "une relève attend encore, trouvez qui peut la prendre",
            of_owner=False,
        ),
        Text(LATE, "Sans réponse", "personne n’a encore pris le relais d’un dossier", of_owner=True),
        Text(NOBODY, "Demande sans médecin", "une demande n’a aucun médecin, agissez", of_owner=False),
        Text(
            NOBODY_HERE,
            "Demande sans médecin, aux responsables",
            "une demande n’a aucun médecin, trouvez qui répond",
            of_owner=False,
        ),
        Text(NEWS, "Changement dans un dossier", "un dossier a changé, merci de le lire", of_owner=False),
        Text(URGENT, "Note urgente", "une note urgente vous attend", of_owner=False),
        Text(OPINION, "Avis rendu", "un avis vous attend", of_owner=False),
        Text(QUESTION, "Complément demandé", "une question vous attend, merci d’y répondre", of_owner=False),
        Text(GIVEN, "Complément donné", "la réponse à votre question vous attend", of_owner=True),
        Text(DOCUMENT, "Document ajouté", "un document vous attend", of_owner=True),
        Text(AWAITED, "Avis attendu", "un avis est attendu de vous, son délai est passé", of_owner=True),
        Text(HELP, "Avis attendu, aux confrères", "un avis n’est pas rendu à temps, pouvez-vous aider", of_owner=False),
        Text(HELP_HERE, "Avis attendu, aux responsables", "un avis tarde, trouvez qui peut répondre", of_owner=False),
        Text(UNTAKEN, "Demande non prise, aux confrères", "une demande passée à votre service attend", of_owner=False),
        Text(
            UNTAKEN_HERE,
            "Demande non prise, aux responsables",
            "une demande attend, trouvez qui la prend",
            of_owner=False,
        ),
        Text(
            REVIEW_HELP,
            "Réévaluation tardive, aux confrères",
            "une réévaluation tarde, pouvez-vous aider",
            of_owner=False,
        ),
        Text(
            REVIEW_HELP_HERE,
            "Réévaluation tardive, aux responsables",
            "une réévaluation tarde, trouvez qui peut la faire",
            of_owner=False,
        ),
        Text(REMINDED, "Complément attendu", "une question attend encore votre réponse", of_owner=False),
        Text(SILENT, "Complément non donné", "votre question reste sans réponse, téléphonez", of_owner=True),
        Text(ROOM, "Visio ouverte", "on vous attend en visio", of_owner=False),
        Text(SIGNS, "Constantes à reprendre", "une réévaluation vous attend", of_owner=False),
        Text(MENTION, "Mention dans une note", "une note vous mentionne", of_owner=False),
    )
}


def register_all() -> None:
    for text in TEXTS.values():
        registry.register(text)


def tell(key: str, demand: Request, user: User, service: Service | None = None) -> None:
    """Queue one message to a professional: by SMS to the mobile of their duty, else to their own, else by e-mail.

    `service`: whose rota a referent is to look at, where it is not the one that has the request.
    """
    address = reverse("liaison:nobody") if key == NOBODY_HERE else reverse("liaison:request", args=[demand.pk])
    if key in TO_MANAGERS:
        address = reverse("oncall:rota", args=[service.pk if service else demand.service_id])
    mobile = _of_duty(demand, user) or user.mobile
    outbox.queue(
        type=key,
        about=demand.pk,
        holder_id=user.pk,
        channel=Channel.SMS if mobile else Channel.EMAIL,
        email=user.email,
        phone=mobile,
        context={"link": f"{settings.PUBLIC_URL}{address}"},
        topics=[dossiers.topic(demand.pk)],
    )


def _of_duty(demand: Request, user: User) -> str:
    """The mobile that somebody carries who is on duty now for a service that takes part; "" where it is a landline."""
    services = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None).values("service_id")
    for typed in telephones(user.pk, services, timezone.now()):
        try:
            return clean_mobile(typed)
        except Refused:  # a landline, a number with an extension: the next
            continue
    return ""
