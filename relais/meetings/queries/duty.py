"""Who answers for a room of a service: its pool, else the caregivers of its establishment."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from relais.core.actor import Actor
from relais.directory.models import Service
from relais.oncall.models import PoolMember
from relais.oncall.queries import services_of

__all__ = ["answered", "pools", "services_of"]


def pools(services: Iterable[Service]) -> dict[UUID, set[UUID]]:
    """Who answers for each service and is at work, by its id, in one query."""
    found: dict[UUID, set[UUID]] = {one.pk: set() for one in services}
    members = PoolMember.objects.filter(service__in=found).at_work().order_by("created_at", "id")
    for service_id, user_id in members.values_list("service_id", "user_id"):
        found[service_id].add(user_id)
    return found


def answered(actor: Actor) -> QuerySet[Service]:
    """The services for which the actor is named, and those of their establishment for which nobody is, if they are a caregiver.

    One query, for it is asked on every page.
    """
    if not actor.has_role("practitioner", "caregiver"):
        return Service.objects.none()
    pool = PoolMember.objects.filter(service=OuterRef("pk")).at_work()
    ours = Q(establishment=actor.here) & (Exists(pool.filter(user=actor.me)) | ~Exists(pool))
    named = PoolMember.objects.of(actor).serve("pk")
    return Service.objects.filter(named | ours, active=True, establishment__active=True)
