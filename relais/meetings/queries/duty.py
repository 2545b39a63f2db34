"""Who answers for a room of a service: its pool, else the caregivers of its establishment."""

from collections.abc import Iterable
from uuid import UUID

from relais.core.actor import Actor
from relais.directory.models import Service
from relais.oncall.models import PoolMember
from relais.oncall.queries import services_of

__all__ = ["pools", "services_of", "works_for"]


def pools(services: Iterable[Service]) -> dict[UUID, set[UUID]]:
    """Who answers for each service and is at work, by its id, in one query."""
    found: dict[UUID, set[UUID]] = {one.pk: set() for one in services}
    members = PoolMember.objects.filter(service__in=found).at_work().order_by("created_at", "id")
    for service_id, user_id in members.values_list("service_id", "user_id"):
        found[service_id].add(user_id)
    return found


def works_for(actor: Actor, service: Service, pool: set[UUID]) -> bool:
    """One answers for it; where nobody is named, the caregivers of its establishment do."""
    if pool:
        return actor.user_id in pool
    return actor.establishment_id == service.establishment_id and actor.has_role("practitioner", "caregiver")
