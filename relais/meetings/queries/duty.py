"""Who answers for a room of a service: its pool, else the caregivers of its establishment."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from relais.core.actor import Actor
from relais.directory.models import Service
from relais.oncall.models import PoolMember
from relais.oncall.queries import services_of

__all__ = ["answered", "pools", "services_of", "works_for"]


def pools(services: Iterable[Service]) -> dict[UUID, set[UUID]]:
    """Who answers for each service and is at work, by its id, in one query."""
    found: dict[UUID, set[UUID]] = {one.pk: set() for one in services}
    members = PoolMember.objects.filter(service__in=found).at_work().order_by("created_at", "id")
    for service_id, user_id in members.values_list("service_id", "user_id"):
        found[service_id].add(user_id)
    return found


def answered(actor: Actor) -> QuerySet[Service]:
    """The services that the actor `works_for`, in one query, for it is asked on every page."""
    if not actor.has_role("practitioner", "caregiver"):
        return Service.objects.none()
    pool = PoolMember.objects.filter(service=OuterRef("pk")).at_work()
    ours = Q(establishment=actor.here) & (Exists(pool.filter(user=actor.me)) | ~Exists(pool))
    named = PoolMember.objects.of(actor).serve("pk")
    return Service.objects.filter(named | ours, active=True, establishment__active=True)


def works_for(actor: Actor, service: Service, pool: set[UUID]) -> bool:
    """One answers for it; where nobody is named, the caregivers of its establishment do."""
    if pool:
        return actor.user_id in pool
    return actor.establishment_id == service.establishment_id and actor.has_role("practitioner", "caregiver")
