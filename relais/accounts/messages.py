"""What professionals are told about their account. No name of a patient or of a service ever stands here."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.notifications import actions as outbox
from relais.notifications import registry
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered

RESET, INVITATION, ADDED, CHANGED = "accounts.reset", "accounts.invitation", "accounts.added", "accounts.changed"

CHANGES = {
    "password": "le mot de passe de votre compte a été changé",
    "totp_activated": "une application d’authentification a été ajoutée à votre compte",
    "totp_deactivated": "l’application d’authentification de votre compte a été retirée",
    "webauthn_added": "une clé d’accès a été ajoutée à votre compte",
    "webauthn_removed": "une clé d’accès de votre compte a été retirée",
    "recovery_codes_generated": "de nouveaux codes de secours ont été créés pour votre compte",
    "factors": "vos clés d’accès, votre application et vos codes de secours ont été retirés par le support",
    "mobile": "le numéro de mobile de votre compte a été changé",
}


@dataclass(frozen=True)
class Text:
    """One message type, by e-mail only; `{…}` are filled from the context and the secret."""

    key: str
    label: str
    subject: str
    mail: str
    button: str = "Se connecter"
    fallback: bool = False

    def still_wanted(self, message: Message) -> bool:
        """Not for an account that was closed meanwhile."""
        return User.objects.filter(pk__in=[message.holder_id], is_active=True).exists()

    def render(self, message: Message, secret: dict[str, Any]) -> Rendered:
        words = {"establishment": "", **message.context, **secret, "site": settings.PUBLIC_URL}
        words["sign_in"] = f"{settings.PUBLIC_URL}{reverse('account_login')}"
        words["change"] = CHANGES.get(words.get("what", ""), "")
        words["support"] = settings.ENV["SUPPORT_PHONE_DAY"]
        return Rendered(self.subject.format(**words), self.mail.format(**words), button=self.button)

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        context = {"given_name": "Claire", "establishment": "Centre de santé des Tilleuls", "what": "password"}
        return context, {"link": f"{settings.PUBLIC_URL}/connexion/mot-de-passe/choisir/#jeton-de-demonstration"}


TEXTS = [
    Text(
        RESET,
        "Lien pour choisir un nouveau mot de passe",
        "Choisir un nouveau mot de passe",
        "Bonjour {given_name},\n\n"
        "Vous avez demandé un nouveau mot de passe pour Relais. Choisissez-le ici (lien valable 1 heure, une seule fois) :\n"
        "{link}\n\n"
        "À la connexion suivante, votre second facteur vous sera demandé comme d’habitude.\n"
        "Si vous n’avez rien demandé, ne faites rien : votre mot de passe reste le même.\n",
        button="Choisir mon mot de passe",
    ),
    Text(
        INVITATION,
        "Invitation d’un professionnel",
        "Votre accès à Relais",
        "Bonjour {given_name},\n\n"
        "{establishment} vous ouvre un accès à Relais. Choisissez votre mot de passe ici (lien valable 72 heures, une seule fois) :\n"
        "{link}\n\n"
        "Connectez-vous ensuite sur {sign_in} avec cette adresse e-mail. Un code à 6 chiffres vous sera demandé ; "
        "vous pourrez le remplacer par une clé d’accès ou une application.\n"
        "Lien expiré ? Demandez une nouvelle invitation à votre responsable, ou appelez le {support}.\n",
        button="Choisir mon mot de passe",
    ),
    Text(
        ADDED,
        "Ajout d’un professionnel à un établissement",
        "Un nouvel établissement dans Relais",
        "Bonjour {given_name},\n\n"
        "{establishment} vous a ajouté à ses membres dans Relais. À la prochaine connexion, choisissez l’établissement "
        "où vous travaillez : {sign_in}\n",
    ),
    Text(
        CHANGED,
        "Modification de sécurité d’un compte",
        "Modification de votre compte Relais",
        "Bonjour {given_name},\n\n"
        "Pour votre information, {change}.\n\n"
        "Si ce n’était pas vous, choisissez un nouveau mot de passe sans attendre sur {sign_in}, "
        "puis appelez le {support}.\n",
    ),
]  # fmt: skip


def register_all() -> None:
    for text in TEXTS:
        registry.register(text)


def send(
    type_: str, user: User, *, context: dict[str, Any] | None = None, secret: dict[str, Any] | None = None
) -> None:
    """Queue one e-mail about their account to `user`, in the caller's transaction."""
    outbox.queue(
        type=type_,
        about=user.pk,
        holder_id=user.pk,
        email=user.email,
        channel=Channel.EMAIL,
        context={"given_name": user.given_name, **(context or {})},
        secret=secret,
    )


def describe(what: str) -> str:
    """A security change as a sentence for the screen."""
    sentence = CHANGES[what]
    return _("%(change)s.") % {"change": sentence[0].upper() + sentence[1:]}
