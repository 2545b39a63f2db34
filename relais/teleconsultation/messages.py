"""What the patient is told, and when. Two sets of texts by reason (TC-15); never a word about health.

Texts of the reason COVID_19 give general hygiene advice and suggest no infection; no text names a specialty.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from relais.core.paris import PARIS
from relais.directory.models import Kind
from relais.dossiers.models import Document
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Attachment, Rendered
from relais.patients.models import Grant
from relais.teleconsultation.calendar import invitation
from relais.teleconsultation.models import Reason, Teleconsultation
from relais.teleconsultation.topics import staff_topics
from relais.teleconsultation.workflow import State

BOOKED, PASSWORD, MOVED = "tele.booked", "tele.password", "tele.moved"
CANCELLED, REASSIGNED, READY = "tele.cancelled", "tele.reassigned", "tele.ready"
DAY_BEFORE, HOUR_BEFORE = "tele.reminder_24h", "tele.reminder_1h"
DOCUMENT, GUEST = "tele.document", "tele.guest"
REMINDERS = {DAY_BEFORE: timedelta(hours=24), HOUR_BEFORE: timedelta(hours=1)}
WITH_CALENDAR = (BOOKED, MOVED)
HYGIENE = (
    "Cette consultation à distance vous évite un déplacement. Pensez aux gestes qui protègent chacun : "
    "se laver souvent les mains, aérer la pièce, porter un masque dans les lieux fréquentés."
)
HYGIENE_SMS = " Lavez-vous souvent les mains, aérez la pièce."


@dataclass(frozen=True)
class Text:
    """One message type, told in the words of its channel; `{…}` are filled from the context and the secret."""

    key: str
    label: str
    subject: str
    mail: str
    sms: str
    fallback: bool = True

    def still_wanted(self, message: Message) -> bool:
        """Asked just before sending: not for an appointment that has moved, ended or was cancelled meanwhile."""
        if self.key == CANCELLED:
            return True
        if self.key == DOCUMENT:  # not once it was hidden or withdrawn
            shared = Document.objects.filter(shared_at__isnull=False, withdrawn_at=None)
            return shared.filter(dossier_id__in=[message.about]).exists()
        tele = Teleconsultation.objects.filter(pk__in=[message.about]).first()
        if tele is None or tele.starts_at != datetime.fromisoformat(message.context["starts_at"]):
            return False
        if self.key in REMINDERS:
            return tele.state == State.PLANNED and tele.starts_at > timezone.now()
        return tele.state in (State.PLANNED, State.IN_CALL)

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        context = message.context
        words = {
            **context,
            **secret,
            **_times(context),
            "guide": _absolute(reverse("portal:guide", args=["consultation-video"])),
            **_hygiene(context),
        }
        words["credentials"] = _credentials(message.channel, secret)
        if message.channel == Channel.SMS:
            return Rendered(subject="", text=self.sms.format(**words))
        attachments = []
        if self.key in WITH_CALENDAR:
            start = datetime.fromisoformat(context["starts_at"])
            content = invitation(
                uid=str(message.about),
                start=start,
                minutes=context["minutes"],
                sequence=context.get("sequence", 0),
                url=context["link"],
            )
            attachments = [Attachment("rendez-vous.ics", "text/calendar", content)]
        return Rendered(self.subject.format(**words), self.mail.format(**words), attachments)

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        context = {
            "starts_at": "2026-11-24T13:30:00+00:00",
            "minutes": 20,
            "covid": True,
            "first_name": "Camille",
            "sender": "Centre de santé des Tilleuls",
            "link": _absolute("/p/00000000-0000-4000-8000-000000000000/"),
            "why": "Imprévu du praticien",
            "practitioner": "Dr Alix Moreau",
            "document": "document",
            "until": "2026-12-24",
        }
        return context, {"login": "k7dm2p4x", "password": "bato-milu-73"}


def _absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def _times(context: dict[str, Any]) -> dict[str, str]:
    start = datetime.fromisoformat(context["starts_at"]).astimezone(PARIS)
    return {
        "when": f"{date_format(start, 'l j F Y')} à {start:%H} h {start:%M}",
        "short": f"{start:%d/%m à %Hh%M}",
        "opens": f"{start - timedelta(minutes=20):%H} h {start - timedelta(minutes=20):%M}",
    }


def _hygiene(context: dict[str, Any]) -> dict[str, str]:
    covid = context.get("covid")
    return {"hygiene": f"\n{HYGIENE}\n" if covid else "", "hygiene_sms": HYGIENE_SMS if covid else ""}


def _credentials(channel: str, secret: dict[str, Any]) -> str:
    """The lines of the secrets that this message carries; the password is elsewhere when two channels are known."""
    parts = []
    if login := secret.get("login"):
        parts.append(f"Identifiant : {login}")
    if password := secret.get("password"):
        parts.append(f"Mot de passe : {password}")
    elif secret.get("login") and channel == Channel.EMAIL:
        parts.append("Mot de passe : envoyé par SMS")
    return (" " if channel == Channel.SMS else "\n").join(parts)


FOOT = "\n\nCe message est automatique. En cas d’urgence, appelez le 15 (ou le 114 par SMS).\n"
ACCESS = (
    "Votre espace : {link}\n{credentials}\n\n"
    "Dans cet espace, dès maintenant : testez votre matériel, déposez vos documents.\n"
    "Vous pourrez rejoindre la vidéo à partir de {opens} ce jour-là.\n"
    "Ce lien sert à ce rendez-vous seulement ; l’espace reste ouvert 30 jours après.\n"
    "{hygiene}\nUn guide pas à pas : {guide}" + FOOT
)
TEXTS = [
    Text(
        BOOKED,
        "Rendez-vous et lien d’accès",
        "Votre rendez-vous vidéo du {when}",
        "Bonjour {first_name},\n\nVotre rendez-vous vidéo avec {sender} est fixé au {when}.\n\n" + ACCESS,
        "{sender} : rendez-vous vidéo de {first_name} le {short}. Votre espace : {link} {credentials}{hygiene_sms}",
    ),
    Text(
        PASSWORD,
        "Mot de passe",
        "Votre mot de passe Relais",
        "Bonjour {first_name},\n\n{credentials}\nIl ouvre votre espace du {when} : {link}" + FOOT,
        "Rendez-vous vidéo de {first_name} le {short}. {credentials} (l’identifiant est dans l’e-mail). "
        "Votre espace : {link}",
    ),
    Text(
        MOVED,
        "Rendez-vous déplacé",
        "Votre rendez-vous vidéo est déplacé au {when}",
        "Bonjour {first_name},\n\nVotre rendez-vous vidéo avec {sender} est déplacé au {when}. "
        "Vos anciens codes ne servent plus : en voici de nouveaux.\n\n" + ACCESS,
        "{sender} : le rendez-vous vidéo de {first_name} est déplacé au {short}. Nouvel accès : {link} {credentials}",
    ),
    Text(
        CANCELLED,
        "Rendez-vous annulé",
        "Votre rendez-vous vidéo du {when} est annulé",
        "Bonjour {first_name},\n\nVotre rendez-vous vidéo du {when} avec {sender} est annulé.\nMotif : {why}\n\n"
        "Pour un autre rendez-vous, contactez {sender}." + FOOT,
        "{sender} : le rendez-vous vidéo de {first_name} du {short} est annulé. Motif : {why}",
    ),
    Text(
        REASSIGNED,
        "Changement de praticien",
        "Votre rendez-vous vidéo du {when}",
        "Bonjour {first_name},\n\nVotre rendez-vous vidéo du {when} est maintenu ; vous serez reçu par {practitioner}.\n"
        "Votre espace et vos codes ne changent pas : {link}" + FOOT,
        "{sender} : le {short}, {first_name} sera reçu par {practitioner}. Votre espace ne change pas : {link}",
    ),
    Text(
        READY,
        "Le professionnel est prêt",
        "Le professionnel est prêt à vous recevoir",
        "Bonjour {first_name},\n\nLe professionnel est prêt à vous recevoir en vidéo. "
        "Ouvrez votre espace et touchez « Rejoindre » : {link}" + FOOT,
        "{sender} : le professionnel est prêt à recevoir {first_name}. Ouvrez votre espace et touchez Rejoindre : {link}",
    ),
    Text(
        DAY_BEFORE,
        "Rappel 24 h avant",
        "Demain : votre rendez-vous vidéo",
        "Bonjour {first_name},\n\nVotre rendez-vous vidéo avec {sender} a lieu le {when}.\n"
        "Pensez à tester votre matériel dans votre espace : {link}\n{hygiene}" + FOOT,
        "Rappel : rendez-vous vidéo de {first_name} le {short}. Testez votre matériel : {link}{hygiene_sms}",
    ),
    Text(
        HOUR_BEFORE,
        "Rappel 1 h avant",
        "Dans une heure : votre rendez-vous vidéo",
        "Bonjour {first_name},\n\nVotre rendez-vous vidéo a lieu le {when}. Vous pouvez entrer à partir de {opens} : {link}"
        + FOOT,
        "Dans une heure : rendez-vous vidéo de {first_name}. Entrée à partir de {opens} : {link}",
    ),
    Text(
        DOCUMENT,
        "Document disponible",
        "Un document est disponible dans votre espace",
        "Bonjour {first_name},\n\nUn document est disponible dans votre espace : {link}\n"
        "L’espace reste ouvert jusqu’au {until}. Codes perdus : la page vous en renvoie." + FOOT,
        "{sender} : un document est disponible pour {first_name} dans son espace : {link}",
    ),
]


TEXTS.append(
    Text(
        GUEST,
        "Invitation d’une personne",
        "Invitation à un appel vidéo",
        "Bonjour,\n\n{sender} vous invite à un appel vidéo le {when}.\n\nOuvrez ce lien : {link}\n{credentials}\n\n"
        "Vous attendrez que le professionnel vous fasse entrer." + FOOT,
        "{sender} vous invite à un appel vidéo le {short}. Lien : {link} {credentials}",
    )
)


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def _context(tele: Teleconsultation, grant: Grant) -> dict[str, Any]:
    establishment = tele.establishment
    return {
        "starts_at": tele.starts_at.isoformat(),
        "minutes": int((tele.ends_at - tele.starts_at).total_seconds() // 60),
        "covid": tele.reason == Reason.COVID_19,
        "first_name": tele.dossier.patient.given_name,
        # The name of a psychiatric hospital would say something about health.
        "sender": _("votre établissement") if establishment.kind == Kind.PSYCHIATRY else establishment.name,
        "link": _absolute(reverse("patient:entry", args=[grant.pk])),
        "why": tele.cancel_reason,
        "practitioner": tele.practitioner.full_name,
        "until": date_format(grant.valid_until.astimezone(PARIS), "j F Y"),
        "sequence": int(timezone.now().timestamp()) % 2**31,
    }


def _draft(type_: str, tele: Teleconsultation, grant: Grant, channel: str, **more: Any) -> Message:
    return outbox.draft(
        type=type_,
        about=tele.pk,
        holder_id=grant.pk,
        email=grant.email,
        phone=grant.mobile,
        channel=channel,
        context=_context(tele, grant),
        topics=staff_topics(tele),
        **more,
    )


def send_access(tele: Teleconsultation, grant: Grant, secrets: dict[str, str], type_: str) -> None:
    """Link, login and password, and a reminder 24 h and 1 h before the hour (B1.1).

    With both channels known the password goes by SMS, the login by e-mail (TC-21). Reminders go by SMS when there is
    a number; those whose time has passed are not sent.
    """
    if grant.email and grant.mobile:
        access = [
            _draft(type_, tele, grant, Channel.EMAIL, secret={"login": secrets["login"]}),
            _draft(PASSWORD, tele, grant, Channel.SMS, secret={"password": secrets["password"]}),
        ]
    else:
        access = [_draft(type_, tele, grant, _urgent(grant), secret=secrets)]
    due = {reminder: tele.starts_at - before for reminder, before in REMINDERS.items()}
    outbox.queue_all(access + [
        _draft(reminder, tele, grant, _urgent(grant), send_after=at) for reminder, at in due.items() if at > timezone.now()
    ])  # fmt: skip


def send_guest_access(tele: Teleconsultation, grant: Grant, secrets: dict[str, str]) -> None:
    """The third person's link and codes, by one channel: SMS when there is a number, it is for now."""
    outbox.queue_all([_draft(GUEST, tele, grant, _urgent(grant), secret=secrets)])


def _urgent(grant: Grant) -> Channel:
    """The channel that is read first."""
    return Channel.SMS if grant.mobile else Channel.EMAIL


def tell(type_: str, tele: Teleconsultation, grant: Grant, channels: list[str] | None = None) -> None:
    """One message by each of `channels`, else by every known channel (*ready*: SMS first, it is urgent)."""
    known = [channel for channel, address in ((Channel.SMS, grant.mobile), (Channel.EMAIL, grant.email)) if address]
    wanted = [channel for channel in channels if channel in known] or known[:1] if channels else known
    chosen = wanted[:1] if type_ == READY else wanted
    if chosen:
        outbox.queue_all([_draft(type_, tele, grant, channel) for channel in chosen])


def tell_document(tele: Teleconsultation, grant: Grant, channels: list[str]) -> None:
    """A document can be read: report by e-mail and SMS, prescription by the chosen channel (TC-48, TC-52)."""
    tell(DOCUMENT, tele, grant, channels)


def cancel_pending(tele: Teleconsultation) -> None:
    """Drop what has not left yet: reminders, and access to an hour that is no longer the right one."""
    outbox.cancel(about=tele.pk, types=[BOOKED, PASSWORD, MOVED, READY, *REMINDERS])


def mark_replaced(tele: Teleconsultation) -> None:
    """Refused messages of a wrong address are no longer flagged once it is corrected (C28)."""
    Message.objects.filter(about=tele.pk, replaced=False).update(replaced=True)
