"""Who answers for which service: the pools."""

from uuid import UUID

from django.db.models import QuerySet

from relais.directory.models import Service
from relais.meetings.models import NEEDS

__all__ = ["NEEDS", "pool", "pools_of"]


def pools_of(user_id: UUID) -> "QuerySet[Service]":
    """The services for which somebody answers."""
    return Service.objects.none()


def pool(service: Service) -> set[UUID]:
    """Who answers for a service."""
    return set()
