"""What both sides are told: that something awaits them, never about whom nor of what."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from relais.accounts.models import Membership, Role, User
from relais.accounts.queries import managers
from relais.core.actor import Actor
from relais.dossiers import actions as dossiers
from relais.expertise.models import Expertise, Urgency
from relais.expertise.permissions import CLINICAL
from relais.expertise.queries import pool
from relais.expertise.workflow import FREE, HELD, OPEN, RUNNING, State
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered

ASKED, OVERDUE, SUPERVISOR, GIVEN = "expertise.asked", "expertise.overdue", "expertise.supervisor", "expertise.given"
ANSWERED, COMPLEMENT, NEWS, VISIO, REFUSED, MOVED = (
    "expertise.answered", "expertise.complement", "expertise.news", "expertise.visio", "expertise.refused",
    "expertise.moved",
)  # fmt: skip
ADMISSION, ACCEPTED, DECLINED, TAKEN_OVER, CANCELLED, NOTE = (
    "expertise.admission", "expertise.accepted", "expertise.declined", "expertise.taken_over", "expertise.cancelled",
    "expertise.note",
)  # fmt: skip
DOCUMENT = "expertise.document"
CALM = (NEWS, NOTE, DOCUMENT)  # by e-mail, however urgent the request
GONE, CORRECTED, REMINDED, SILENT = (
    "expertise.gone", "expertise.corrected", "expertise.reminded", "expertise.silent",
)  # fmt: skip
WANTED: dict[str, Iterable[str]] = {
    ASKED: FREE,
    OVERDUE: RUNNING,
    SUPERVISOR: RUNNING,
    GIVEN: OPEN,
    ANSWERED: State.values,
    COMPLEMENT: (State.COMPLEMENT_ASKED,),
    NEWS: State.values,
    VISIO: (State.VISIO,),
    REFUSED: (State.REFUSED,),
    MOVED: State.values,
    ADMISSION: State.values,
    ACCEPTED: State.values,
    DECLINED: State.values,
    TAKEN_OVER: State.values,
    CANCELLED: (State.CANCELLED,),
    NOTE: State.values,
    DOCUMENT: State.values,
    GONE: HELD,
    CORRECTED: State.values,
    REMINDED: (State.COMPLEMENT_ASKED,),
    SILENT: (State.COMPLEMENT_ASKED,),
}


@dataclass(frozen=True)
class Text:
    """One message type; `{…}` are filled from the context."""

    key: str
    label: str
    subject: str
    mail: str
    sms: str
    fallback: bool = True

    def still_wanted(self, message: Message) -> bool:
        """Asked just before sending: not once somebody took it, answered it, or gave what was missing."""
        return Expertise.objects.filter(pk__in=[message.about], state__in=list(WANTED[self.key])).exists()

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        if message.channel == Channel.SMS:
            return Rendered(subject="", text=self.sms.format(**message.context))
        return Rendered(self.subject.format(**message.context), self.mail.format(**message.context))

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        link = f"{settings.PUBLIC_URL}/expertise/00000000-0000-4000-8000-000000000000/"
        return {"given_name": "Claire", "link": link}, {}


def _text(key: str, label: str, subject: str, sentence: str) -> Text:
    mail = f"Bonjour {{given_name}},\n\n{sentence}\n{{link}}\n\nCe message est automatique.\n"
    return Text(key, label, subject, mail, f"Relais : {sentence[0].lower()}{sentence[1:]} {{link}}")


TEXTS = [
    _text(ASKED, "Demande reçue", "Une demande vous attend", "Une demande vous attend."),
    _text(OVERDUE, "Délai dépassé", "Une demande attend toujours", "Une demande attend toujours une réponse."),
    _text(
        SUPERVISOR,
        "Délai dépassé, responsable",
        "Une demande attend au-delà de son délai",
        "Une demande faite à votre établissement attend au-delà de son délai.",
    ),
    _text(GIVEN, "Complément donné", "Un dossier a changé", "Un dossier que vous avez pris a changé."),
    _text(ANSWERED, "Réponse reçue", "Vous avez une réponse", "Vous avez une réponse à votre demande."),
    _text(COMPLEMENT, "Complément demandé", "Une question vous est posée", "Une question vous est posée."),
    _text(NEWS, "Demande modifiée", "Votre demande a changé", "Votre demande a changé."),
    _text(VISIO, "Échange en visio", "On vous attend en vidéo", "On vous attend en vidéo."),
    _text(REFUSED, "Demande refusée", "Votre demande est refusée", "Votre demande est refusée : adressez-la ailleurs."),
    _text(
        MOVED,
        "Demande confiée à d’autres",
        "Une demande n’est plus la vôtre",
        "Une demande que vous aviez prise est confiée à un autre service.",
    ),
    _text(
        ADMISSION,
        "Admission proposée",
        "Un dossier vous est adressé",
        "Un dossier vous est adressé : lisez-le maintenant.",
    ),
    _text(
        ACCEPTED,
        "Admission acceptée",
        "Un service a répondu oui",
        "Le service à qui un dossier est adressé a répondu oui.",
    ),
    _text(
        DECLINED,
        "Admission refusée",
        "Un service a répondu non",
        "Le service à qui un dossier est adressé a répondu non : lisez-le maintenant.",
    ),
    _text(
        TAKEN_OVER,
        "Demande reprise",
        "Une demande n’est plus la vôtre",
        "Une demande que vous aviez prise est reprise par un autre médecin de votre équipe.",
    ),
    _text(
        CANCELLED,
        "Demande annulée",
        "Une demande est annulée",
        "Une demande que vous aviez prise est annulée : elle n’attend plus de réponse.",
    ),
    _text(NOTE, "Note ajoutée", "Une note vous attend", "Une note vous attend dans une télé-expertise."),
    _text(DOCUMENT, "Document ajouté", "Un document vous attend", "Un document vous attend dans une télé-expertise."),
    _text(
        CORRECTED,
        "Réponse corrigée",
        "Une réponse a été corrigée",
        "Une réponse a été corrigée dans un dossier que vous suivez : relisez-la maintenant.",
    ),
    _text(
        REMINDED,
        "Complément attendu",
        "Une question attend votre réponse",
        "Une question posée par un expert attend encore la réponse de votre établissement.",
    ),
    _text(
        SILENT,
        "Complément non donné",
        "Votre question est sans réponse",
        "Votre question reste sans réponse : téléphonez, ou rendez votre avis avec ce que vous avez.",
    ),
    _text(GONE, "Expert parti", "Une demande attend un autre expert", "Une demande attend un autre expert."),
]


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def tell_pool(asked: Expertise, type_: str = ASKED) -> None:
    """Everybody who answers for the service; who takes it first has it."""
    _tell(type_, asked, list(pool.members(asked.service_id)))


def tell(asked: Expertise, type_: str, *user_ids: Any, path: str = "") -> None:
    """These professionals; those whose account is closed are left out. `path`: of another page than the request's."""
    users = User.objects.filter(pk__in=[one for one in user_ids if one], is_active=True).order_by("id")
    _tell(type_, asked, list(users), path)


def asking(asked: Expertise) -> set[UUID]:
    """Who is told on the side that asks: the requester as long as they may read it there, else those there who took part in
    the thread, else the practitioners of the establishment, else its caregivers."""
    there = Membership.objects.at_work(CLINICAL).filter(establishment_id=asked.establishment_id)
    if there.filter(user_id=asked.requester_id).exists():
        return {asked.requester_id}
    roles = dict(there.values_list("user_id", "role"))
    acted = set(asked.dossier.events.filter(user_id__in=roles).values_list("user_id", flat=True))
    return acted or {user for user, role in roles.items() if role == Role.PRACTITIONER} or set(roles)


def tell_asking(asked: Expertise, type_: str, actor: Actor) -> None:
    """The side that asks, but whoever does it."""
    tell(asked, type_, *(asking(asked) - {actor.user_id}))


def tell_expert(asked: Expertise, type_: str) -> None:
    """The expert who has it; everybody who answers for the service when nobody has, or that one answers no more."""
    if asked.expert_is_there:
        tell(asked, type_, asked.expert_id)
    else:
        tell_pool(asked, GONE if asked.state in HELD else type_)


def tell_managers(asked: Expertise) -> None:
    """The managers of the establishment whose service is asked; they read no patient, the page of figures says which
    service is late."""
    if asked.service is None:
        return
    _tell(SUPERVISOR, asked, managers(asked.service.establishment_id), path=reverse("expertise:figures"))


def _tell(type_: str, asked: Expertise, users: list[User], path: str = "") -> None:
    """By SMS where minutes count and the number is known, else by e-mail."""
    hurried = asked.urgency in (Urgency.IMMEDIATE, Urgency.URGENT) and type_ not in CALM
    where = path or reverse("expertise:request", args=[asked.pk])
    outbox.queue_all(
        [
            outbox.draft(
                type=type_,
                about=asked.pk,
                holder_id=user.pk,
                email=user.email,
                phone=user.mobile,
                channel=Channel.SMS if hurried and user.mobile else Channel.EMAIL,
                context={"given_name": user.given_name, "link": f"{settings.PUBLIC_URL}{where}"},
                topics=[dossiers.topic(asked.pk)],
            )
            for user in users
        ]
    )
