"""What other modules and the screens ask about professionals."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from relais.accounts.models import Membership, Role, User


def members(establishment_id: UUID, roles: Iterable[str] = ()) -> QuerySet[Membership]:
    """The present members of an establishment, by name, with their user; only those who hold one of `roles` when given."""
    found = Membership.objects.filter(establishment_id=establishment_id, ended_at=None, user__is_active=True)
    if wanted := list(roles):
        found = found.filter(role__in=wanted)
    return found.select_related("user").order_by("user__family_name", "user__given_name", "id")


def practitioners(establishment_id: UUID) -> QuerySet[User]:
    """The professionals who consult in an establishment, by name."""
    return User.objects.filter(
        is_active=True,
        memberships__establishment_id=establishment_id,
        memberships__ended_at=None,
        memberships__role=Role.PRACTITIONER,
    ).order_by("family_name", "given_name", "id")


def names(user_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The full name of each professional by id, in one query; past members and closed accounts included."""
    wanted = {one for one in user_ids if one}
    if not wanted:
        return {}
    return {user.pk: user.full_name for user in User.objects.filter(pk__in=wanted)}


def is_member(user_id: UUID, establishment_id: UUID) -> bool:
    """Whether this professional works in this establishment today."""
    return Membership.objects.filter(user_id=user_id, establishment_id=establishment_id, ended_at=None).exists()


def workplaces(user_id: UUID) -> QuerySet[Membership]:
    """Where a professional works today, with the establishment, by name: what one may choose from at sign-in (TC-04)."""
    return (
        Membership.objects.filter(user_id=user_id, ended_at=None, establishment__active=True)
        .select_related("establishment")
        .order_by("establishment__name", "id")
    )
