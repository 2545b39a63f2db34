"""Every write about professionals and their memberships."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from relais.accounts import messages
from relais.accounts.actions.sessions import end_all_sessions
from relais.accounts.models import User
from relais.accounts.permissions import can_create_professional, can_remove_factors
from relais.audit.actions import record
from relais.core.actor import SYSTEM, Actor
from relais.core.errors import NotFound, Refused


@transaction.atomic
def create_professional(
    *,
    actor: Actor,
    email: str,
    family_name: str,
    given_name: str,
    title: str = "",
    mobile: str = "",
    rpps: str | None = None,
    profession: str = "",
    specialty: str = "",
    password: str | None = None,
    synthetic: bool = False,
) -> User:
    """A new professional, who belongs nowhere yet (see add_member). Without `password` they cannot sign in.

    `mobile` in E.164 (`+33639980001`), `rpps` of 11 digits. Raises Refused, beside its field, for an address or RPPS
    that somebody has, or a value that is none.
    """
    if not can_create_professional(actor):
        raise NotFound
    user = User(
        email=email.strip().lower(),
        family_name=family_name.strip(),
        given_name=given_name.strip(),
        title=title,
        mobile=mobile,
        rpps=rpps or None,
        profession=profession,
        specialty=specialty,
        synthetic=synthetic,
    )
    if User.objects.filter(email=user.email).exists():
        raise Refused(_("Cette adresse e-mail a déjà un compte."), field="email")
    if user.rpps and User.objects.filter(rpps=user.rpps).exists():
        raise Refused(_("Ce numéro RPPS a déjà un compte."), field="rpps")
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        raise Refused(sentences[0], field=None if name == "__all__" else name) from None
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # the same form sent twice at once
        raise Refused(_("Cette adresse e-mail a déjà un compte."), field="email") from None
    record(actor=actor, action="accounts.create", about=user.pk)
    return user


@transaction.atomic
def change_mobile(*, actor: Actor, mobile: str) -> User:
    """One's own mobile number (E.164), once a code sent to it was given back; empty to have none."""
    user = User.objects.select_for_update(of=("self",)).get(pk__in=[actor.user_id])
    user.mobile = mobile
    user.save(update_fields=["mobile"])
    record(actor=actor, action="accounts.mobile", about=user.pk)
    messages.send(messages.CHANGED, user, context={"what": "mobile"})
    return user


@transaction.atomic
def remove_factors(*, actor: Actor, user_id: UUID, why: str) -> int:
    """Take passkeys, application and recovery codes from somebody who lost them; how many were taken.

    Their sessions end, they are told by e-mail, and sign in with a code that is sent, as on the first day. Raises
    Refused without a reason.
    """
    if not can_remove_factors(actor):
        raise NotFound
    if not why.strip():
        raise Refused(_("Dites pourquoi, et comment l’identité a été vérifiée."), field="why")
    user = User.objects.select_for_update(of=("self",)).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    removed, _rows = Authenticator.objects.filter(user=user).delete()
    end_all_sessions(actor=actor, user_id=user.pk, why="factors")
    record(actor=actor, action="factor.removed_all", about=user.pk, why=why.strip()[:300])
    messages.send(messages.CHANGED, user, context={"what": "factors"})
    return removed


@transaction.atomic
def serve_help_desk(*, actor: Actor, user_id: UUID) -> User:
    """From now on this professional is an agent of the help desk. Only whoever runs the installation names them."""
    if actor.kind != SYSTEM:
        raise NotFound
    user = User.objects.select_for_update(of=("self",)).get(pk=user_id)
    user.help_desk = True
    user.save(update_fields=["help_desk"])
    record(actor=actor, action="accounts.help_desk", about=user.pk)
    return user
