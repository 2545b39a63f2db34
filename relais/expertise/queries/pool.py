"""Who can answer for a service now."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from relais.accounts.models import Membership, Role, User
from relais.oncall.models import PoolMember


def members(service_id: UUID | None) -> QuerySet[User]:
    """Everybody of its pool who works where they joined from, by name."""
    there = PoolMember.objects.at_work().filter(service_id__in=[service_id])
    return _users(there.values("user_id"))


def experts(service_id: UUID | None) -> QuerySet[User]:
    """Those of its pool who may take a request: practitioners, by name."""
    practising = Membership.objects.filter(
        user_id=OuterRef("user_id"), establishment_id=OuterRef("establishment_id"), ended_at=None,
        role=Role.PRACTITIONER,
    )  # fmt: skip
    there = PoolMember.objects.at_work().filter(Exists(practising), service_id__in=[service_id])
    return _users(there.values("user_id"))


def next_expert(service_id: UUID | None, after: UUID | None) -> User | None:
    """The one who follows in the order of names, beginning again at its end; None when there is nobody else."""
    known = list(experts(service_id))
    at = next((place for place, one in enumerate(known) if one.pk == after), -1)
    turned = known[at + 1 :] + known[: at + 1]
    return next((one for one in turned if one.pk != after), None)


def _users(ids: QuerySet) -> QuerySet[User]:
    return User.objects.filter(pk__in=ids, is_active=True).order_by("family_name", "given_name", "id")
