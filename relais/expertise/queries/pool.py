"""Who can answer for a service now."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from relais.accounts.models import User
from relais.directory.models import Service
from relais.oncall.models import PoolMember
from relais.oncall.queries import on_duty


def members(service_id: UUID | None) -> QuerySet[User]:
    """Everybody of its pool who works where they joined from, by name."""
    there = PoolMember.objects.at_work().filter(service_id__in=[service_id])
    return _users(there.values("user_id"))


def experts(service_id: UUID | None) -> QuerySet[User]:
    """Those of its pool who may take a request: practitioners, by name."""
    there = PoolMember.objects.on_call().filter(service_id__in=[service_id])
    return _users(there.values("user_id"))


def next_expert(service: Service | None, after: UUID | None, now: datetime) -> User | None:
    """Another expert: whoever is on duty now, else the one who follows in the order of names, beginning again at its end;
    None when there is nobody else."""
    if service is None:
        return None
    known = list(experts(service.pk))
    duty = {one.user.pk for one in on_duty(service, now) if one.user}
    on_call = next((one for one in known if one.pk in duty and one.pk != after), None)
    if on_call:
        return on_call
    at = next((place for place, one in enumerate(known) if one.pk == after), -1)
    turned = known[at + 1 :] + known[: at + 1]
    return next((one for one in turned if one.pk != after), None)


def _users(ids: QuerySet) -> QuerySet[User]:
    return User.objects.filter(pk__in=ids, is_active=True).order_by("family_name", "given_name", "id")
