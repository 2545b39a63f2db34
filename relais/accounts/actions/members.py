"""Who works in an establishment: added, invited, given another role, removed by its manager."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts import departures, messages
from relais.accounts.actions.passwords import INVITATION, new_link
from relais.accounts.actions.professionals import create_professional
from relais.accounts.actions.sessions import end_sessions_in
from relais.accounts.models import Membership, Role, User
from relais.accounts.permissions import can_manage_members
from relais.audit.actions import record
from relais.core.actor import SYSTEM, Actor
from relais.core.errors import NotFound, Refused
from relais.directory.models import Establishment
from relais.rooms import actions as rooms


@transaction.atomic
def add_member(*, actor: Actor, establishment_id: UUID, user: User, role: str, tell: bool = True) -> Membership:
    """An existing professional works in this establishment from now on; they are told by e-mail unless `tell` is false.

    Raises Refused when they are a member already.
    """
    _check(actor, establishment_id, role)
    if not user.is_active:
        raise Refused(_("Ce compte est fermé. Appelez le support."), field="email")
    try:
        with transaction.atomic():
            membership = Membership.objects.create(user=user, establishment_id=establishment_id, role=role)
    except IntegrityError:
        raise Refused(
            _("%(name)s est déjà membre de l’établissement.") % {"name": user.full_name}, field="email"
        ) from None
    record(actor=actor, action="members.add", about=user.pk, why=role)
    if tell:
        messages.send(messages.ADDED, user, context={"establishment": membership.establishment.name})
    return membership


@transaction.atomic
def invite_member(
    *, actor: Actor, establishment_id: UUID, role: str, email: str, family_name: str, given_name: str, rpps: str = ""
) -> Membership:
    """A professional who has no account yet: made, added, and invited by e-mail to choose a password (72 h).

    Raises Refused, beside its field, for an address or RPPS that somebody has or that is none.
    """
    _check(actor, establishment_id, role)
    user = create_professional(
        actor=actor, email=email, family_name=family_name, given_name=given_name, rpps=rpps or None
    )
    membership = add_member(actor=actor, establishment_id=establishment_id, user=user, role=role, tell=False)
    _send_invitation(membership)
    return membership


@transaction.atomic
def send_invitation(*, actor: Actor, membership_id: UUID) -> Membership:
    """The invitation again, with a new link; the one before stops working. Refused once a password was chosen."""
    membership = _held(actor, membership_id)
    if membership.user.has_usable_password():
        raise Refused(_("%(name)s a déjà choisi un mot de passe.") % {"name": membership.user.full_name})
    _send_invitation(membership)
    record(actor=actor, action="members.invite", about=membership.user_id)
    return membership


@transaction.atomic
def change_role(*, actor: Actor, membership_id: UUID, role: str) -> Membership:
    """Another role, from their next page on; a call they are in ends for them. Refused when it would leave the establishment without a manager."""
    membership = _held(actor, membership_id)
    _check(actor, membership.establishment_id, role)
    if membership.role == role:
        return membership
    if role != Role.MANAGER:
        _keep_a_manager(actor, membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    rooms.dismiss(holder_id=membership.user_id, establishment_id=membership.establishment_id)
    record(actor=actor, action="members.role", about=membership.user_id, why=f"{before} > {role}")
    departures.tell(actor, membership.user_id)
    return membership


@transaction.atomic
def remove_member(*, actor: Actor, membership_id: UUID) -> Membership:
    """They work here no more: their sessions and calls in this establishment end at once, their contributions stay (C33).

    Refused for the last manager (C32).
    """
    membership = _held(actor, membership_id)
    _keep_a_manager(actor, membership)
    membership.ended_at = timezone.now()
    membership.ended_by = actor.user_id
    membership.save(update_fields=["ended_at", "ended_by"])
    rooms.dismiss(holder_id=membership.user_id, establishment_id=membership.establishment_id)
    ended = end_sessions_in(user_id=membership.user_id, establishment_id=membership.establishment_id)
    record(actor=actor, action="members.remove", about=membership.user_id, why=f"{ended} session(s)")
    departures.tell(actor, membership.user_id)
    return membership


def _check(actor: Actor, establishment_id: UUID, role: str) -> None:
    if not can_manage_members(actor, establishment_id):
        raise NotFound
    if role not in Role.values:
        raise Refused(_("Choisissez un rôle de la liste."), field="role")


def _held(actor: Actor, membership_id: UUID) -> Membership:
    """The membership, with its establishment locked: of two managers who remove each other, one is refused. Not its key:
    what points to it, and may be what the removal waits for, comes in meanwhile."""
    try:
        found = Membership.objects.get(pk=membership_id, ended_at=None)
    except (Membership.DoesNotExist, ValidationError):
        raise NotFound from None
    if not can_manage_members(actor, found.establishment_id):
        raise NotFound
    Establishment.objects.select_for_update(of=("self",), no_key=True).get(pk=found.establishment_id)
    again = Membership.objects.select_related("user", "establishment").filter(pk=found.pk, ended_at=None).first()
    if again is None:
        raise NotFound
    return again


def _keep_a_manager(actor: Actor, membership: Membership) -> None:
    if membership.role != Role.MANAGER or actor.kind == SYSTEM:
        return
    others = Membership.objects.filter(
        establishment_id=membership.establishment_id, role=Role.MANAGER, ended_at=None, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise Refused(
            _("%(name)s est seul responsable de l’établissement. Nommez d’abord un autre responsable.")
            % {"name": membership.user.full_name}
        )


def _send_invitation(membership: Membership) -> None:
    user = membership.user
    messages.send(
        messages.INVITATION,
        user,
        context={"establishment": membership.establishment.name},
        secret={"link": new_link(user, INVITATION)},
    )
